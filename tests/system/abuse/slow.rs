//! Who sends slowly or nothing is cut, and nobody else notices.

use std::time::Duration;

use futures::future::join_all;
use tests::hostile::slow::{self, Slow};
use tests::{Private, Shopper, shared, with_catalogue};
use tokio::time::Instant;

const IDLE: usize = 2_000;
const DRIBBLING: usize = 200;
/// What chance alone may add to a latency on a busy machine.
const CHANCE: Duration = Duration::from_millis(25);
const READS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_bodies_that_do_not_come_are_cut_by_nginx_and_by_every_service() {
    let system = shared().await;
    let reader = system.reader_urls().remove(0);
    let slow = slow::all(&system.url(), &system.writer_url(), &reader);
    let borne: Vec<String> =
        join_all(slow.iter().map(Slow::cut)).await.into_iter().filter_map(Result::err).collect();
    assert!(borne.is_empty(), "{}", borne.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_and_hundreds_of_dribbling_connections_slow_nobody_down() {
    let system = with_catalogue("idle", |options| options).await;
    let usual = slowest_of_most(&system).await;
    let held = slow::hold(&system.url(), IDLE, 2 * DRIBBLING).await.unwrap();
    let mut seen = Vec::new();
    // A machine that is busy with something else for a moment is not slowed down by these.
    for _ in 0..5 {
        let now = slowest_of_most(&system).await;
        if now <= usual * 2 + CHANCE {
            return;
        }
        seen.push(now);
    }
    panic!("p99 is {seen:?} beside {} connections, and {usual:?} without", held.len());
}

/// The p99 of reads by a few shoppers.
async fn slowest_of_most(system: &Private) -> Duration {
    let shoppers = (0..4).map(|_| {
        let shopper: Shopper = system.shopper();
        tokio::spawn(async move {
            let mut took = Vec::new();
            for number in 0..READS / 4 {
                let started = Instant::now();
                let _page = shopper.product(1 + number as i64 % 3).await.expect(200);
                took.push(started.elapsed());
            }
            took
        })
    });
    let mut took: Vec<Duration> = join_all(shoppers).await.into_iter().flat_map(Result::unwrap).collect();
    took.sort();
    took[took.len() * 99 / 100]
}
