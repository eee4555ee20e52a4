//! Invariant 1: a checkpoint is a contiguous prefix of the stream, and every event in it is accounted for.

use contract::resources::reviews::{CharacteristicRating, ReviewCreated, ReviewHelpful, ReviewReported};
use contract::{Event, Millis, Position};
use tests::{catalogue, review, shared, stream_access, tables};

const TIME: Millis = Millis(1_795_449_000_000);

fn created(product_id: i64, characteristics: &[i64]) -> Event {
    Event::ReviewCreated(ReviewCreated {
        product_id,
        rating: 3,
        summary: String::new(),
        body: "past the writers".into(),
        recommend: true,
        reviewer_name: "raw".into(),
        reviewer_email: "sealed1.none.AAAA".into(),
        photos: vec![],
        characteristics: characteristics
            .iter()
            .map(|id| CharacteristicRating { id: *id, value: 2 })
            .collect(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_position_up_to_the_checkpoint_was_applied_rejected_on_record_or_ignored_by_a_rule() {
    let system = shared().await;
    let (shopper, link) = (system.shopper(), stream_access::link(&system).await);
    let product = catalogue::spare_product();
    for _ in 0..5 {
        let _written = shopper.post_review(&review(product.id)).await.expect(201);
    }
    let unknown = Event::ReviewHelpful(ReviewHelpful { review_id: 77_777_777 });
    let rejected = stream_access::publish(&link, "prefix-rejected", TIME, &unknown).await.position;
    let tables = tables::equal(&system, rejected.as_i64()).await;

    let rows = |table: &str| {
        tables
            .of(table)
            .iter()
            .map(|row| tables::first_number(row))
            .collect::<std::collections::BTreeSet<i64>>()
    };
    let (reviews, rejections) = (rows("reviews"), rows("rejections"));
    let (mut applied, mut on_record) = (0, 0);
    for position in Position::FIRST.0..=tables.position as u64 {
        // A position that is missing from the stream would be an error here.
        let stored = link.read(Position(position)).await.unwrap();
        let (envelope, event) = stored.decode().unwrap();
        let id = position as i64;
        if rejections.contains(&id) {
            on_record += 1;
            assert!(!reviews.contains(&id), "{position} is rejected and has a row");
        } else if let Event::ReviewCreated(_) = event {
            applied += 1;
            let no_op = envelope.idempotency.is_some() && !reviews.contains(&id);
            assert!(no_op || reviews.contains(&id), "the review of event {position} has no row");
        }
    }
    assert!(applied >= 5 && on_record >= 1, "{applied} applied, {on_record} rejected");
    let written_here = reviews.iter().filter(|id| **id >= 1_000_000_000).count();
    assert!(written_here <= applied, "no review without its event");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_rejected_on_record_with_its_reason_on_every_replica_alike() {
    let system = shared().await;
    let link = stream_access::link(&system).await;
    let product = catalogue::spare_product();
    let shopper = system.shopper();
    let head = shopper.post_review(&review(product.id)).await.expect(201).review_id();
    let mut expected = Vec::new();
    for (number, (event, reason)) in [
        (created(99_999, &[]), "unknown_product"),
        (created(product.id, &[product.fit, 999_999]), "unknown_characteristic"),
        (created(product.id, &[product.fit, 14]), "foreign_characteristic"),
        (Event::ReviewHelpful(ReviewHelpful { review_id: 77_777_777 }), "unknown_review"),
        // A position that the stream has not reached.
        (Event::ReviewReported(ReviewReported { review_id: head + 1_000_000 }), "unknown_review"),
    ]
    .into_iter()
    .enumerate()
    {
        let placed = stream_access::publish(&link, &format!("rejected-{number}"), TIME, &event).await;
        expected.push(format!("({},{},{reason})", placed.position, event.type_name()));
    }
    // A vote for the rejected review is rejected by the ordinary rule.
    let first: i64 = tables::first_number(&expected[0]);
    let orphan = Event::ReviewHelpful(ReviewHelpful { review_id: first });
    let placed = stream_access::publish(&link, "rejected-orphan", TIME, &orphan).await.position;
    expected.push(format!("({placed},review.helpful,unknown_review)"));

    let tables = tables::equal(&system, placed.as_i64()).await;
    for row in &expected {
        assert!(tables.of("rejections").contains(row), "{row} is not among {:?}", tables.of("rejections"));
    }
    assert_eq!(shopper.review_ids(product.id, "newest").await, [head], "nothing rejected is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_acknowledged_and_then_rejected_on_record_is_409() {
    let system = shared().await;
    let (shopper, link) = (system.shopper(), stream_access::link(&system).await);
    // The event stands in the stream already under the attempt's message id, for a product that does not exist; the
    // writer's own publish is then its duplicate and learns what became of it.
    let product = catalogue::spare_product();
    let attempt = "an-attempt-that-is-rejected";
    let writer = tests::Shopper::at(system.writer_url());
    let id = message_id(&system, "POST", "/reviews", attempt);
    let placed = stream_access::publish(&link, &id, TIME, &created(99_999, &[])).await;
    let request = writer.request(reqwest::Method::POST, "/reviews").header("atelier-attempt", attempt);
    let problem = writer.send(request.json(&review(product.id))).await.expect_problem(409);
    assert!(problem.json()["detail"].as_str().unwrap().contains("unknown_product"), "{problem:?}");
    let tables = tables::equal(&system, placed.position.as_i64()).await;
    assert!(tables.of("rejections").iter().any(|row| tables::first_number(row) == placed.position.as_i64()));
    assert_eq!(shopper.review_ids(product.id, "newest").await, Vec::<i64>::new());
}

/// The message id that a writer gives to an attempt.
fn message_id(system: &local::System, method: &str, path: &str, attempt: &str) -> String {
    let key = std::fs::read_to_string(system.data().keys().join("hashing.key")).unwrap();
    let key = contract::keyed_hash::HashingKey::new(contract::keyed_hash::parse_key(&key).unwrap());
    key.hash("attempt", &[method.as_bytes(), path.as_bytes(), attempt.as_bytes()])
}
