//! Golden bytes, and what is refused.

use super::*;
use crate::catalogue::{BytesRead, SourceFile, Table, TableRows};

/// Bytes that some stream holds: they must decode for ever, to the same event.
#[test]
fn golden_bytes_decode() {
    for (golden, event) in [
        (
            &include_bytes!("../../golden/review.created.v1.json")[..],
            Event::ReviewCreated(ReviewCreated {
                product_id: 2,
                rating: 5,
                summary: "Fits".into(),
                body: "Ünïcode — “quotes” \u{1F600}".into(),
                recommend: true,
                reviewer_name: "jo".into(),
                reviewer_email: "sealed1.abcdefgh.AAAA".into(),
                photos: vec!["https://example.com/1.jpg".into()],
                characteristics: vec![crate::resources::reviews::CharacteristicRating { id: 14, value: 5 }],
            }),
        ),
        (
            &include_bytes!("../../golden/review.helpful.v1.json")[..],
            Event::ReviewHelpful(ReviewHelpful { review_id: 5 }),
        ),
        (
            &include_bytes!("../../golden/review.reported.v1.json")[..],
            Event::ReviewReported(ReviewReported { review_id: 5 }),
        ),
        (
            &include_bytes!("../../golden/question.created.v1.json")[..],
            Event::QuestionCreated(QuestionCreated {
                product_id: 2,
                body: "Does it fit?".into(),
                asker_name: "jo".into(),
                asker_email: "sealed1.abcdefgh.AAAA".into(),
            }),
        ),
        (
            &include_bytes!("../../golden/question.helpful.v1.json")[..],
            Event::QuestionHelpful(QuestionHelpful { question_id: 37 }),
        ),
        (
            &include_bytes!("../../golden/question.reported.v1.json")[..],
            Event::QuestionReported(QuestionReported { question_id: 37 }),
        ),
        (
            &include_bytes!("../../golden/answer.created.v1.json")[..],
            Event::AnswerCreated(AnswerCreated {
                question_id: 37,
                body: "It does.".into(),
                answerer_name: "al".into(),
                answerer_email: "sealed1.abcdefgh.AAAA".into(),
                photos: vec!["https://example.com/1.jpg".into()],
            }),
        ),
        (
            &include_bytes!("../../golden/answer.helpful.v1.json")[..],
            Event::AnswerHelpful(AnswerHelpful { answer_id: 68 }),
        ),
        (
            &include_bytes!("../../golden/answer.reported.v1.json")[..],
            Event::AnswerReported(AnswerReported { answer_id: 68 }),
        ),
        (
            &include_bytes!("../../golden/cart.added.v1.json")[..],
            Event::CartAdded(CartAdded { session: "keyed".into(), sku_id: 1578, count: 2 }),
        ),
        (
            &include_bytes!("../../golden/interaction.recorded.v1.json")[..],
            Event::InteractionRecorded(InteractionRecorded {
                element: "button".into(),
                widget: "reviews".into(),
                time: "Mon Nov 23".into(),
            }),
        ),
        (
            &include_bytes!("../../golden/catalogue.chunk.v1.txt")[..],
            Event::CatalogueChunk(CatalogueChunk {
                table: Table::ReviewPhotos,
                rows: 2,
                read: None,
                copy: b"1\t5\thttps://example.com/a\n2\t5\thttps://example.com/b\n".to_vec(),
            }),
        ),
        (
            &include_bytes!("../../golden/catalogue.opened.v1.json")[..],
            Event::CatalogueOpened(CatalogueOpened {
                files: vec![SourceFile { name: "product.csv".into(), size: 12, sha256: "00ff".into() }],
                sealing_key: "7owt5gr6".into(),
                hashing_key: None,
            }),
        ),
        (
            &include_bytes!("../../golden/catalogue.chunk.v1.with-read.txt")[..],
            Event::CatalogueChunk(CatalogueChunk {
                table: Table::LegacyCartLines,
                rows: 1,
                read: Some(BytesRead { bytes: 12, of: 34 }),
                copy: b"1\t7owt5gr67owt5gr67owt5gr67owt5gr6\t5\n".to_vec(),
            }),
        ),
        (
            &include_bytes!("../../golden/catalogue.opened.v1.with-hashing-key.json")[..],
            Event::CatalogueOpened(CatalogueOpened {
                files: vec![SourceFile { name: "cart.csv".into(), size: 12, sha256: "00ff".into() }],
                sealing_key: "7owt5gr6".into(),
                hashing_key: Some("6rg5two7".into()),
            }),
        ),
        (
            &include_bytes!("../../golden/catalogue.closed.v1.json")[..],
            Event::CatalogueClosed(CatalogueClosed {
                tables: vec![
                    TableRows { table: Table::Products, rows: 2 },
                    TableRows { table: Table::CharacteristicRatings, rows: 0 },
                ],
            }),
        ),
        (
            &include_bytes!("../../golden/control.probe.v1.json")[..],
            Event::ControlProbe(Probe { sender: "an operator".into() }),
        ),
        (
            &include_bytes!("../../golden/control.audit.v1.json")[..],
            Event::ControlAudit(Audit {
                audit: "019365a0".into(),
                sender: "an operator".into(),
                pausing: None,
            }),
        ),
        (
            &include_bytes!("../../golden/control.parked.v1.json")[..],
            Event::ControlParked(Parked {
                position: Position(1_000_000_007),
                because: "a photo that no replica takes".into(),
                sender: "an operator".into(),
            }),
        ),
        (
            &include_bytes!("../../golden/epoch.opened.v1.json")[..],
            Event::EpochOpened(EpochOpened {
                previous: "abcdefgh2345".parse().unwrap(),
                base: Position(1_000_000_041),
                audit_hash: "d4f3d725f3d58daa".into(),
                snapshot: "/var/lib/atelier/recovered/abcdefgh2345/snapshot".into(),
                counted: [("control.probe".to_owned(), 2), ("review.created".to_owned(), 40)].into(),
                sender: "an operator".into(),
            }),
        ),
    ] {
        assert_eq!(Event::decode(&event.ce_type(), golden).unwrap(), event);
        // Message hashes rest on the bytes that are written.
        assert_eq!(event.payload(), golden, "{}", event.ce_type());
    }
}

#[test]
fn additions_within_a_version_are_ignored() {
    let event = Event::decode("atelier.review.helpful.v1", br#"{"review_id":5,"new":1}"#).unwrap();
    assert_eq!(event, Event::ReviewHelpful(ReviewHelpful { review_id: 5 }));
}

#[test]
fn unknown_types_and_versions_are_errors() {
    for ce_type in ["atelier.review.helpful.v2", "atelier.review.liked.v1", "review.helpful", ""] {
        assert!(matches!(Event::decode(ce_type, b"{}"), Err(DecodeError::Unknown { .. })), "{ce_type}");
    }
}

#[test]
fn more_parts_than_can_be_numbered_are_refused() {
    let rating = |id| format!(r#"{{"id":{id},"value":1}}"#);
    let ratings: Vec<String> = (1..=17).map(rating).collect();
    let golden = include_str!("../../golden/review.created.v1.json");
    let many = golden.replace(r#"{"id":14,"value":5}"#, &ratings.join(","));
    let refused = Event::decode("atelier.review.created.v1", many.as_bytes());
    assert!(matches!(refused, Err(DecodeError::Parts { parts: 17, .. })), "{refused:?}");
}
