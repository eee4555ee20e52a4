//! A write's answer: its position, also as a cookie, and whether every live replica had applied it.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::headers::{APPLIED, POSITION};

use crate::outcome::Done;
use crate::write::Write;

/// 201 with the id of what was made, which is its event's position.
pub(crate) fn created(id_field: &'static str, write: &Write, done: &Done) -> Response {
    let body = Json(serde_json::json!({ id_field: done.token.position }));
    (StatusCode::CREATED, headers(write, done), body).into_response()
}

/// 201 for what has no id that a shopper could use. The text is what front ends got from the legacy service.
pub(crate) fn recorded(write: &Write, done: &Done) -> Response {
    (StatusCode::CREATED, headers(write, done), "Created").into_response()
}

/// 204.
pub(crate) fn no_content(write: &Write, done: &Done) -> Response {
    (StatusCode::NO_CONTENT, headers(write, done)).into_response()
}

fn headers(write: &Write, done: &Done) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let position = done.token.to_string();
    headers.insert(POSITION, HeaderValue::from_str(&position).expect("a token is plain ASCII"));
    headers.insert(APPLIED, HeaderValue::from_static(if done.applied { "true" } else { "false" }));
    if let Some(cookie) = write.position.set(&done.token) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    if write.respond_async {
        headers.insert("preference-applied", HeaderValue::from_static("respond-async"));
    }
    headers
}
