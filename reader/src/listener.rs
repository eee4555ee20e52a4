//! The two listeners. The strict one refuses what it should not answer, so that nginx asks another reader; the lenient
//! one, asked when all strict ones have refused or failed, answers with what there is and says so.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contract::Token;
use contract::headers::{STALE, STALENESS};
use service::Problem;
use service::cors::Origins;
use service::metrics::{READS_REFUSED, READS_STALE};
use service::position::{self, Demand};
use service::problem::pages;

use crate::freshness::{Freshness, Known, Refused};

/// What a listener does with a read that it cannot answer as demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Refuses it.
    Strict,
    /// Answers it with less.
    Lenient,
}

/// One of a reader's listeners.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) kind: Kind,
    pub(crate) freshness: Freshness,
    /// Whose pages may send cookies.
    pub(crate) origins: Origins,
}

/// How an answer's data compares with what was demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// All of it is there.
    Met,
    /// A demand is of another epoch: no replica of this one ever meets it.
    Ignored,
    /// It is older.
    Short,
}

/// What every read of data passes before and after its handler.
pub(crate) async fn around(State(listener): State<Listener>, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let demand = match Demand::of(request.headers()) {
        Ok(demand) => demand,
        Err(problem) => return problem.into_response(),
    };
    let expired =
        demand.cookie_is_unreadable.then(|| position::expired_cookie(request.headers(), &listener.origins));
    let mut response = listener.answer(&demand, request, next).await.unwrap_or_else(refuse);
    if let Some(expired) = expired {
        response.headers_mut().append(header::SET_COOKIE, expired);
    }
    response
}

impl Listener {
    async fn answer(&self, demand: &Demand, request: Request, next: Next) -> Result<Response, Refused> {
        let known = match self.kind {
            Kind::Strict => self.freshness.admit(&demand.tokens).await?,
            Kind::Lenient => self.freshness.known(),
        };
        let mut response = next.run(request).await;
        // A refusal and a wrong parameter show no data.
        if let Some(shown) = response.extensions().get::<Token>().cloned() {
            self.judge(demand, &known, &shown, response.headers_mut())?;
        }
        Ok(response)
    }

    /// Judges an answer by the snapshot that it was read in.
    fn judge(
        &self,
        demand: &Demand,
        known: &Known,
        shown: &Token,
        headers: &mut HeaderMap,
    ) -> Result<(), Refused> {
        let age = self.freshness.see(shown);
        let verdict = demand.tokens.iter().map(|token| compare(token, shown)).max().unwrap_or(Verdict::Met);
        let went_back = known.floor.as_ref().is_some_and(|floor| compare(floor, shown) == Verdict::Short);
        let must_not = verdict == Verdict::Short || (went_back && known.hears);
        if must_not && self.kind == Kind::Strict {
            return Err(Refused::Behind);
        }
        headers.insert(HeaderName::from_static(STALENESS), HeaderValue::from(whole_milliseconds(age)));
        if verdict != Verdict::Met || went_back {
            metrics::counter!(READS_STALE).increment(1);
            headers.insert(HeaderName::from_static(STALE), HeaderValue::from_static("true"));
        }
        Ok(())
    }
}

fn compare(demanded: &Token, shown: &Token) -> Verdict {
    if demanded.epoch != shown.epoch {
        Verdict::Ignored
    } else if shown.position < demanded.position {
        Verdict::Short
    } else {
        Verdict::Met
    }
}

fn whole_milliseconds(age: std::time::Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

/// What is told to whoever asks a reader without nginx.
fn refuse(refused: Refused) -> Response {
    let (reason, page, detail) = match refused {
        Refused::SteppedOut(fault) => (
            "stepped_out",
            pages::REPLICA_BEHIND,
            format!("another replica should answer instead of this one: {fault}; try again"),
        ),
        Refused::Behind => (
            "behind",
            pages::REPLICA_BEHIND,
            "this reader's replica has not reached the position that is demanded; try again".to_owned(),
        ),
        Refused::Crowded => {
            ("crowded", pages::OVERLOADED, "as many reads wait for a position as may; try again".to_owned())
        }
    };
    metrics::counter!(READS_REFUSED, "reason" => reason).increment(1);
    Problem::unavailable(page, detail).into_response()
}

#[cfg(test)]
mod tests {
    use service::config::Reader;

    use super::*;

    fn token(position: u64) -> Token {
        Token { epoch: "abcdefgh2345".parse().unwrap(), position: contract::Position(position) }
    }

    /// What a listener says of data at position 10.
    fn judged(
        kind: Kind,
        demanded: &[Token],
        floor: Option<Token>,
        hears: bool,
    ) -> Result<HeaderMap, Refused> {
        let freshness = Freshness::unknown("a", &Reader::default());
        let listener = Listener { kind, freshness, origins: Origins::default() };
        let demand = Demand { tokens: demanded.to_vec(), cookie_is_unreadable: false };
        let mut headers = HeaderMap::new();
        listener.judge(&demand, &Known { floor, hears }, &token(10), &mut headers).map(|()| headers)
    }

    #[test]
    fn what_is_met_is_answered_by_both_without_a_mark() {
        for kind in [Kind::Strict, Kind::Lenient] {
            for demanded in [&[][..], &[token(10)], &[token(9), token(3)]] {
                let headers = judged(kind, demanded, Some(token(10)), true).unwrap();
                assert!(headers.contains_key(STALENESS) && !headers.contains_key(STALE), "{headers:?}");
            }
        }
    }

    #[test]
    fn what_is_not_is_refused_by_the_strict_one_and_marked_by_the_lenient_one() {
        for demanded in [&[token(11)][..], &[token(9), token(11)], &[token(11), token(9)]] {
            assert!(judged(Kind::Strict, demanded, None, true).is_err());
            assert_eq!(judged(Kind::Lenient, demanded, None, true).unwrap()[STALE], "true");
        }
    }

    #[test]
    fn a_demand_of_another_epoch_is_ignored_and_the_answer_marked() {
        let elsewhere = Token { epoch: "bcdefgh23456".parse().unwrap(), ..token(99) };
        for kind in [Kind::Strict, Kind::Lenient] {
            let demanded = [elsewhere.clone(), token(9)];
            assert_eq!(judged(kind, &demanded, Some(token(10)), true).unwrap()[STALE], "true");
        }
        assert!(judged(Kind::Strict, &[elsewhere.clone(), token(11)], None, true).is_err());
        // Its floor is of another life too.
        let headers = judged(Kind::Strict, &[], Some(elsewhere), true).unwrap();
        assert!(!headers.contains_key(STALE));
    }

    #[test]
    fn a_replica_that_a_crash_took_back_is_shown_by_the_lenient_one_alone_until_nobody_is_heard() {
        let back = Some(token(11));
        assert!(judged(Kind::Strict, &[], back.clone(), true).is_err());
        assert_eq!(judged(Kind::Lenient, &[], back.clone(), true).unwrap()[STALE], "true");
        assert_eq!(judged(Kind::Strict, &[], back, false).unwrap()[STALE], "true");
    }
}
