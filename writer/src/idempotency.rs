//! Once: what makes a write's repeats duplicates.

use axum::http::{HeaderMap, Method};
use contract::Idempotency;
use contract::headers::{ATTEMPT, IDEMPOTENCY_KEY, is_idempotency_key};
use contract::keyed_hash::HashingKey;
use service::problem::Problem;
use service::session;

/// Longest id of nginx's that is taken; its `$request_id` has 32 characters.
const ATTEMPT_LIMIT: usize = 64;

/// A write's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The event's message id.
    pub(crate) message_id: String,
    /// Present when the client named the write by an `Idempotency-Key`.
    pub(crate) idempotency: Option<Idempotency>,
}

/// The identity of a request.
///
/// A client's key counts within its method, its full path and the session that the request carried; without a key,
/// nginx's id for the request, equal on all its tries; else a new id.
///
/// # Errors
/// 422 when the `Idempotency-Key` is malformed.
pub(crate) fn identify(
    hashing: &HashingKey,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Identity, Problem> {
    let method = method.as_str().as_bytes();
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    if let Some(key) = keys.next() {
        if keys.next().is_some() || !is_idempotency_key(key.as_bytes()) {
            return Err(Problem::header(
                "Idempotency-Key",
                "must stand once and have 1 to 255 visible ASCII characters",
            ));
        }
        let session = session::carried(path, headers).unwrap_or_default().as_bytes();
        let key = hashing.hash("idempotency key", &[method, path.as_bytes(), session, key.as_bytes()]);
        let body = hashing.hash("body", &[path.as_bytes(), body]);
        return Ok(Identity { message_id: key.clone(), idempotency: Some(Idempotency { key, body }) });
    }
    let message_id = match attempt(headers) {
        Some(attempt) => hashing.hash("attempt", &[method, path.as_bytes(), attempt]),
        None => uuid::Uuid::now_v7().simple().to_string(),
    };
    Ok(Identity { message_id, idempotency: None })
}

/// A session for a request that carries none: the same on all tries of nginx, and nobody can guess it.
pub(crate) fn mint_session(hashing: &HashingKey, headers: &HeaderMap) -> String {
    match attempt(headers) {
        Some(attempt) => hashing.hash("minted session", &[attempt]),
        None => hashing.hash("minted session at random", &[uuid::Uuid::now_v7().as_bytes()]),
    }
}

fn attempt(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(ATTEMPT).map(|value| value.as_bytes()).filter(|id| (1..=ATTEMPT_LIMIT).contains(&id.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(headers: &[(&'static str, &str)], path: &str, body: &[u8]) -> Option<Identity> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        identify(&HashingKey::new([1; 32]), &Method::PUT, path, &map, body).ok()
    }

    #[test]
    fn a_key_counts_within_its_path_and_session() {
        let keyed = |path, session: &str| {
            identity(&[("idempotency-key", "k"), ("atelier-session", session)], path, b"x").unwrap()
        };
        let one = keyed("/reviews/1/helpful", "s");
        assert_eq!(one, keyed("/reviews/1/helpful", "s"));
        assert_ne!(one.message_id, keyed("/reviews/2/helpful", "s").message_id);
        assert_ne!(one.message_id, keyed("/reviews/1/helpful", "t").message_id);
        let other_body =
            identity(&[("idempotency-key", "k"), ("atelier-session", "s")], "/reviews/1/helpful", b"y")
                .unwrap();
        assert_eq!(one.message_id, other_body.message_id);
        assert_ne!(one.idempotency.unwrap().body, other_body.idempotency.unwrap().body);
    }

    #[test]
    fn all_tries_of_nginx_are_one_write_and_requests_without_any_id_are_many() {
        let attempt = || identity(&[("atelier-attempt", "abc")], "/p", b"").unwrap();
        assert_eq!(attempt(), attempt());
        assert_ne!(identity(&[], "/p", b"").unwrap(), identity(&[], "/p", b"").unwrap());
    }

    #[test]
    fn on_the_cart_alone_a_key_counts_within_an_authorization() {
        let keyed = |path, token: &str| {
            identity(&[("idempotency-key", "k"), ("authorization", token)], path, b"x").unwrap().message_id
        };
        assert_ne!(keyed("/cart", "one"), keyed("/cart", "two"));
        assert_eq!(keyed("/reviews", "one"), keyed("/reviews", "two"));
    }

    #[test]
    fn all_tries_of_nginx_mint_one_session_and_others_many() {
        let key = HashingKey::new([1; 32]);
        let attempt = |id: &str| HeaderMap::from_iter([(ATTEMPT.parse().unwrap(), id.parse().unwrap())]);
        let minted = mint_session(&key, &attempt("abc"));
        assert_eq!(minted, mint_session(&key, &attempt("abc")));
        assert_ne!(minted, mint_session(&key, &attempt("abd")));
        assert_ne!(minted, mint_session(&HashingKey::new([2; 32]), &attempt("abc")));
        assert_ne!(mint_session(&key, &HeaderMap::new()), mint_session(&key, &HeaderMap::new()));
        assert_ne!(minted, key.session(&minted), "what is stored does not open the cart");
    }

    #[test]
    fn malformed_keys_are_refused() {
        let long = "k".repeat(256);
        for key in ["", "a b", "ü", long.as_str()] {
            assert!(identity(&[("idempotency-key", key)], "/p", b"").is_none(), "{key}");
        }
        assert!(identity(&[("idempotency-key", "a"), ("idempotency-key", "b")], "/p", b"").is_none());
    }
}
