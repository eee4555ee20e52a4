//! What cannot be done now is said at once, with whether it may still land; nothing is queued without bound.

use std::time::{Duration, Instant};

use futures::future::join_all;
use local::SystemOptions;
use tests::{catalogue, review, tables, with_catalogue, within};

fn narrow(mut options: SystemOptions) -> SystemOptions {
    options.replicas = vec!["a".into()];
    options.with_environment("writer", "ATELIER_WRITER_QUEUE", "2").with_environment(
        "writer",
        "ATELIER_WRITER_COMMITS",
        "1",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_503_with_retry_after_and_what_was_refused_is_not_stored() {
    let system = with_catalogue("overload", narrow).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    let writes = (0..300).map(|_| {
        let shopper = shopper.clone();
        tokio::spawn(async move { shopper.post_review(&review(product.id)).await })
    });
    let (mut stored, mut refused) = (0, 0);
    for answer in join_all(writes).await.into_iter().map(Result::unwrap) {
        if answer.status == 201 {
            stored += 1;
        } else {
            refused += 1;
            let problem = answer.expect_problem(503);
            assert!(problem.header("retry-after").is_some(), "{problem:?}");
            assert!(problem.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{problem:?}");
        }
    }
    assert!(stored > 0 && refused > 0, "{stored} stored, {refused} refused");
    let last = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, last.review_id()).await;
    assert_eq!(shopper.review_ids(product.id, "newest").await.len(), stored + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_stream_writes_are_503_at_once_and_reads_go_on_and_all_is_well_when_it_is_back() {
    let system = with_catalogue("streamless", narrow).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    let before = shopper.post_review(&review(product.id)).await.expect(201).review_id();
    system.process("nats").stop().await;
    tests::eventually("the writer has noticed", within(10), async || {
        let answer = shopper.post_review(&review(product.id)).await;
        if answer.body.contains("/problems/stream-away") { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    for _ in 0..5 {
        let started = Instant::now();
        let problem = shopper.post_review(&review(product.id)).await.expect_problem(503);
        assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
        assert!(problem.header("retry-after").is_some(), "{problem:?}");
        assert!(problem.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{problem:?}");
        assert_eq!(shopper.review_ids(product.id, "newest").await, [before]);
    }
    system.process("nats").start().await.unwrap();
    let after = tests::eventually("writes are stored again", within(30), async || {
        let answer = shopper.post_review(&review(product.id)).await;
        if answer.status == 201 { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await;
    tables::equal(&system, after.review_id()).await;
    assert_eq!(shopper.review_ids(product.id, "newest").await, [after.review_id(), before]);
}
