//! Cookies: found in a request, and how far one reaches that an answer sets.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::cors::Origins;

/// The value of a request's cookie, when there is something in it.
pub(crate) fn find<'a>(request: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = request.get_all(header::COOKIE).iter().filter_map(text);
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name && !value.is_empty()).then_some(value))
}

/// A header's value, when there is something in it and it is text.
pub(crate) fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().filter(|value| !value.is_empty())
}

/// The attributes of a cookie that answers a request: as far as the page lies that sent it.
pub(crate) fn reach(request: &HeaderMap, origins: &Origins) -> &'static str {
    let secure = request.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    match (origins.listed(request).is_some(), secure) {
        // A page of another site gets its cookie back only so, and browsers then demand an encrypted connection.
        (true, _) => "Path=/; HttpOnly; SameSite=None; Secure",
        (false, true) => "Path=/; HttpOnly; SameSite=Lax; Secure",
        (false, false) => "Path=/; HttpOnly; SameSite=Lax",
    }
}
