//! The session that a request carries: never one that we mint for it.

use axum::http::{HeaderMap, header};
use contract::headers::{SESSION, SESSION_COOKIE};

/// The cookie's value, else the header's.
pub fn carried(headers: &HeaderMap) -> Option<&str> {
    let cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == SESSION_COOKIE && !value.is_empty()).then_some(value));
    cookie.or_else(|| headers.get(SESSION)?.to_str().ok().filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_comes_before_the_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(carried(&headers), None);
        headers.insert(SESSION, "from-header".parse().unwrap());
        assert_eq!(carried(&headers), Some("from-header"));
        headers.append(header::COOKIE, "other=1; atelier_session=from-cookie".parse().unwrap());
        assert_eq!(carried(&headers), Some("from-cookie"));
    }
}
