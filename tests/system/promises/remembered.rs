//! What was seen to exist goes on existing: it is not asked for again.

use serde_json::json;
use tests::{catalogue, eventually, question, review, tables, with_catalogue, within};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_to_exist_is_written_to_while_no_replica_can_be_asked_and_nothing_else_is() {
    let system = with_catalogue("remembered", |options| {
        options.with_environment("writer", "ATELIER_WRITER_VISIBLE_WAIT_MS", "200")
    })
    .await;
    let shopper = system.shopper();
    let [seen, other, unseen] = [0, 1, 2].map(|index| catalogue::spare_products().nth(index).unwrap());
    let rated = |product: i64, characteristic: i64| {
        let mut body = review(product);
        body["characteristics"] = json!({ characteristic.to_string(): 4 });
        body
    };
    let first = shopper.post_review(&rated(seen.id, seen.fit)).await.expect(201).review_id();
    let _other = shopper.post_review(&rated(other.id, other.fit)).await.expect(201);
    let _vote = shopper.vote(first).await.expect(204);
    let asked = shopper.post_question(&question(seen.id)).await.expect(201).made("question_id");
    tables::equal(&system, asked).await;

    for replica in ["postgres-a", "postgres-b"] {
        system.process(replica).stop().await;
    }
    let second = shopper.post_review(&rated(seen.id, seen.fit)).await.expect(201);
    assert!(!second.applied(), "{second:?}");
    let second = second.review_id();
    let _voted = shopper.vote(first).await.expect(204);
    // What exists and does not belong together is known too.
    let foreign = shopper.post_review(&rated(seen.id, other.fit)).await.expect_problem(422);
    assert_eq!(foreign.wrong_fields(), [format!("characteristics.{}", other.fit)]);
    for unknown in [
        shopper.post_review(&review(unseen.id)).await,
        shopper.post_review(&rated(seen.id, seen.quality)).await,
        shopper.post_question(&question(unseen.id)).await,
    ] {
        let problem = unknown.expect_problem(503);
        assert!(problem.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{problem:?}");
    }

    for replica in ["postgres-a", "postgres-b"] {
        system.process(replica).start().await.unwrap();
    }
    eventually("what was not seen before is asked for again", within(60), async || {
        let answer = shopper.post_review(&review(unseen.id)).await;
        if answer.status == 201 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    let tables = tables::equal(&system, second).await;
    assert!(tables.of("rejections").is_empty(), "{:?}", tables.of("rejections"));
    assert_eq!(shopper.review_ids(seen.id, "newest").await, [second, first]);
    let _voted = shopper.vote(second).await.expect(204);
}
