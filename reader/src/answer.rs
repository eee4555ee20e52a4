//! A document as an HTTP answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use contract::Token;
use contract::headers::POSITION;
use service::Problem;

use crate::document::Document;

/// The answer of a route that always has one.
pub(crate) fn found(document: Document) -> Response {
    found_or(document, || {
        tracing::error!("a statement that always has an answer gave none");
        Problem::internal()
    })
}

/// The answer, or the problem when there is no such thing. Both carry the position of the data that says so.
pub(crate) fn found_or(document: Document, missing: impl FnOnce() -> Problem) -> Response {
    let mut response = match document.text {
        Some(text) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json)], text).into_response()
        }
        None => missing().into_response(),
    };
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
