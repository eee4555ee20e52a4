//! The requests of the load, made once: pages of reviews, styles, and new reviews that wait for the replicas.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use load::Answer;

use super::tally::Tally;
use crate::error::Error;
use crate::private::Private;
use crate::rows::writes::reviews;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

impl Kind {
    pub(super) const ALL: [Kind; 2] = [Kind::Read, Kind::Write];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Read => "reads",
            Kind::Write => "writes",
        }
    }

    /// The status of one that was done.
    pub(super) const fn done(self) -> u16 {
        match self {
            Kind::Read => 200,
            Kind::Write => 201,
        }
    }
}

/// One of so many requests is a write.
const WRITE_OF: usize = 10;

/// All of them, in the order in which they are sent, again and again.
pub(super) struct Requests(Vec<(Kind, Vec<u8>)>);

/// Requests, and what came back in one phase.
pub(super) struct Phase {
    requests: Arc<Requests>,
    tally: Mutex<Tally>,
}

impl load::Requests for Phase {
    fn bytes(&self, number: usize) -> Cow<'_, [u8]> {
        let all = &self.requests.0;
        Cow::Borrowed(&all[number % all.len()].1)
    }

    fn answered(&self, number: usize, due: Instant, answer: std::io::Result<Answer>) {
        let all = &self.requests.0;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(all[number % all.len()].0, due, answer);
    }
}

impl Requests {
    pub(super) async fn prepare(private: &Private) -> Result<Requests, Error> {
        let mut all = Vec::new();
        let reviews = reviews(private).await?;
        for (number, review) in reviews.iter().enumerate() {
            let product = &review["product_id"];
            for turn in 0..20 {
                // A step that is coprime to most counts of products spreads the reads over all of them.
                let other = &reviews[(number + turn * 37) % reviews.len()]["product_id"];
                all.push(match turn % WRITE_OF {
                    0 => (Kind::Write, post("/reviews", &review.to_string())),
                    _ if turn % 3 == 0 => (Kind::Read, get(&format!("/products/{product}/styles"))),
                    _ => (Kind::Read, get(&format!("/reviews?product_id={other}"))),
                });
            }
        }
        Ok(Requests(all))
    }

    /// So many at a time, one after another, for so long.
    pub(super) async fn closed(self: &Arc<Self>, address: &str, clients: usize, duration: Duration) -> Tally {
        let phase = self.phase();
        let _next = load::closed(address, &phase, 0, clients, duration).await;
        phase.ended()
    }

    /// So many a second for so long.
    pub(super) async fn open(self: &Arc<Self>, address: &str, rate: f64, duration: Duration) -> Tally {
        let phase = self.phase();
        let sent = load::open(address, &phase, 0, rate, duration).await;
        let mut tally = phase.ended();
        tally.unsent = sent.unsent;
        tally
    }

    fn phase(self: &Arc<Self>) -> Arc<Phase> {
        Arc::new(Phase { requests: self.clone(), tally: Mutex::new(Tally::new(Instant::now())) })
    }
}

impl Phase {
    fn ended(self: Arc<Self>) -> Tally {
        let phase = Arc::into_inner(self).expect("all tasks of a load have ended");
        phase.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes()
}

fn post(target: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
