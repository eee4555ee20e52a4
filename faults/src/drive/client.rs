//! One shopper.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::Token;
use contract::headers::{ATTEMPT, IDEMPOTENCY_KEY, MIN_POSITION, POSITION, SESSION, STALE};
use reqwest::{Method, RequestBuilder};
use tests::catalogue::Spare;
use tests::{Random, Shopper};

use super::Shared;
use crate::history::{Operation, Outcome, Read, Record};

/// Between two tries of a shopper who was told that it does not work just now.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// How long a write is repeated under its key.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who writes or reads until told to stop.
pub(crate) struct Client {
    pub(crate) shopper: Shopper,
    pub(crate) history: Shared,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) product: Spare,
    pub(crate) name: String,
    pub(crate) random: Random,
    /// The highest position seen.
    pub(crate) seen: Option<Token>,
}

impl Client {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Writes of every kind, one after another.
    pub(crate) async fn write(mut self, keyed: bool) {
        let mut number = 0;
        while self.goes_on() {
            number += 1;
            let mark = format!("{}-{number}", self.name);
            let first = match self.random.below(5) {
                0 | 1 => Operation::Review {
                    product: self.product.id,
                    characteristic: self.product.fit,
                    rating: self.random.below(5) as i64 + 1,
                    mark,
                },
                2 => Operation::Question { product: self.product.id, mark },
                3 => Operation::Cart { session: mark },
                _ => Operation::Interaction { mark },
            };
            let Some(id) = self.submit(first.clone(), keyed).await else {
                continue;
            };
            match first {
                Operation::Review { .. } => {
                    self.submit(Operation::ReviewVote { review: id }, keyed).await;
                    if self.random.below(4) == 0 {
                        self.submit(Operation::ReviewReport { review: id }, keyed).await;
                    }
                }
                Operation::Question { .. } => {
                    let mark = format!("{}-{number}-answer", self.name);
                    let answer = self.submit(Operation::Answer { question: id, mark }, keyed).await;
                    if let Some(answer) = answer {
                        self.submit(Operation::AnswerVote { answer }, keyed).await;
                    }
                    self.submit(Operation::QuestionVote { question: id }, keyed).await;
                }
                _ => {}
            }
        }
    }

    /// Reads a product's reviews again and again, naming the highest position seen in writes and reads.
    pub(crate) async fn read(mut self) {
        while self.goes_on() {
            // What anybody was told may be demanded by anybody.
            let told = self.history.lock().writes.iter().rev().take(20).find_map(|record| {
                if let Outcome::Stored { token, .. } = &record.outcome { Some(token.clone()) } else { None }
            });
            self.saw(told);
            let read = read(&self.shopper, self.product.id, self.seen.clone()).await;
            let failed = read.status != 200;
            self.saw(read.served.clone());
            self.history.lock().reads.push(read);
            if failed {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
        }
    }

    fn saw(&mut self, token: Option<Token>) {
        let higher = |token: &Token| {
            self.seen.as_ref().is_none_or(|seen| token.epoch != seen.epoch || token.position > seen.position)
        };
        if let Some(token) = token.filter(higher) {
            self.seen = Some(token);
        }
    }

    /// Does it, writes it down, and answers the id that it made.
    async fn submit(&mut self, operation: Operation, keyed: bool) -> Option<i64> {
        let key = keyed.then(|| format!("{}-{}", self.name, self.random.below(usize::MAX)));
        let shopper = self.shopper.clone();
        let record = write(&shopper, operation, key, PATIENCE, || self.goes_on()).await;
        let id = match &record.outcome {
            Outcome::Stored { id, .. } => *id,
            _ => None,
        };
        let refused = !matches!(record.outcome, Outcome::Stored { .. });
        self.history.write(record);
        if refused {
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        id
    }
}

/// Sends a write; one with a key again and again until its fate is known, `patience` is over, or it failed and
/// `goes_on` says no.
pub(crate) async fn write(
    shopper: &Shopper,
    operation: Operation,
    key: Option<String>,
    patience: Duration,
    goes_on: impl Fn() -> bool,
) -> Record {
    let started = Instant::now();
    let (mut tries, mut slowest, mut doubt) = (0, Duration::ZERO, None);
    loop {
        let last_try = Instant::now();
        let outcome = attempt(shopper, &operation, key.as_deref(), None).await;
        tries += 1;
        slowest = slowest.max(last_try.elapsed());
        let settled = matches!(outcome, Outcome::Stored { .. } | Outcome::Rejected(_));
        // Who was once told that it may land is in doubt until a try settles it.
        let outcome = match (outcome, &doubt) {
            (Outcome::Unknown(why), _) => {
                doubt = Some(why.clone());
                Outcome::Unknown(why)
            }
            (Outcome::Failed(why), Some(before)) => Outcome::Unknown(format!("{before}; then: {why}")),
            (other, _) => other,
        };
        let give_up = key.is_none() || started.elapsed() > patience || !goes_on();
        if settled || give_up {
            let ended = Instant::now();
            return Record { operation, key, started, last_try, ended, tries, slowest, outcome };
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// One try.
pub(crate) async fn attempt(
    shopper: &Shopper,
    operation: &Operation,
    key: Option<&str>,
    attempt: Option<&str>,
) -> Outcome {
    let request = with(shopper.request(operation.method(), &operation.path()), operation, key, attempt);
    match shopper.try_send(request).await {
        Ok(answer) => told(operation, answer.status, answer.header(POSITION), &answer.body),
        Err(error) => Outcome::Unknown(format!("no answer: {error}")),
    }
}

fn with(
    mut request: RequestBuilder,
    operation: &Operation,
    key: Option<&str>,
    attempt: Option<&str>,
) -> RequestBuilder {
    if let Some(body) = operation.body() {
        request = request.json(&body);
    }
    for (name, value) in [(IDEMPOTENCY_KEY, key), (SESSION, operation.session()), (ATTEMPT, attempt)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request
}

/// What an answer tells about the write: its status, its `Atelier-Position`, its body.
pub(crate) fn told(operation: &Operation, status: u16, position: Option<&str>, body: &str) -> Outcome {
    let said = format!("{status} {}", body.trim());
    match status {
        201 | 204 => match position.and_then(|token| token.parse().ok()) {
            Some(token) => {
                let body = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
                let id = operation.made().and_then(|name| body[name].as_i64());
                Outcome::Stored { token, id }
            }
            None => Outcome::Unknown(format!("acknowledged without a position: {said}")),
        },
        409 => Outcome::Rejected(said),
        400..=499 => Outcome::Failed(said),
        503 if said.contains("nothing was stored") => Outcome::Failed(said),
        _ => Outcome::Unknown(said),
    }
}

/// One read of a product's reviews that may demand a position.
pub(crate) async fn read(shopper: &Shopper, product: i64, demanded: Option<Token>) -> Read {
    let mut request =
        shopper.request(Method::GET, &format!("/reviews?product_id={product}&sort=newest&count=5"));
    if let Some(token) = &demanded {
        request = request.header(MIN_POSITION, token.to_string());
    }
    let started = Instant::now();
    let answer = shopper.try_send(request).await;
    let took = started.elapsed();
    let (status, served, stale) = match &answer {
        Ok(answer) => (
            answer.status,
            answer.header(POSITION).and_then(|token| token.parse().ok()),
            answer.header(STALE) == Some("true"),
        ),
        Err(_) => (0, None, false),
    };
    Read { started, took, status, demanded, served, stale }
}
