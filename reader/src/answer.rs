//! A document as an HTTP answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use contract::Token;
use contract::headers::POSITION;
use service::Problem;

use crate::document::Document;
use crate::revalidation;

/// What a browser may do with an answer that is everybody's: keep it, and ask each time whether it still holds.
const SHARED: HeaderValue = HeaderValue::from_static("no-cache");
/// The same for one shopper's own.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What an answer depends on: nginx compresses it for whoever takes that. Said here, because nginx would not say it on
/// a 304.
const DEPENDS: HeaderValue = HeaderValue::from_static("Accept-Encoding");
/// And a cart on what names a session.
const DEPENDS_ON_SESSION: HeaderValue =
    HeaderValue::from_static("Accept-Encoding, Cookie, Atelier-Session, Authorization");

/// The answer of a route that always has one.
pub(crate) fn found(document: Document) -> Response {
    found_or(document, || {
        tracing::error!("a statement that always has an answer gave none");
        Problem::internal()
    })
}

/// The answer of such a route, for the caller's session alone.
pub(crate) fn private(document: Document) -> Response {
    let mut response = found(document);
    response.headers_mut().insert(header::CACHE_CONTROL, PRIVATE);
    response.headers_mut().insert(header::VARY, DEPENDS_ON_SESSION);
    response
}

/// The answer, or the problem when there is no such thing. Both carry the position of the data that says so.
pub(crate) fn found_or(document: Document, missing: impl FnOnce() -> Problem) -> Response {
    let mut response = match document.text {
        Some(text) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json), (header::ETAG, revalidation::tag(&text))], text).into_response()
        }
        None => missing().into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, SHARED);
    response.headers_mut().insert(header::VARY, DEPENDS);
    carry(&document.token, response.headers_mut());
    response
}

/// A number of a page as Postgres takes it; pages stay below 2^53 + 10,000.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).expect("an offset is at most 2^53")
}

fn carry(token: &Token, headers: &mut HeaderMap) {
    let token = HeaderValue::try_from(token.to_string()).expect("a token is plain ASCII");
    headers.insert(HeaderName::from_static(POSITION), token);
}
