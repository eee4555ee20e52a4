//! Once, for longer than the broker remembers: an `Idempotency-Key` is kept by the replicas.

use std::time::Duration;

use contract::keyed_hash::{HashingKey, parse_key};
use contract::resources::reviews::ReviewHelpful;
use contract::{Envelope, Event, Idempotency, Millis};
use local::SystemOptions;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Private, Shopper, catalogue, eventually, review, stream_access, tables, with_catalogue, within,
};

/// How long the broker of these tests remembers message ids.
const WINDOW: Duration = Duration::from_secs(1);

fn short_memory(mut options: SystemOptions) -> SystemOptions {
    options.writers = 2;
    options.with_environment("init", "ATELIER_STREAM_DUPLICATE_WINDOW_MS", "1000")
}

/// Posts a review under a key, again while nothing was stored.
async fn post(shopper: &Shopper, key: &str, body: &Value) -> Answer {
    eventually("the write is answered for good", within(30), async || {
        let request = shopper.request(Method::POST, "/reviews").header("idempotency-key", key);
        let answer = shopper.send(request.header("prefer", "respond-async").json(body)).await;
        if answer.status == 503 { Err(format!("{answer:?}")) } else { Ok(answer) }
    })
    .await
}

/// Posts again and expects the first answer.
async fn the_same_answer(system: &Private, key: &str, first: &Answer, body: &Value, after: &str) {
    for url in system.writer_urls() {
        let again = post(&Shopper::at(url), key, body).await;
        assert_eq!(
            (again.status, &again.body, again.header("atelier-position")),
            (first.status, &first.body, first.header("atelier-position")),
            "{after}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_kept_beyond_the_broker_s_memory_and_every_restart() {
    let system = with_catalogue("kept", short_memory).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap().id;
    let body = review(product);
    let first = post(&shopper, "kept", &body).await.expect(201);

    // What is tested is that time passes.
    tokio::time::sleep(2 * WINDOW).await;
    the_same_answer(&system, "kept", &first, &body, "the broker's window is over").await;
    for process in ["writer-1", "nats", "projector-a", "postgres-a"] {
        let restarts = system.process(process).restarts();
        system.process(process).kill9().await;
        eventually(&format!("{process} is started again"), within(60), async || {
            if system.process(process).restarts() > restarts { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        system.process(process).wait_ready(within(60)).await.unwrap();
        the_same_answer(&system, "kept", &first, &body, process).await;
    }
    let mut other = body.clone();
    other["rating"] = json!(1);
    let problem = post(&shopper, "kept", &other).await.expect_problem(422);
    assert_eq!(problem.json()["type"], "/problems/idempotency-key-reused");
    system.ready().await;
    let later = shopper.post_review(&body).await.expect(201);
    tables::equal(&system, later.review_id()).await;
    let ids = shopper.review_ids(product, "newest").await;
    assert_eq!(ids, [later.review_id(), first.review_id()], "one event under the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_event_was_rejected_stays_taken() {
    let system = with_catalogue("taken", short_memory).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap().id;
    let review_id = shopper.post_review(&review(product)).await.expect(201).review_id();
    // What a writer makes of this key on this path, in an event that no writer would let through.
    let path = format!("/reviews/{review_id}/helpful");
    let hashing = hashing_key(&system);
    let key = hashing.hash("idempotency key", &[b"PUT", path.as_bytes(), b"", b"taken"]);
    let body = hashing.hash("body", &[path.as_bytes(), b""]);
    let idempotency = Some(Idempotency { key: key.clone(), body });
    let envelope = Envelope { idempotency, ..Envelope::new(key, Millis(1_763_900_000_000), "/atelier/test") };
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: 999_999_999 });
    let link = stream_access::link(&system).await;
    let rejected = stream_access::publish_enveloped(&link, &envelope, &vote).await;
    tables::equal(&system, rejected.position.as_i64()).await;

    // Also when neither the broker nor a wait for replicas would tell.
    tokio::time::sleep(2 * WINDOW).await;
    let answer = eventually("the repeat is answered for good", within(30), async || {
        let request = shopper.request(Method::PUT, &path).header("idempotency-key", "taken");
        let answer = shopper.send(request.header("prefer", "respond-async")).await;
        if answer.status == 503 { Err(format!("{answer:?}")) } else { Ok(answer) }
    })
    .await;
    let problem = answer.expect_problem(409);
    assert!(problem.json()["detail"].as_str().unwrap().contains("unknown_review"), "{problem:?}");
    let head = link.head().await.unwrap();
    assert_eq!(head, rejected.position, "nothing was stored under the key again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyed_write_that_no_replica_can_vouch_for_is_503_and_not_stored() {
    let system = with_catalogue("nobody-vouches", short_memory).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap().id;
    for replica in system.replicas() {
        system.process(&format!("projector-{replica}")).stop().await;
    }
    let head = stream_access::link(&system).await.head().await.unwrap();
    let request = || {
        let request = shopper.request(Method::POST, "/reviews").header("idempotency-key", "unvouched");
        shopper.send(request.json(&review(product)))
    };
    let problem = eventually("nobody vouches any more", within(10), async || {
        let answer = request().await;
        if answer.status == 503 { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
    .expect_problem(503);
    assert!(problem.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{problem:?}");
    let after = stream_access::link(&system).await.head().await.unwrap();
    assert!(after.0 <= head.0 + 1, "only what was still vouched for was stored");
    // A write without a key needs nobody's word.
    let _stored = shopper.post_review(&review(product)).await.expect(201);
}

fn hashing_key(system: &Private) -> HashingKey {
    let text = std::fs::read_to_string(system.data().root().join("keys/hashing.key")).unwrap();
    HashingKey::new(parse_key(&text).unwrap())
}
