//! How fast a rebuild may go: at most as fast as it was told to, and slower while shoppers feel it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use replica::SCHEMA_LIVE;
use service::config::Replica;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::generation;

/// What a shopper's read is like: some ready objects by their key.
const PROBE: &str = include_str!("probe.sql");
/// Between two probes.
const EVERY: Duration = Duration::from_millis(20);
/// So many of the last probes are judged together.
const WINDOW: usize = 50;
/// How long the replica is probed before the work begins, to know what is normal.
const BEFORE: Duration = Duration::from_secs(1);
/// Reads may take so many times what is normal, or this long, before a rebuild slows down.
const BOUND: f64 = 3.0;
const BOUND_AT_LEAST: Duration = Duration::from_millis(4);
/// Most rest for each part of work, in hundredths.
const MOST_REST: u32 = 400;
/// So many events go at once while reads have to be spared: a read that meets them waits less.
const SPARING: usize = 500;
/// At a highest rate, what goes at once is due within this part of a second.
const PARTS_OF_A_SECOND: f64 = 20.0;
/// What was missed of the highest rate, by sleeping longer than asked for, is made up for within this time only.
const MADE_UP_FOR: Duration = Duration::from_millis(200);
/// Works that are done side by side, when nobody is to be spared.
const SIDE_BY_SIDE: usize = 2;
/// A rest is not longer than this at a time.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// Paces one rebuild.
pub(crate) struct Pace {
    /// Events or rows in a second; none: as many as go.
    max_rate: Option<f64>,
    /// Hundredths of rest for each part of work.
    rest: Arc<AtomicU32>,
    probing: Option<JoinHandle<()>>,
    began: Instant,
    /// By when the work that was done is due at the highest rate.
    due: Instant,
}

impl Pace {
    /// Goes at the rate that an operator named; without one, slower while reads of the serving generation take longer than
    /// before. Where nobody reads it goes flat out.
    pub(crate) async fn new(replica: &Replica, max_rate: Option<u64>, yielding: bool) -> Pace {
        let rest = Arc::new(AtomicU32::new(0));
        let probing = match yielding && max_rate.is_none() {
            true => Probe::begin(replica, Arc::clone(&rest)).await,
            false => None,
        };
        let now = Instant::now();
        Pace { max_rate: max_rate.map(|rate| rate as f64), rest, probing, began: now, due: now }
    }

    /// As fast as it goes.
    pub(crate) fn flat_out() -> Pace {
        let now = Instant::now();
        Pace { max_rate: None, rest: Arc::default(), probing: None, began: now, due: now }
    }

    /// Another one that goes by the same measure, for work that is done beside.
    pub(crate) fn beside(&self, lanes: usize) -> Pace {
        let now = Instant::now();
        let max_rate = self.max_rate.map(|rate| rate / lanes as f64);
        Pace { max_rate, rest: Arc::clone(&self.rest), probing: None, began: now, due: now }
    }

    /// How many events go at once, where at most so many pay.
    pub(crate) fn at_once(&self, most: usize) -> usize {
        let most = if self.rest.load(Ordering::Relaxed) > 0 { most.min(SPARING) } else { most };
        let due = |rate: f64| (rate / PARTS_OF_A_SECOND).max(1.0) as usize;
        self.max_rate.map_or(most, |rate| most.min(due(rate)))
    }

    /// How many long works that cannot be paced are done side by side: one, where reads are to be spared.
    pub(crate) fn side_by_side(&self) -> usize {
        if self.probing.is_some() { 1 } else { SIDE_BY_SIDE }
    }

    /// A part of the work begins.
    pub(crate) fn begin(&mut self) {
        self.began = Instant::now();
        self.due = self.began.checked_sub(MADE_UP_FOR).map_or(self.due, |earliest| self.due.max(earliest));
    }

    /// It ended, and was so many events or rows: rests as long as is due.
    pub(crate) async fn end(&mut self, number: usize) {
        let share = self.rest.load(Ordering::Relaxed);
        let rest = (self.began.elapsed() * share / 100).min(LONGEST_REST);
        let mut until = Instant::now() + rest;
        if let Some(rate) = self.max_rate {
            self.due += Duration::from_secs_f64(number as f64 / rate);
            until = until.max(self.due);
        }
        if until > Instant::now() {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        if let Some(probing) = &self.probing {
            probing.abort();
        }
    }
}

struct Probe {
    connection: PgConnection,
    at: i64,
    took: Vec<Duration>,
}

impl Probe {
    async fn begin(replica: &Replica, rest: Arc<AtomicU32>) -> Option<JoinHandle<()>> {
        let options = generation::applying(replica, SCHEMA_LIVE).ok()?;
        let connection = PgConnection::connect_with(&options).await.ok()?;
        let mut probe = Probe { connection, at: 0, took: Vec::new() };
        let began = Instant::now();
        let mut normal = Duration::ZERO;
        while began.elapsed() < BEFORE {
            normal = probe.next().await.ok()?.unwrap_or(normal);
        }
        let bound = normal.mul_f64(BOUND).max(BOUND_AT_LEAST);
        tracing::debug!(?normal, ?bound, "reads are watched while the rebuild runs");
        Some(tokio::spawn(async move {
            while let Ok(slowest) = probe.next().await {
                let Some(slowest) = slowest else { continue };
                let now = rest.load(Ordering::Relaxed);
                // Quickly out of the way, slowly back.
                let next = if slowest > bound { (now * 2).max(25) } else { now.saturating_sub(1) };
                rest.store(next.min(MOST_REST), Ordering::Relaxed);
                if slowest > bound {
                    probe.took.clear();
                }
            }
        }))
    }

    /// One more probe; answers the slowest but one of the last, once there are enough.
    async fn next(&mut self) -> sqlx::Result<Option<Duration>> {
        tokio::time::sleep(EVERY).await;
        self.at += 7;
        let began = Instant::now();
        let asked = sqlx::query(PROBE).bind(self.at % 997).fetch_all(&mut self.connection);
        let _rows = asked.await?;
        if self.took.len() == WINDOW {
            self.took.remove(0);
        }
        self.took.push(began.elapsed());
        if self.took.len() < WINDOW / 2 {
            return Ok(None);
        }
        let mut sorted = self.took.clone();
        sorted.sort();
        Ok(Some(sorted[sorted.len() - 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_highest_rate_is_kept_exactly_and_less_goes_at_once() {
        let mut pace = Pace::flat_out();
        assert_eq!((pace.at_once(5_000), pace.side_by_side()), (5_000, 2));
        pace.rest.store(25, Ordering::Relaxed);
        assert_eq!(pace.at_once(5_000), SPARING);
        pace.rest.store(0, Ordering::Relaxed);
        pace.max_rate = Some(10_000.0);
        assert_eq!(pace.at_once(5_000), 500);
        let began = Instant::now();
        for _ in 0..6 {
            pace.begin();
            pace.end(500).await;
        }
        let took = began.elapsed().as_secs_f64();
        assert!((0.299..0.4).contains(&took), "3,000 at 10,000 a second in {took} s");
    }
}
