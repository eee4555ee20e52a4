//! A process that hangs instead of dying: nobody waits for it longer than the bounds say.

use std::time::{Duration, Instant};

use reqwest::Method;
use tests::{catalogue, eventually, review, with_catalogue, within};

use super::load::Load;

/// What nginx waits for a silent reader before it asks the next one, and room for a busy machine.
const SLOWEST_READ: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_hangs_fails_no_read_and_holds_up_only_those_that_it_had() {
    let system = with_catalogue("silent-reader", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let load = Load::start(system.shopper(), product, 1, 4);
    load.goes_on("before", 5, 50).await;
    system.process("reader-a").pause();
    load.goes_on("while a reader hangs", 20, 400).await;
    let started = Instant::now();
    let _page = system.shopper().reviews(&format!("product_id={product}")).await.expect(200);
    assert!(started.elapsed() < SLOWEST_READ, "{:?}", started.elapsed());
    system.process("reader-a").resume();
    load.goes_on("after", 5, 50).await;
    assert_eq!(load.stop().await.failed_reads, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_hangs_is_not_waited_for_and_catches_up() {
    let system = with_catalogue("silent-projector", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap().id;
    system.process("projector-b").pause();
    // At first the writer waits for it in vain; when its last word is two seconds old, it no longer does.
    let last = eventually("a write is applied by everybody who is heard", within(20), async || {
        let answer = shopper.post_review(&review(product)).await.expect(201);
        if answer.applied() { Ok(answer.review_id()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    system.process("projector-b").resume();
    tests::tables::equal(&system, last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_stream_is_away_writes_are_refused_at_once_and_reads_go_on() {
    let system = with_catalogue("no-stream", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap().id;
    system.process("nats").stop().await;
    let refused = eventually("the writer knows", within(10), async || {
        let started = Instant::now();
        let answer = shopper.post_review(&review(product)).await;
        // The very first may have been on its way; what is refused from then on was never sent.
        let at_once = started.elapsed() < Duration::from_secs(1);
        let refused = answer.status == 503 && answer.body.contains("nothing was stored");
        if at_once && refused { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
    .expect_problem(503);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let _page = shopper.reviews(&format!("product_id={product}")).await.expect(200);

    system.process("nats").start().await.unwrap();
    let body = review(product);
    let stored = eventually("writes go on by themselves", within(30), async || {
        let answer = shopper.send(shopper.request(Method::POST, "/reviews").json(&body)).await;
        if answer.status == 201 { Ok(answer.review_id()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    tests::tables::equal(&system, stored).await;
}
