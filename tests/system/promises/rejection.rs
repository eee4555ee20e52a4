//! Invariant 5: an event that cannot be understood stops its replica, whose readers go on; what is not an event's
//! fault is tried again for ever.

use std::fs;

use contract::event::types::REVIEW_CREATED;
use local::SystemOptions;
use tests::{Load, Private, catalogue, eventually, review, tables, wire, with_catalogue, within};

fn one_replica(mut options: SystemOptions) -> SystemOptions {
    options.replicas = vec!["a".into()];
    options
}

/// Publishes a message as it is and answers its position.
async fn publish(system: &Private, event_type: &str, payload: &[u8]) -> i64 {
    wire::publish(&system.nats_url(), event_type, "by-hand", None, payload).await
}

/// The replica has stopped just before the event, says which and why, and its reader goes on.
async fn stopped_before(system: &Private, position: i64, product: i64, named: &[&str]) {
    let operator = system.operator();
    let why = eventually("the replica has stopped", within(30), async || {
        let status = operator.status().await?;
        let replica = &status["replicas"][0];
        if replica["state"] == "stopped" { Ok(replica["why"].to_string()) } else { Err(status.to_string()) }
    })
    .await;
    let log = fs::read_to_string(system.process("projector-a").log()).unwrap();
    for part in named.iter().copied().chain([position.to_string().as_str()]) {
        assert!(log.contains(part), "the log does not name {part}: {log}");
    }
    let _ = why;
    assert_eq!(tables::position(system, "a").await.unwrap(), position - 1, "everything before it is applied");
    let shopper = system.shopper();
    assert_eq!(shopper.review_ids(product, "newest").await.len(), 1, "readers go on serving");
    assert_eq!(shopper.products("").await.expect(200).ids(), [1, 2, 3, 4, 5]);
    let later = shopper.post_review(&review(product)).await.expect(201);
    assert_eq!(later.header("atelier-applied"), Some("false"), "a stopped replica is not waited for");
    assert_eq!(tables::position(system, "a").await.unwrap(), position - 1, "nothing after it is applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_unknown_type_stops_the_replica_with_a_clear_error_while_its_reader_goes_on() {
    let system = with_catalogue("unknown", one_replica).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let _written = system.shopper().post_review(&review(product)).await.expect(201);
    let position = publish(&system, "review.liked", b"{}").await;
    stopped_before(&system, position, product, &["atelier.review.liked.v1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_content_cannot_be_stored_stops_the_replica_just_before_it() {
    let system = with_catalogue("content", one_replica).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let _written = system.shopper().post_review(&review(product)).await.expect(201);
    let position = publish(&system, REVIEW_CREATED, &wire::poison(product)).await;
    stopped_before(&system, position, product, &["cannot be applied"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_away_is_no_event_s_fault_and_the_replica_goes_on_when_it_is_back() {
    let system = with_catalogue("away", |options| options).await;
    let products: Vec<_> = catalogue::spare_products().take(2).collect();
    let load = Load::start(&system.shopper(), &products, 4);
    load.more(20, within(30)).await;
    let postgres = system.process("postgres-b");
    postgres.stop().await;
    // The other replica's readers and the writers go on.
    load.more(40, within(60)).await;
    assert_eq!(system.shopper().products("").await.expect(200).ids(), [1, 2, 3, 4, 5]);
    postgres.start().await.unwrap();
    load.more(20, within(30)).await;
    let tally = load.stop().await;
    let tables = tally.is_all_there(&system).await;
    assert!(tables.of("rejections").is_empty(), "{:?}", tables.of("rejections"));
    assert_eq!(system.process("projector-b").restarts(), 0, "the projector waited for it");
}
