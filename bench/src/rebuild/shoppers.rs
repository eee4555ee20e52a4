//! Shoppers who read and write at a steady rate through nginx while a replica is rebuilt, and what they were told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::asked::{Asked, Request};
use crate::error::Error;
use crate::private::Private;
use load::{Answer, Connection};

/// Reads and writes in a second, each.
pub(super) const READS: u64 = 500;
pub(super) const WRITES: u64 = 200;
/// Of so many writes that made a review, one is read back at once, with its token.
const READ_BACK: u64 = 2;
/// An answer that takes so long is a failure.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections are kept for less than nginx keeps them.
const KEPT: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(1);
/// Faults that are told in words.
const TOLD: usize = 10;

/// One request, done.
#[derive(Clone, Copy)]
struct Done {
    due: Instant,
    took: Duration,
    read: bool,
    /// Failed, or a wrong answer.
    fault: bool,
}

#[derive(Default)]
struct Tally {
    done: Vec<Done>,
    told: Vec<String>,
    /// Reviews that were acknowledged.
    reviews: Vec<i64>,
}

struct Shared {
    address: String,
    asked: Asked,
    /// With when each was used last.
    idle: Mutex<Vec<(Instant, Connection)>>,
    tally: Mutex<Tally>,
    /// The answers that must never change, by what was asked.
    expected: Mutex<HashMap<usize, Vec<u8>>>,
    over: AtomicBool,
}

/// Shoppers at work.
pub(super) struct Shoppers {
    shared: Arc<Shared>,
    sending: JoinHandle<()>,
}

/// What they were told from one moment to another.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Felt {
    pub(super) reads: usize,
    pub(super) writes: usize,
    pub(super) read_faults: usize,
    pub(super) write_faults: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) most_ms: f64,
}

impl Shoppers {
    pub(super) async fn start(private: &Private) -> Result<Self, Error> {
        let address = private.system.url().trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared {
            address,
            asked: Asked::prepare(private).await?,
            idle: Mutex::default(),
            tally: Mutex::default(),
            expected: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let sending = tokio::spawn(send(shared.clone()));
        Ok(Self { shared, sending })
    }

    /// Ends; every acknowledged review must be in every replica then. Answers faults in words.
    pub(super) async fn stop(self, private: &Private) -> Result<Vec<String>, Error> {
        self.shared.over.store(true, Ordering::Relaxed);
        self.sending.await.map_err(|error| Error::said(error.to_string()))?;
        private.until_applied().await?;
        let (mut told, reviews) = {
            let tally = lock(&self.shared.tally);
            (tally.told.clone(), tally.reviews.clone())
        };
        for (name, database) in private.system.replicas().iter().zip(&private.databases) {
            let there: i64 = sqlx::query_scalar("select count(*) from live.reviews where id = any($1)")
                .bind(&reviews)
                .fetch_one(database)
                .await?;
            if there.unsigned_abs() != reviews.len() as u64 {
                told.push(format!("{} reviews were acknowledged, replica {name} has {there}", reviews.len()));
            }
        }
        Ok(told)
    }

    /// What was felt by whoever asked between two moments.
    pub(super) fn felt(&self, from: Instant, to: Instant) -> Felt {
        let tally = lock(&self.shared.tally);
        let between: Vec<Done> =
            tally.done.iter().filter(|done| done.due >= from && done.due < to).copied().collect();
        let mut reads: Vec<f64> =
            between.iter().filter(|done| done.read).map(|done| done.took.as_secs_f64() * 1000.0).collect();
        let faults = |read| between.iter().filter(|done| done.read == read && done.fault).count();
        Felt {
            reads: reads.len(),
            writes: between.len() - reads.len(),
            read_faults: faults(true),
            write_faults: faults(false),
            p50_ms: crate::figures::percentile(&mut reads, 0.5),
            p99_ms: crate::figures::percentile(&mut reads, 0.99),
            most_ms: crate::figures::percentile(&mut reads, 1.0),
        }
    }
}

/// Sends whatever is due, whatever comes back.
async fn send(shared: Arc<Shared>) {
    let began = Instant::now();
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut number, mut tasks) = (0_u64, JoinSet::new());
    while !shared.over.load(Ordering::Relaxed) {
        clock.tick().await;
        loop {
            let due = began + Duration::from_secs_f64(number as f64 / (READS + WRITES) as f64);
            if due > Instant::now() {
                break;
            }
            // As evenly mixed as the rates are.
            let write = (number + 1) * WRITES / (READS + WRITES) > number * WRITES / (READS + WRITES);
            let request = if write { shared.asked.write(number) } else { shared.asked.read(number) };
            tasks.spawn(one(shared.clone(), due, request, number));
            number += 1;
        }
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

async fn one(shared: Arc<Shared>, due: Instant, request: Request, number: u64) {
    let answered = shared.ask(&request.bytes).await;
    let took = due.elapsed();
    let mut token = None;
    let fault = match answered {
        Err(error) => Some(format!("{}: {error}", request.what)),
        Ok((answer, _)) if answer.status != request.status => {
            Some(format!("{}: {} {}", request.what, answer.status, String::from_utf8_lossy(&answer.body)))
        }
        Ok((answer, body)) => match request.same {
            Some(place) => {
                shared.differs(place, body).then(|| format!("{}: another answer than before", request.what))
            }
            None => {
                token = answer.position;
                None
            }
        },
    };
    shared.tell(due, took, request.same.is_some(), fault);
    let (Some(product), Some(token)) = (request.review_of, token) else { return };
    let id = token.rsplit_once('-').and_then(|(_, position)| position.parse().ok()).unwrap_or_default();
    lock(&shared.tally).reviews.push(id);
    if number.is_multiple_of(READ_BACK) {
        shared.read_back(product, id, &token).await;
    }
}

impl Shared {
    async fn ask(&self, bytes: &[u8]) -> std::io::Result<(Answer, Vec<u8>)> {
        let asked = async {
            let kept = {
                let mut idle = lock(&self.idle);
                idle.retain(|(used, _)| used.elapsed() < KEPT);
                idle.pop()
            };
            let mut connection = match kept {
                Some((_, connection)) => connection,
                None => Connection::open(&self.address).await?,
            };
            let answer = connection.ask(bytes).await?;
            let body = connection.body_of_last().to_vec();
            if !answer.closes {
                lock(&self.idle).push((Instant::now(), connection));
            }
            Ok((answer, body))
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// A review is shown to whoever demands its position, by whichever replica answers; an answer that says that it is
    /// stale may lack it.
    async fn read_back(&self, product: i64, id: i64, token: &str) {
        let (due, what) = (Instant::now(), format!("GET /reviews?product_id={product}, demanding {token}"));
        let request = format!(
            "GET /reviews?product_id={product}&sort=newest&count=20 HTTP/1.1\r\nHost: shop.example\r\n\
             Atelier-Min-Position: {token}\r\n\r\n"
        );
        let fault = match self.ask(request.as_bytes()).await {
            Err(error) => Some(format!("{what}: {error}")),
            Ok((answer, _)) if answer.status != 200 => Some(format!("{what}: {}", answer.status)),
            Ok((answer, body)) => {
                let page: Value = serde_json::from_slice(&body).unwrap_or_default();
                let shown = page["results"].as_array().is_some_and(|reviews| {
                    reviews.iter().any(|review| review["review_id"].as_i64() == Some(id))
                });
                (!shown && !answer.stale).then(|| format!("{what}: review {id} is not shown"))
            }
        };
        self.tell(due, due.elapsed(), true, fault);
    }

    fn differs(&self, place: usize, body: Vec<u8>) -> bool {
        let mut expected = lock(&self.expected);
        *expected.entry(place).or_insert_with(|| body.clone()) != body
    }

    fn tell(&self, due: Instant, took: Duration, read: bool, fault: Option<String>) {
        let mut tally = lock(&self.tally);
        tally.done.push(Done { due, took, read, fault: fault.is_some() });
        if let Some(fault) = fault.filter(|_| tally.told.len() < TOLD) {
            tally.told.push(fault);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
