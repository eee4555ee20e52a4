//! CORS: any origin may read and write, without credentials; the origins that the configuration lists also with them.
//!
//! A cookie serves pages of its own origin and of listed ones alone: on a request from any other it is left out, so
//! that a stranger's page cannot write into the cart of whoever looks at it.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use contract::headers::EXPOSED;

/// How long a browser may remember a preflight's answer, in seconds; browsers cap it at two hours or less.
const PREFLIGHT_SECONDS: &str = "7200";
/// What a browser says of where a page lies that sends a request.
const FETCH_SITE: &str = "sec-fetch-site";

/// The origins whose pages may send cookies from elsewhere. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// Those of the configuration.
    pub fn new(listed: &[String]) -> Origins {
        Origins(listed.into())
    }

    /// The request's `Origin`, when it is a listed one.
    pub fn listed<'a>(&self, request: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = request.get(header::ORIGIN)?;
        self.0.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// Whether a request comes from a page that lies elsewhere and is no listed one. Where a browser says how the page
    /// lies to us, that decides; to hosts without https it does not say so, and there the page's origin is compared with
    /// the host that was asked. Whoever says neither is no browser and needs no protection.
    pub fn is_stranger(&self, request: &HeaderMap) -> bool {
        if self.listed(request).is_some() {
            return false;
        }
        match (request.get(FETCH_SITE), request.get(header::ORIGIN)) {
            (Some(site), _) => site == "cross-site" || site == "same-site",
            (None, Some(origin)) => !lies_at(origin, request.get(header::HOST)),
            (None, None) => false,
        }
    }

    /// Takes the cookies away from a request of a stranger's page.
    pub fn before(&self, request: &mut HeaderMap) {
        if self.is_stranger(request) {
            request.remove(header::COOKIE);
        }
    }

    /// The headers of every answer to a request.
    pub fn answer(&self, request: &HeaderMap) -> HeaderMap {
        let mut answer = HeaderMap::new();
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if self.0.is_empty() {
            return answer;
        }
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.listed(request) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        answer
    }
}

/// Whether an origin is of this host. Browsers leave a scheme's own port out of both.
fn lies_at(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
    match (authority, host.and_then(|host| host.to_str().ok())) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
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
    answer.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect::<HeaderMap>()
    }

    fn origins() -> Origins {
        Origins::new(&["https://shop.example".into(), "http://localhost:3000".into()])
    }

    #[test]
    fn a_listed_origin_is_echoed_with_credentials_and_any_other_gets_a_star() {
        let answer = origins().answer(&request(&[("origin", "http://localhost:3000")]));
        assert_eq!(answer["access-control-allow-origin"], "http://localhost:3000");
        assert_eq!(answer["access-control-allow-credentials"], "true");
        assert_eq!(answer["vary"], "Origin");
        for other in [&[("origin", "https://shop.example.evil")][..], &[("origin", "null")], &[]] {
            let answer = origins().answer(&request(other));
            assert_eq!(answer["access-control-allow-origin"], "*", "{other:?}");
            assert!(!answer.contains_key("access-control-allow-credentials"), "{other:?}");
            assert_eq!(
                answer["vary"], "Origin",
                "a cache must not give one origin's answer to another: {other:?}"
            );
        }
    }

    #[test]
    fn without_listed_origins_no_answer_depends_on_the_origin() {
        let answer = Origins::default().answer(&request(&[("origin", "https://shop.example")]));
        assert_eq!(answer["access-control-allow-origin"], "*");
        assert!(!answer.contains_key("vary"));
    }

    #[test]
    fn a_strangers_page_sends_no_cookie() {
        const OWN: &str = "shop.example:8080";
        for (origins, origin, site, kept) in [
            (origins(), Some("https://shop.example"), Some("cross-site"), true),
            (origins(), Some("https://stranger.example"), Some("cross-site"), false),
            (origins(), Some("https://stranger.example"), Some("same-site"), false),
            (origins(), None, Some("cross-site"), false),
            (origins(), None, Some("none"), true),
            // A development server's proxy asks under another host than its page's; the browser knows better.
            (origins(), Some("https://own.example"), Some("same-origin"), true),
            (Origins::default(), Some("https://own.example"), Some("same-origin"), true),
            (Origins::default(), Some("https://stranger.example"), Some("cross-site"), false),
            // A browser that asks a host without https says nothing of sites.
            (Origins::default(), Some("http://shop.example:8080"), None, true),
            (Origins::default(), Some("http://shop.example"), None, false),
            (Origins::default(), Some("http://shop.example:80800"), None, false),
            (Origins::default(), Some("http://stranger.example"), None, false),
            (Origins::default(), Some("null"), None, false),
            (Origins::default(), Some(""), None, false),
            (origins(), Some("http://localhost:3000"), None, true),
            (origins(), Some("http://localhost:3001"), None, false),
        ] {
            let mut headers = request(&[("host", OWN), ("cookie", "a=b")]);
            let said = [("origin", origin), (FETCH_SITE, site)];
            headers.extend(request(
                &said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>(),
            ));
            assert_eq!(origins.is_stranger(&headers), !kept, "{origin:?} {site:?}");
            origins.before(&mut headers);
            assert_eq!(headers.contains_key("cookie"), kept, "{origin:?} {site:?}");
        }
        let mut without_host = request(&[("origin", "http://stranger.example"), ("cookie", "a=b")]);
        origins().before(&mut without_host);
        assert!(!without_host.contains_key("cookie"));
        let mut plain = request(&[("cookie", "a=b")]);
        origins().before(&mut plain);
        assert!(plain.contains_key("cookie"), "curl says nothing of sites");
    }

    #[test]
    fn a_preflight_allows_what_it_asks_for() {
        let mut answer = origins().answer(&HeaderMap::new());
        on_preflight(&request(&[("access-control-request-headers", "x-anything, prefer")]), &mut answer);
        assert_eq!(answer["access-control-allow-headers"], "x-anything, prefer");
        let vary: Vec<_> = answer.get_all("vary").iter().collect();
        assert_eq!(vary, ["Origin", "Access-Control-Request-Headers"]);
    }
}
