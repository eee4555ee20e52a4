//! Reads that demand what no replica has, beside faults of readers: nobody else notices.

use std::time::{Duration, Instant};

use contract::{Position, Token};
use futures::future::join_all;
use tests::{catalogue, with_catalogue};

use super::load::Load;

/// What nginx waits for a silent reader before it asks the next one, and room for a busy machine.
const SLOWEST_READ: Duration = Duration::from_secs(8);
const PRODUCT: &str = "/products/1";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tokens_that_cannot_be_reached_fail_and_hold_up_no_other_read() {
    let system = with_catalogue("tokens-unreachable", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let shopper = system.shopper();
    let shown = shopper.get(PRODUCT).await.token();
    let token = Token { position: Position(shown.position.0 + 1_000_000), ..shown };
    let load = Load::start(shopper.clone(), product, 1, 4);
    load.goes_on("before", 3, 50).await;
    for fault in ["none", "dead", "silent"] {
        match fault {
            "dead" => system.process("reader-a").stop().await,
            "silent" => {
                system.process("reader-a").start().await.unwrap();
                system.process("reader-a").pause();
            }
            _ => {}
        }
        let readers = (0..250).map(|_| {
            let (shopper, token) = (shopper.clone(), token.clone());
            let asked = if fault == "silent" { 1 } else { 4 };
            tokio::spawn(async move {
                for _ in 0..asked {
                    let old = shopper.get_since(PRODUCT, &token).await.expect(200);
                    assert!(old.stale() && old.token().position < token.position, "{old:?}");
                }
            })
        });
        let readers: Vec<_> = readers.collect();
        let mut slowest = Duration::ZERO;
        while !readers.iter().all(tokio::task::JoinHandle::is_finished) {
            let started = Instant::now();
            let read = shopper.get(PRODUCT).await.expect(200);
            assert!(!read.stale(), "{read:?}");
            slowest = slowest.max(started.elapsed());
        }
        join_all(readers).await.into_iter().for_each(Result::unwrap);
        assert!(slowest < SLOWEST_READ, "{fault}: {slowest:?}");
        load.goes_on(&format!("with tokens and a reader's fault: {fault}"), 3, 50).await;
    }
    system.process("reader-a").resume();
    assert_eq!(load.stop().await.failed_reads, Vec::<String>::new());
}
