//! Positions that requests demand: the header `Atelier-Min-Position` and the cookie `atelier_position`, which a write
//! sets, so that a browser sees what it wrote whichever reader answers.

use axum::http::{HeaderMap, HeaderValue};
use contract::Token;
use contract::headers::{MIN_POSITION, POSITION_COOKIE};

use crate::cookie;
use crate::cors::Origins;
use crate::problem::Problem;

/// What a read demands: to be answered from data at or past each of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The header's and the cookie's.
    pub tokens: Vec<Token>,
    /// The cookie cannot be read: it is of no use and should go.
    pub cookie_is_unreadable: bool,
}

impl Demand {
    /// What a request demands.
    ///
    /// # Errors
    /// 422 for a header that is no position.
    pub fn of(request: &HeaderMap) -> Result<Demand, Problem> {
        let mut demand = Demand::default();
        for value in request.get_all(MIN_POSITION) {
            let token = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            let must = "must be a position as Atelier-Position says it, <epoch>-<number>";
            demand.tokens.push(token.ok_or_else(|| Problem::header("Atelier-Min-Position", must))?);
        }
        match cookie::find(request, POSITION_COOKIE).map(str::parse) {
            Some(Ok(token)) => demand.tokens.push(token),
            Some(Err(_)) => demand.cookie_is_unreadable = true,
            None => {}
        }
        Ok(demand)
    }
}

/// `Set-Cookie` that takes the cookie of a request away.
pub fn expired_cookie(request: &HeaderMap, origins: &Origins) -> HeaderValue {
    let cookie = format!("{POSITION_COOKIE}=; {}; Max-Age=0", cookie::reach(request, origins));
    HeaderValue::from_str(&cookie).expect("attributes of cookies are plain ASCII")
}

/// The cookie of whoever sends a write.
#[derive(Clone, Debug)]
pub struct Cookie {
    got: Option<Token>,
    /// None for a stranger's page, which is given no cookie.
    reach: Option<&'static str>,
}

impl Cookie {
    /// Of the sender of a request.
    pub fn of(request: &HeaderMap, origins: &Origins) -> Cookie {
        Cookie {
            got: cookie::find(request, POSITION_COOKIE).and_then(|text| text.parse().ok()),
            reach: (!origins.is_stranger(request)).then(|| cookie::reach(request, origins)),
        }
    }

    /// `Set-Cookie` for the answer to a write: the higher of its own position and the one that the request carried. It
    /// lives as long as the browser's session.
    pub fn set(&self, own: &Token) -> Option<HeaderValue> {
        let reach = self.reach?;
        let higher = self.got.as_ref().filter(|got| got.epoch == own.epoch && got.position > own.position);
        let cookie = format!("{POSITION_COOKIE}={}; {reach}", higher.unwrap_or(own));
        Some(HeaderValue::from_str(&cookie).expect("a token is plain ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: &str = "abcdefgh2345-1000000001";
    const HIGH: &str = "abcdefgh2345-1000000002";
    const ELSEWHERE: &str = "bcdefgh23456-1000000009";

    fn request(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn header_and_cookie_are_both_demanded() {
        let cookie = format!("other=1; atelier_position={HIGH}");
        let demand = Demand::of(&request(&[(MIN_POSITION, LOW), ("cookie", &cookie)])).unwrap();
        assert_eq!(demand.tokens, [LOW.parse().unwrap(), HIGH.parse().unwrap()]);
        assert!(!demand.cookie_is_unreadable);
        assert_eq!(Demand::of(&request(&[("cookie", "atelier_position=")])).unwrap(), Demand::default());
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_the_header_and_ignored_in_the_cookie() {
        for junk in
            ["", "x", "1000000001", "abcdefgh2345-", "ABCDEFGH2345-1", "abcdefgh2345-1, abcdefgh2345-2"]
        {
            assert!(Demand::of(&request(&[(MIN_POSITION, junk)])).is_err(), "{junk:?}");
        }
        let demand = Demand::of(&request(&[("cookie", "atelier_position=x")])).unwrap();
        assert_eq!(demand, Demand { tokens: Vec::new(), cookie_is_unreadable: true });
    }

    #[test]
    fn a_write_sets_the_higher_position_of_its_own_epoch() {
        let origins = Origins::default();
        for (got, own, set) in [
            (None, LOW, LOW),
            (Some(LOW), HIGH, HIGH),
            (Some(HIGH), LOW, HIGH),
            (Some(ELSEWHERE), LOW, LOW),
            (Some("x"), LOW, LOW),
        ] {
            let line = got.map(|got| format!("atelier_position={got}"));
            let headers = line.as_ref().map(|line| request(&[("cookie", line)])).unwrap_or_default();
            let cookie = Cookie::of(&headers, &origins).set(&own.parse().unwrap()).unwrap();
            assert_eq!(cookie, format!("atelier_position={set}; Path=/; HttpOnly; SameSite=Lax"), "{got:?}");
        }
    }

    #[test]
    fn the_cookie_reaches_as_far_as_its_page_lies_and_a_stranger_gets_none() {
        let origins = Origins::new(&["https://shop.example".into()]);
        let set = |headers: &[(&'static str, &str)]| {
            let cookie = Cookie::of(&request(headers), &origins).set(&LOW.parse().unwrap())?;
            Some(cookie.to_str().unwrap().to_owned())
        };
        assert!(set(&[("origin", "https://shop.example")]).unwrap().ends_with("SameSite=None; Secure"));
        assert!(set(&[("x-forwarded-proto", "https")]).unwrap().ends_with("SameSite=Lax; Secure"));
        assert_eq!(set(&[("origin", "https://other.example"), ("sec-fetch-site", "cross-site")]), None);
    }
}
