//! Shoppers who write all the time while a test does something to the system.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Spare;
use crate::shopper::{Shopper, review};
use crate::{eventually, tables};

/// Between two tries of a shopper who was told that it does not work just now.
const PAUSE: Duration = Duration::from_millis(50);

/// Shoppers at work.
pub struct Load {
    stop: CancellationToken,
    stored: Arc<AtomicUsize>,
    shoppers: Vec<JoinHandle<Tally>>,
}

/// What they were told.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Ids of reviews that were acknowledged.
    pub stored: BTreeSet<i64>,
    /// Votes that were acknowledged.
    pub votes: usize,
    /// Writes that failed, or whose fate is unknown.
    pub failed: usize,
    /// How the last one failed.
    pub last_failure: String,
}

impl Load {
    /// So many shoppers write reviews of these products and vote for them, one write after another.
    #[must_use]
    pub fn start(shopper: &Shopper, products: &[Spare], shoppers: usize) -> Load {
        let (stop, stored) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let one = |number: usize| {
            let product = products[number % products.len()];
            tokio::spawn(write(shopper.clone(), product, number, stop.clone(), stored.clone()))
        };
        let shoppers = (0..shoppers).map(one).collect();
        Load { stop, stored, shoppers }
    }

    /// Waits until so many more reviews were acknowledged.
    pub async fn more(&self, reviews: usize, within: Duration) {
        let before = self.stored.load(Ordering::Relaxed);
        eventually(&format!("{reviews} more reviews are stored"), within, async || {
            let more = self.stored.load(Ordering::Relaxed) - before;
            if more >= reviews { Ok(()) } else { Err(format!("{more} are")) }
        })
        .await;
    }

    /// Lets everybody finish the write that they are at.
    ///
    /// # Panics
    /// When a shopper's task did.
    pub async fn stop(self) -> Tally {
        self.stop.cancel();
        let mut all = Tally::default();
        for shopper in self.shoppers {
            let tally = shopper.await.expect("a shopper does not panic");
            all.stored.extend(tally.stored);
            all.votes += tally.votes;
            all.failed += tally.failed;
            if !tally.last_failure.is_empty() {
                all.last_failure = tally.last_failure;
            }
        }
        all
    }
}

impl Tally {
    /// Checks on every replica, at one position, that everything acknowledged is there and nothing is doubled; answers
    /// what the replicas hold.
    ///
    /// # Panics
    /// When it is not so.
    pub async fn is_all_there(&self, system: &local::System) -> tables::Tables {
        let least = self.stored.last().copied().unwrap_or_default();
        let tables = tables::equal(system, least).await;
        let rows = tables.of("reviews");
        let ids: BTreeSet<i64> = rows.iter().map(|row| tables::first_number(row)).collect();
        let lost: Vec<&i64> = self.stored.difference(&ids).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        // Each write of the load has a summary of its own.
        let marks: Vec<&str> =
            rows.iter().filter_map(|row| row.split("load-").nth(1)?.split(',').next()).collect();
        let different: BTreeSet<&str> = marks.iter().copied().collect();
        assert_eq!(marks.len(), different.len(), "a review is doubled");
        assert!(
            marks.len() >= self.stored.len() && marks.len() <= self.stored.len() + self.failed,
            "{self:?}"
        );
        tables
    }
}

async fn write(
    shopper: Shopper,
    product: Spare,
    number: usize,
    stop: CancellationToken,
    stored: Arc<AtomicUsize>,
) -> Tally {
    let mut tally = Tally::default();
    let mut count = 0;
    while !stop.is_cancelled() {
        count += 1;
        let mut body = review(product.id);
        body["summary"] = json!(format!("load-{number}-{count}"));
        body["characteristics"] = json!({product.fit.to_string(): count % 5 + 1});
        let request = shopper.request(reqwest::Method::POST, "/reviews").json(&body);
        match shopper.try_send(request).await {
            Ok(answer) if answer.status == 201 => {
                let id = answer.review_id();
                tally.stored.insert(id);
                stored.fetch_add(1, Ordering::Relaxed);
                let vote = shopper.request(reqwest::Method::PUT, &format!("/reviews/{id}/helpful"));
                let voted = shopper.try_send(vote).await.is_ok_and(|answer| answer.status == 204);
                tally.votes += usize::from(voted);
            }
            failed => {
                tally.failed += 1;
                tally.last_failure = failed.map_or_else(|error| error, |answer| format!("{answer:?}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    tally
}
