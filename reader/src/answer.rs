//! A document as an HTTP answer.

use axum::http::{HeaderName, HeaderValue, header};
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
    of(document, SHARED, DEPENDS, never_missing)
}

/// The answer of such a route, for the caller's session alone.
pub(crate) fn private(document: Document) -> Response {
    of(document, PRIVATE, DEPENDS_ON_SESSION, never_missing)
}

/// The answer, or the problem when there is no such thing. Both carry the position of the data that says so.
pub(crate) fn found_or(document: Document, missing: impl FnOnce() -> Problem) -> Response {
    of(document, SHARED, DEPENDS, missing)
}

/// What an answer that is everybody's says of itself.
pub(crate) fn shared(kind: HeaderValue, tag: HeaderValue) -> [(HeaderName, HeaderValue); 4] {
    about(kind, tag, SHARED, DEPENDS)
}

fn of(
    document: Document,
    kept: HeaderValue,
    depends: HeaderValue,
    missing: impl FnOnce() -> Problem,
) -> Response {
    let mut response = match document.text {
        Some(text) => {
            let json = HeaderValue::from_static("application/json");
            (about(json, revalidation::tag(&text), kept, depends), text).into_response()
        }
        // A problem says of itself that nobody may keep it.
        None => missing().into_response(),
    };
    carry(document.token, &mut response);
    response
}

fn about(
    kind: HeaderValue,
    tag: HeaderValue,
    kept: HeaderValue,
    depends: HeaderValue,
) -> [(HeaderName, HeaderValue); 4] {
    [
        (header::CONTENT_TYPE, kind),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, kept),
        (header::VARY, depends),
    ]
}

fn never_missing() -> Problem {
    tracing::error!("a statement that always has an answer gave none");
    Problem::internal()
}

/// A number of a page as Postgres takes it; pages stay below 2^53 + 10,000.
pub(crate) fn bigint(number: u64) -> i64 {
    i64::try_from(number).expect("an offset is at most 2^53")
}

/// In the headers for the client, and beside them for the listener, which judges the answer by it.
fn carry(token: Token, response: &mut Response) {
    let position = HeaderValue::try_from(token.to_string()).expect("a token is plain ASCII");
    response.headers_mut().insert(HeaderName::from_static(POSITION), position);
    response.extensions_mut().insert(token);
}

#[cfg(test)]
mod tests {
    use contract::{Epoch, Position};

    use super::*;

    fn document(text: Option<&'static str>) -> Document {
        let epoch: Epoch = "abcdefgh2345".parse().unwrap();
        let token = Token { epoch, position: Position::FIRST };
        Document { text: text.map(|text| text.as_bytes().into()), token }
    }

    #[test]
    fn what_is_found_may_be_kept_and_what_is_missing_may_not() {
        let unknown = || Problem::unknown("product", 7);
        for (response, status, kept) in [
            (found_or(document(Some("{}")), unknown), 200, "no-cache"),
            (found_or(document(None), unknown), 404, "no-store"),
            (private(document(Some("[]"))), 200, "private, no-cache"),
            (private(document(None)), 500, "no-store"),
        ] {
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::CACHE_CONTROL], kept, "{response:?}");
            assert_eq!(response.headers().contains_key(header::ETAG), status == 200, "{response:?}");
            assert!(response.headers().contains_key(POSITION), "{response:?}");
        }
    }
}
