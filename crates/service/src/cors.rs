//! CORS: any origin may read and write, without credentials.

use axum::http::{HeaderMap, HeaderValue, header};
use contract::headers::EXPOSED;

/// How long a browser may remember a preflight's answer, in seconds; browsers cap it at two hours or less.
const PREFLIGHT_SECONDS: &str = "7200";

/// Headers of every answer.
pub fn on_answer(answer: &mut HeaderMap) {
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// Headers of a preflight's answer: what was asked for is allowed.
pub fn on_preflight(request: &HeaderMap, answer: &mut HeaderMap) {
    answer.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, OPTIONS"),
    );
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    answer.insert(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
}
