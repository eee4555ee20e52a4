//! Shoppers who write and read all the time while a fault is injected, every word recorded.

pub(crate) mod client;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tests::catalogue::Spare;
use tests::{Random, Shopper, eventually};
use tokio::task::JoinSet;

use crate::history::{History, Outcome, Record};
use client::Client;

/// How many of each kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Give each write an `Idempotency-Key`, and repeat it until they know what became of it.
    pub(crate) keyed: usize,
    /// Try each write once, without a key.
    pub(crate) plain: usize,
    /// Read, naming the highest position that they have seen.
    pub(crate) readers: usize,
}

impl Plan {
    /// A few of each.
    pub(crate) const USUAL: Plan = Plan { keyed: 6, plain: 4, readers: 3 };
}

/// What is done and told, shared by all who do it.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<History>>);

impl Shared {
    /// For a short look, or a line more.
    pub(crate) fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more write.
    pub(crate) fn write(&self, record: Record) {
        self.lock().writes.push(record);
    }
}

/// Shoppers at work.
pub(crate) struct Drive {
    history: Shared,
    stop: Arc<AtomicBool>,
    shoppers: JoinSet<()>,
}

impl Drive {
    /// Starts them; `name` tells the marks of one drive from those of another.
    pub(crate) fn start(
        shopper: &Shopper,
        history: &Shared,
        products: &[Spare],
        random: &mut Random,
        name: &str,
        plan: Plan,
    ) -> Drive {
        let stop = Arc::new(AtomicBool::new(false));
        let mut shoppers = JoinSet::new();
        let mut client = |kind: &str, number: usize| Client {
            shopper: shopper.clone(),
            history: history.clone(),
            stop: stop.clone(),
            product: products[number % products.len()],
            name: format!("{name}-{kind}{number}"),
            random: Random::seeded(random.below(usize::MAX) as u64),
            seen: None,
        };
        for number in 0..plan.keyed {
            shoppers.spawn(client("k", number).write(true));
        }
        for number in 0..plan.plain {
            shoppers.spawn(client("p", number).write(false));
        }
        for number in 0..plan.readers {
            shoppers.spawn(client("r", number).read());
        }
        Drive { history: history.clone(), stop, shoppers }
    }

    /// Waits until so many more writes were acknowledged.
    pub(crate) async fn more(&self, writes: usize, within: Duration) {
        let stored = || {
            let history = self.history.lock();
            history.writes.iter().filter(|record| matches!(record.outcome, Outcome::Stored { .. })).count()
        };
        let before = stored();
        eventually(&format!("{writes} more writes are stored"), within, async || {
            let more = stored() - before;
            if more >= writes { Ok(()) } else { Err(format!("{more} are")) }
        })
        .await;
    }

    /// Waits until a try that began at or after `since` was acknowledged; how long that was after `since`.
    pub(crate) async fn recovered(&self, since: Instant, within: Duration) -> Duration {
        eventually("a write is acknowledged again", within, async || {
            let history = self.history.lock();
            let first = history
                .writes
                .iter()
                .rev()
                .take_while(|record| record.ended >= since)
                .filter(|record| record.last_try >= since && matches!(record.outcome, Outcome::Stored { .. }))
                .map(|record| record.ended - since)
                .min();
            first.ok_or_else(|| match history.writes.last() {
                Some(last) => format!("the last one to end: {:?}", last.outcome),
                None => "none has ended".to_owned(),
            })
        })
        .await
    }

    /// Lets everybody finish what they are at.
    ///
    /// # Panics
    /// When a shopper did.
    pub(crate) async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.shoppers.join_next().await {
            if let Err(error) = ended {
                panic!("a shopper of the drive: {error}");
            }
        }
    }
}
