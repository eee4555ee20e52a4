//! The session that a request carries, and the cookie that gives one to a shopper who has none.

use axum::http::{HeaderMap, HeaderValue, header};
use contract::headers::{SESSION, SESSION_COOKIE};

use crate::cookie;
use crate::cors::Origins;

/// The path on which an `Authorization` header's value is a session too, as the legacy service had it.
const CART: &str = "/cart";
/// How long a browser keeps the cookie, in seconds: 400 days, the most that browsers grant.
const COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// The session that a request to `path` carries, never one that we mint for it: what its `Idempotency-Key` counts in.
pub fn carried<'a>(path: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    if path == CART { of_cart(headers) } else { cookie(headers).or_else(|| header(headers)) }
}

/// The raw value that names the cart of whoever sent a request to `/cart`: the cookie's, else the header's, else the
/// whole `Authorization`. `HashingKey::session` makes of it the name under which the cart is stored.
pub fn of_cart(headers: &HeaderMap) -> Option<&str> {
    cookie(headers).or_else(|| header(headers)).or_else(|| cookie::text(headers.get(header::AUTHORIZATION)?))
}

/// `Set-Cookie` for a session that was minted for the sender of a request.
///
/// # Panics
/// When the session is not plain ASCII; minted ones are.
pub fn set_cookie(session: &str, request: &HeaderMap, origins: &Origins) -> HeaderValue {
    let reach = cookie::reach(request, origins);
    let cookie = format!("{SESSION_COOKIE}={session}; {reach}; Max-Age={COOKIE_SECONDS}");
    HeaderValue::from_str(&cookie).expect("minted sessions are plain ASCII")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie::find(headers, SESSION_COOKIE)
}

fn header(headers: &HeaderMap) -> Option<&str> {
    cookie::text(headers.get(SESSION)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_cookie_comes_before_the_header_and_that_before_the_authorization() {
        let mut headers = request(&[]);
        assert_eq!(of_cart(&headers), None);
        headers.insert(header::AUTHORIZATION, "ghp_token without scheme".parse().unwrap());
        assert_eq!(of_cart(&headers), Some("ghp_token without scheme"));
        headers.insert(SESSION, "from-header".parse().unwrap());
        assert_eq!(of_cart(&headers), Some("from-header"));
        headers.append(header::COOKIE, "other=1; atelier_session=from-cookie".parse().unwrap());
        assert_eq!(of_cart(&headers), Some("from-cookie"));
    }

    #[test]
    fn an_authorization_is_a_session_on_the_cart_alone() {
        let headers = request(&[("authorization", "token")]);
        assert_eq!(carried("/cart", &headers), Some("token"));
        assert_eq!(carried("/reviews", &headers), None);
        let headers = request(&[("authorization", "token"), ("atelier-session", "s")]);
        assert_eq!(carried("/reviews", &headers), Some("s"));
    }

    #[test]
    fn what_is_empty_or_no_text_is_not_carried() {
        let mut headers = request(&[("cookie", "atelier_session="), ("authorization", "")]);
        headers.insert(SESSION, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(of_cart(&headers), None);
    }

    #[test]
    fn the_cookie_reaches_as_far_as_its_page_lies() {
        let origins = Origins::new(&["https://shop.example".into()]);
        let cookie = |headers: &[(&'static str, &str)]| {
            set_cookie("abc", &request(headers), &origins).to_str().unwrap().to_owned()
        };
        assert_eq!(cookie(&[]), "atelier_session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=34560000");
        assert!(cookie(&[("x-forwarded-proto", "https")]).contains("SameSite=Lax; Secure; "));
        assert!(cookie(&[("origin", "https://shop.example")]).contains("SameSite=None; Secure; "));
        assert!(cookie(&[("origin", "https://other.example")]).contains("SameSite=Lax; Max-Age"));
    }
}
