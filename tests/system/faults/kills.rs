//! `kill -9` of each process in turn, under writes and reads: everything heals without hands, nothing that was
//! acknowledged is missing, nothing is doubled.

use std::collections::{HashMap, HashSet};

use tests::{Private, catalogue, eventually, tables, with_catalogue, within};

use super::load::{Load, Outcome};

/// Acknowledged writes and answered reads between two faults.
const BETWEEN: (usize, u64) = (40, 100);

#[tokio::test(flavor = "multi_thread")]
async fn every_process_killed_in_turn_under_load_heals_and_nothing_acknowledged_is_lost_or_doubled() {
    let system = with_catalogue("kills", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let load = Load::start(system.shopper(), product, 4, 4);
    load.goes_on("before any fault", BETWEEN.0, BETWEEN.1).await;
    for victim in ["nats", "projector-a", "projector-b", "postgres-a", "writer-1", "reader-a"] {
        let restarts = system.process(victim).restarts();
        system.process(victim).kill9().await;
        eventually(&format!("{victim} is started again"), within(60), async || {
            let snapshot = system.process(victim).snapshot();
            if system.process(victim).restarts() > restarts { Ok(()) } else { Err(format!("{snapshot:?}")) }
        })
        .await;
        system
            .process(victim)
            .wait_ready(within(60))
            .await
            .unwrap_or_else(|error| panic!("{victim}: {error}"));
        load.goes_on(&format!("after {victim} was killed"), BETWEEN.0, BETWEEN.1).await;
    }
    let outcome = load.stop().await;
    system.ready().await;
    check(&system, product, &outcome).await;
    assert_eq!(outcome.failed_reads, Vec::<String>::new(), "a read fails only when no reader is left");
}

async fn check(system: &Private, product: i64, outcome: &Outcome) {
    let highest = *outcome.acknowledged.values().max().expect("writes were acknowledged");
    tables::equal(system, highest).await;
    let ids: HashSet<i64> = outcome.acknowledged.values().copied().collect();
    assert_eq!(ids.len(), outcome.acknowledged.len(), "no two reviews share an id");
    for reader in system.reader_urls() {
        let page = tests::Shopper::at(reader)
            .reviews(&format!("product_id={product}&count=10000"))
            .await
            .expect(200)
            .json();
        let mut stored: HashMap<&str, i64> = HashMap::new();
        for review in page["results"].as_array().unwrap() {
            let (body, id) = (review["body"].as_str().unwrap(), review["review_id"].as_i64().unwrap());
            assert_eq!(stored.insert(body, id), None, "{body:?} is stored twice");
        }
        for (body, id) in &outcome.acknowledged {
            assert_eq!(stored.get(body.as_str()), Some(id), "{body:?} was acknowledged");
        }
        // What is there beyond the acknowledged was said to be possible.
        for body in stored.keys().filter(|body| !outcome.acknowledged.contains_key(**body)) {
            assert!(outcome.unknown.iter().any(|unknown| unknown == body), "nobody wrote {body:?}");
        }
    }
}
