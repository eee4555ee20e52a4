//! Shoppers who write all the time while a test does something to the system.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Spare;
use crate::shopper::{Answer, Shopper};
use crate::tables::{Tables, equal, first_number};
use crate::{SKU, answer, eventually, interaction, question, review};

/// Between two tries of a shopper who was told that it does not work just now.
const PAUSE: Duration = Duration::from_millis(50);
/// What begins the text by which each write of the load is known.
const MARK: &str = "load-";

/// Shoppers at work.
pub struct Load {
    stop: CancellationToken,
    stored: Arc<AtomicUsize>,
    shoppers: Vec<JoinHandle<Tally>>,
}

/// What they were told.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Positions of writes that were acknowledged.
    pub stored: BTreeSet<i64>,
    /// Those that made a row of their own, by its table.
    pub made: BTreeMap<&'static str, BTreeSet<i64>>,
    /// Pieces that went into carts.
    pub pieces: usize,
    /// Writes that failed, or whose fate is unknown.
    pub failed: usize,
    /// How the last one failed.
    pub last_failure: String,
}

impl Load {
    /// So many shoppers write reviews, questions and answers of these products, vote for them, fill their carts and are
    /// watched at it, one write after another.
    #[must_use]
    pub fn start(shopper: &Shopper, products: &[Spare], shoppers: usize) -> Load {
        let (stop, stored) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let one = |number: usize| {
            let product = products[number % products.len()];
            let tally = Tally::default();
            let writer = Writer { shopper: shopper.clone(), product, number, stored: stored.clone(), tally };
            tokio::spawn(writer.write(stop.clone()))
        };
        let shoppers = (0..shoppers).map(one).collect();
        Load { stop, stored, shoppers }
    }

    /// Waits until so many more writes were acknowledged.
    pub async fn more(&self, writes: usize, within: Duration) {
        let before = self.stored.load(Ordering::Relaxed);
        eventually(&format!("{writes} more writes are stored"), within, async || {
            let more = self.stored.load(Ordering::Relaxed) - before;
            if more >= writes { Ok(()) } else { Err(format!("{more} are")) }
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
            for (table, ids) in tally.made {
                all.made.entry(table).or_default().extend(ids);
            }
            all.pieces += tally.pieces;
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
    /// what they hold.
    ///
    /// # Panics
    /// When it is not so.
    pub async fn is_all_there(&self, system: &local::System) -> Tables {
        let least = self.stored.last().copied().unwrap_or_default();
        let tables = equal(system, least).await;
        let perhaps = |told: usize| told..=told + self.failed;
        for (table, made) in &self.made {
            let rows = tables.of(table);
            let ids: BTreeSet<i64> = rows.iter().map(|row| first_number(row)).collect();
            let lost: Vec<&i64> = made.difference(&ids).collect();
            assert!(lost.is_empty(), "acknowledged and lost of {table}: {lost:?}");
            // Each write of the load has a mark of its own.
            let marks: Vec<&str> =
                rows.iter().filter_map(|row| row.split(MARK).nth(1)?.split(',').next()).collect();
            let different: BTreeSet<&str> = marks.iter().copied().collect();
            assert_eq!(marks.len(), different.len(), "a row of {table} is doubled");
            assert!(perhaps(made.len()).contains(&marks.len()), "{} of {table}: {self:?}", marks.len());
        }
        let pieces = pieces_added(&tables);
        assert!(perhaps(self.pieces).contains(&pieces), "{pieces} pieces in carts: {self:?}");
        tables
    }
}

/// Pieces in lines of carts that were not imported.
fn pieces_added(tables: &Tables) -> usize {
    let line = |row: &String| {
        let mut columns = row.trim_end_matches(')').rsplit(',').map(|text| text.parse::<i64>());
        let (added, count) = (columns.next()?.ok()?, columns.next()?.ok()?);
        (added >= 1_000_000_000).then_some(count as usize)
    };
    tables.of("cart_lines").iter().filter_map(line).sum()
}

/// One shopper of the load.
struct Writer {
    shopper: Shopper,
    product: Spare,
    number: usize,
    stored: Arc<AtomicUsize>,
    tally: Tally,
}

impl Writer {
    async fn write(mut self, stop: CancellationToken) -> Tally {
        let session = format!("{MARK}{}", self.number);
        let mut count = 0;
        while !stop.is_cancelled() {
            count += 1;
            let mark = format!("{MARK}{}-{count}", self.number);
            match count % 4 {
                0 | 1 => {
                    let mut body = review(self.product.id);
                    body["summary"] = json!(mark);
                    body["characteristics"] = json!({self.product.fit.to_string(): count % 5 + 1});
                    let request = self.shopper.request(Method::POST, "/reviews").json(&body);
                    if let Some(id) = self.make("reviews", request).await {
                        let _voted = self.send(self.put(&format!("/reviews/{id}/helpful"))).await;
                    }
                }
                2 => {
                    let mut body = question(self.product.id);
                    body["body"] = json!(mark);
                    let request = self.shopper.request(Method::POST, "/qa/questions").json(&body);
                    if let Some(id) = self.make("questions", request).await {
                        let mut body = answer();
                        body["body"] = json!(mark);
                        let path = format!("/qa/questions/{id}/answers");
                        let request = self.shopper.request(Method::POST, &path).json(&body);
                        if let Some(id) = self.make("answers", request).await {
                            let _voted = self.send(self.put(&format!("/qa/answers/{id}/helpful"))).await;
                        }
                    }
                }
                _ => {
                    let mut body = interaction();
                    body["time"] = json!(mark);
                    let request = self.shopper.request(Method::POST, "/interactions").json(&body);
                    let _recorded = self.make("interactions", request).await;
                    let line = json!({"sku_id": SKU});
                    let request = self.shopper.request(Method::POST, "/cart");
                    let request = request.header("atelier-session", &session).json(&line);
                    if self.send(request).await.is_some() {
                        self.tally.pieces += 1;
                    }
                }
            }
        }
        self.tally
    }

    fn put(&self, path: &str) -> RequestBuilder {
        self.shopper.request(Method::PUT, path)
    }

    /// Sends a write that makes a row of a table, whose id is the event's position.
    async fn make(&mut self, table: &'static str, request: RequestBuilder) -> Option<i64> {
        let id = self.send(request).await?.token().position.as_i64();
        self.tally.made.entry(table).or_default().insert(id);
        Some(id)
    }

    async fn send(&mut self, request: RequestBuilder) -> Option<Answer> {
        match self.shopper.try_send(request).await {
            Ok(answer) if [201, 204].contains(&answer.status) => {
                self.tally.stored.insert(answer.token().position.as_i64());
                self.stored.fetch_add(1, Ordering::Relaxed);
                Some(answer)
            }
            failed => {
                self.tally.failed += 1;
                self.tally.last_failure = failed.map_or_else(|error| error, |answer| format!("{answer:?}"));
                tokio::time::sleep(PAUSE).await;
                None
            }
        }
    }
}
