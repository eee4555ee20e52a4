//! Shoppers who write and read all the time, and remember every answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::{Shopper, eventually, review, within};
use tokio::task::JoinSet;

/// How long one shopper goes on trying to land one review.
const PATIENCE: Duration = Duration::from_secs(40);

/// Between two tries of a shopper who was told that it does not work just now.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// Reviews on a page that is read: answers grow to nearly 16 kB, which nginx holds before their first byte.
const PAGE: usize = 45;

/// A running load on one product. Each review has a body of its own, so that it can be counted.
pub(crate) struct Load {
    shared: Arc<Shared>,
    shoppers: JoinSet<()>,
}

struct Shared {
    shopper: Shopper,
    product: i64,
    stop: AtomicBool,
    next: AtomicU64,
    reads: AtomicU64,
    outcome: Mutex<Outcome>,
}

/// What the shoppers were told.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Bodies of acknowledged reviews and the ids that they were given.
    pub(crate) acknowledged: HashMap<String, i64>,
    /// Bodies of reviews whose writer was told that they may or may not land.
    pub(crate) unknown: Vec<String>,
    /// Reads that failed, in words.
    pub(crate) failed_reads: Vec<String>,
}

impl Load {
    /// Starts `named` shoppers who give each write an `Idempotency-Key` and repeat it until it is acknowledged, as many
    /// who try once without a key, and `readers` who only read.
    pub(crate) fn start(shopper: Shopper, product: i64, named: usize, readers: usize) -> Load {
        let shared = Arc::new(Shared {
            shopper,
            product,
            stop: AtomicBool::new(false),
            next: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            outcome: Mutex::default(),
        });
        let mut shoppers = JoinSet::new();
        for _ in 0..named {
            shoppers.spawn(shared.clone().write_with_keys());
            shoppers.spawn(shared.clone().write_without_keys());
        }
        for _ in 0..readers {
            shoppers.spawn(shared.clone().read());
        }
        Load { shared, shoppers }
    }

    /// Waits until so many more writes were acknowledged and reads answered.
    pub(crate) async fn goes_on(&self, what: &str, writes: usize, reads: u64) {
        let seen = || {
            (
                self.shared.outcome.lock().unwrap().acknowledged.len(),
                self.shared.reads.load(Ordering::Relaxed),
            )
        };
        let (writes, reads) = (seen().0 + writes, seen().1 + reads);
        eventually(&format!("shoppers go on writing and reading {what}"), within(60), async || {
            let now = seen();
            if now.0 >= writes && now.1 >= reads {
                Ok(())
            } else {
                Err(format!("{now:?} of {writes} and {reads}"))
            }
        })
        .await;
    }

    /// Lets every shopper finish, and tells what they were told.
    pub(crate) async fn stop(mut self) -> Outcome {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.shoppers.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.shared.outcome.lock().unwrap())
    }
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn next_body(&self) -> String {
        format!("fault review {}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn write_with_keys(self: Arc<Self>) {
        while self.goes_on() {
            let body = self.next_body();
            let started = Instant::now();
            // Goes on until it is told that the write is stored: a retry gets the first answer.
            while !self.write(&body, Some(&body.replace(' ', "-"))).await {
                assert!(
                    started.elapsed() < PATIENCE,
                    "{body:?} did not land within {} s",
                    PATIENCE.as_secs()
                );
            }
        }
    }

    async fn write_without_keys(self: Arc<Self>) {
        while self.goes_on() {
            let body = self.next_body();
            if !self.write(&body, None).await {
                self.outcome.lock().unwrap().unknown.push(body);
            }
        }
    }

    async fn write(&self, body: &str, key: Option<&str>) -> bool {
        let mut sent = review(self.product);
        sent["body"] = json!(body);
        let mut request = self.shopper.request(Method::POST, "/reviews").json(&sent);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = self
            .shopper
            .try_send(request)
            .await
            .unwrap_or_else(|error| panic!("nginx did not answer: {error}"));
        match answer.status {
            201 => {
                let before =
                    self.outcome.lock().unwrap().acknowledged.insert(body.to_owned(), answer.review_id());
                assert_eq!(before, None);
                true
            }
            502..=504 => {
                assert!(
                    answer.header("retry-after").is_some(),
                    "an outage says when to try again: {answer:?}"
                );
                // A shopper who were faster would only take the processors from what heals.
                tokio::time::sleep(BETWEEN_TRIES).await;
                false
            }
            _ => panic!("a fault of the system is no fault of the shopper: {answer:?}"),
        }
    }

    async fn read(self: Arc<Self>) {
        let path = format!("/reviews?product_id={}&count={PAGE}&sort=newest", self.product);
        while self.goes_on() {
            match self.shopper.try_send(self.shopper.request(Method::GET, &path)).await {
                Ok(answer) if answer.status == 200 && answer.json()["results"].is_array() => {}
                failed => self.outcome.lock().unwrap().failed_reads.push(format!("{failed:?}")),
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
    }
}
