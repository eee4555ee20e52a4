//! Invariant 1: a checkpoint is a contiguous prefix of the stream, and every event in it is accounted for.

use contract::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use contract::resources::cart::CartAdded;
use contract::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use contract::resources::reviews::{CharacteristicRating, ReviewCreated, ReviewHelpful, ReviewReported};
use contract::{Event, Millis, Position};
use serde_json::json;
use tests::{answer, catalogue, interaction, question, review, shared, stream_access, tables};

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

fn asked(product_id: i64) -> Event {
    Event::QuestionCreated(QuestionCreated {
        product_id,
        body: "past the writers".into(),
        asker_name: "raw".into(),
        asker_email: "sealed1.none.AAAA".into(),
    })
}

fn answered(question_id: i64) -> Event {
    Event::AnswerCreated(AnswerCreated {
        question_id,
        body: "past the writers".into(),
        answerer_name: "raw".into(),
        answerer_email: "sealed1.none.AAAA".into(),
        photos: vec![],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_position_up_to_the_checkpoint_was_applied_rejected_on_record_or_ignored_by_a_rule() {
    let system = shared().await;
    let (shopper, link) = (system.shopper(), stream_access::link(&system).await);
    let product = catalogue::spare_product();
    for _ in 0..5 {
        let _written = shopper.post_review(&review(product.id)).await.expect(201);
        let asked = shopper.post_question(&question(product.id)).await.expect(201).made("question_id");
        let _answered = shopper.post_answer(asked, &answer()).await.expect(201);
        let _added = shopper.add_to_cart("prefix", &json!({"sku_id": 1})).await.expect(201);
        let _recorded = shopper.post_interaction(&interaction()).await.expect(201);
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
    let rejections = rows("rejections");
    let made = ["reviews", "questions", "answers", "interactions"].map(|table| (table, rows(table)));
    let has_row = |id: i64| {
        made.iter().filter(|(_, ids)| ids.contains(&id)).map(|(table, _)| *table).collect::<Vec<_>>()
    };
    let (mut applied, mut on_record) = (0, 0);
    for position in Position::FIRST.0..=tables.position as u64 {
        // A position that is missing from the stream would be an error here.
        let stored = link.read(Position(position)).await.unwrap();
        let (envelope, event) = stored.decode().unwrap();
        let id = position as i64;
        let table = match event {
            Event::ReviewCreated(_) => "reviews",
            Event::QuestionCreated(_) => "questions",
            Event::AnswerCreated(_) => "answers",
            Event::InteractionRecorded(_) => "interactions",
            _ => "",
        };
        if rejections.contains(&id) {
            on_record += 1;
            assert!(has_row(id).is_empty(), "{position} is rejected and has a row");
        } else if table.is_empty() {
            assert!(has_row(id).is_empty(), "{position} makes nothing and has a row");
        } else {
            let no_op = envelope.idempotency.is_some() && has_row(id).is_empty();
            applied += usize::from(!no_op);
            assert!(no_op || has_row(id) == [table], "event {position} has no row in {table} alone");
        }
    }
    assert!(applied >= 20 && on_record >= 1, "{applied} applied, {on_record} rejected");
    let written_here = made.iter().flat_map(|(_, ids)| ids).filter(|id| **id >= 1_000_000_000).count();
    assert_eq!(written_here, applied, "no row without its event");
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
        (asked(99_999), "unknown_product"),
        (Event::QuestionHelpful(QuestionHelpful { question_id: 77_777_777 }), "unknown_question"),
        // What another kind made is none of this one.
        (Event::QuestionReported(QuestionReported { question_id: head }), "unknown_question"),
        (answered(77_777_777), "unknown_question"),
        (answered(head), "unknown_question"),
        (Event::AnswerHelpful(AnswerHelpful { answer_id: 77_777_777 }), "unknown_answer"),
        (Event::AnswerReported(AnswerReported { answer_id: head }), "unknown_answer"),
        (Event::CartAdded(CartAdded { session: "nobody".into(), sku_id: 99_999, count: 1 }), "unknown_sku"),
    ]
    .into_iter()
    .enumerate()
    {
        let placed = stream_access::publish(&link, &format!("rejected-{number}"), TIME, &event).await;
        expected.push(format!("({},{},{reason})", placed.position, event.type_name()));
    }
    // What refers to something rejected is rejected by the ordinary rule.
    let rejected = |event: &str| {
        let row = expected
            .iter()
            .find(|row| row.contains(event))
            .unwrap_or_else(|| panic!("no {event} was rejected"));
        tables::first_number(row)
    };
    let orphans = [
        (Event::ReviewHelpful(ReviewHelpful { review_id: rejected("review.created") }), "unknown_review"),
        (answered(rejected("question.created")), "unknown_question"),
        (Event::AnswerHelpful(AnswerHelpful { answer_id: rejected("answer.created") }), "unknown_answer"),
    ];
    let mut last = Position::FIRST;
    for (number, (event, reason)) in orphans.into_iter().enumerate() {
        last =
            stream_access::publish(&link, &format!("rejected-orphan-{number}"), TIME, &event).await.position;
        expected.push(format!("({last},{},{reason})", event.type_name()));
    }

    let tables = tables::equal(&system, last.as_i64()).await;
    for row in &expected {
        assert!(tables.of("rejections").contains(row), "{row} is not among {:?}", tables.of("rejections"));
    }
    assert_eq!(shopper.review_ids(product.id, "newest").await, [head], "nothing rejected is shown");
    assert!(
        !tables.of("cart_lines").iter().any(|row| row.contains("nobody")),
        "{:?}",
        tables.of("cart_lines")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_acknowledged_and_then_rejected_on_record_is_409() {
    let system = shared().await;
    let link = stream_access::link(&system).await;
    // The event stands in the stream already under the attempt's message id, for something that does not exist; the
    // writer's own publish is then its duplicate and learns what became of it.
    let product = catalogue::spare_product();
    let attempt = "an-attempt-that-is-rejected";
    let writer = tests::Shopper::at(system.writer_url());
    let nowhere = Event::CartAdded(CartAdded { session: "nobody".into(), sku_id: 99_999, count: 1 });
    for (path, event, body, reason) in [
        ("/reviews", created(99_999, &[]), review(product.id), "unknown_product"),
        ("/qa/questions", asked(99_999), question(product.id), "unknown_product"),
        ("/qa/questions/39/answers", answered(77_777_777), answer(), "unknown_question"),
        ("/cart", nowhere, json!({"sku_id": 1}), "unknown_sku"),
    ] {
        let id = message_id(&system, "POST", path, attempt);
        let placed = stream_access::publish(&link, &id, TIME, &event).await;
        let request = writer.request(reqwest::Method::POST, path).header("atelier-attempt", attempt);
        let problem = writer.send(request.json(&body)).await.expect_problem(409);
        assert!(problem.json()["detail"].as_str().unwrap().contains(reason), "{problem:?}");
        let tables = tables::equal(&system, placed.position.as_i64()).await;
        assert!(
            tables.of("rejections").iter().any(|row| tables::first_number(row) == placed.position.as_i64())
        );
    }
    assert_eq!(system.shopper().review_ids(product.id, "newest").await, Vec::<i64>::new());
    assert_eq!(system.shopper().question_ids(product.id).await, Vec::<i64>::new());
}

/// The message id that a writer gives to an attempt.
fn message_id(system: &local::System, method: &str, path: &str, attempt: &str) -> String {
    let key = std::fs::read_to_string(system.data().keys().join("hashing.key")).unwrap();
    let key = contract::keyed_hash::HashingKey::new(contract::keyed_hash::parse_key(&key).unwrap());
    key.hash("attempt", &[method.as_bytes(), path.as_bytes(), attempt.as_bytes()])
}
