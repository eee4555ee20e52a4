use contract::resources::cart::CartAdded;
use contract::resources::questions::QuestionCreated;
use contract::resources::reviews::{CharacteristicRating, ReviewCreated, ReviewHelpful, ReviewReported};
use contract::{Event, Idempotency};

use super::*;
use crate::log::Logged;

const BEFORE: i64 = 999_999_999;

fn base() -> State {
    State {
        position: BEFORE,
        clock: 1_000,
        products: BTreeSet::from([1]),
        skus: BTreeSet::from([10]),
        characteristic_totals: BTreeMap::from([((1, 14), (0, 0)), ((2, 16), (0, 0))]),
        ..State::default()
    }
}

fn logged(position: i64, stored: i64, key: Option<&str>, event: Event) -> Logged {
    let key = key.map(|key| Idempotency { key: key.into(), body: "b".into() });
    Logged { position, id: format!("id-{position}"), stored, time: 5, key, hash: vec![9], event }
}

fn review(product_id: i64, characteristic: i64) -> Event {
    Event::ReviewCreated(ReviewCreated {
        product_id,
        rating: 4,
        summary: "s".into(),
        body: "b".into(),
        recommend: true,
        reviewer_name: "n".into(),
        reviewer_email: "sealed".into(),
        photos: vec!["https://a/b".into()],
        characteristics: vec![CharacteristicRating { id: characteristic, value: 3 }],
    })
}

#[test]
fn a_review_counts_until_it_is_reported_and_votes_count_all_the_same() {
    let mut state = base();
    let id = BEFORE + 1;
    state.follow(&logged(id, 2_000, None, review(1, 14))).unwrap();
    assert_eq!(state.review_totals[&1], [0, 0, 0, 1, 0, 1, 0]);
    assert_eq!(state.characteristic_totals[&(1, 14)], (1, 3));
    assert_eq!(state.review_photos[&(id * 16)].0, id);
    for (number, event) in [
        Event::ReviewReported(ReviewReported { review_id: id }),
        Event::ReviewReported(ReviewReported { review_id: id }),
        Event::ReviewHelpful(ReviewHelpful { review_id: id }),
    ]
    .into_iter()
    .enumerate()
    {
        state.follow(&logged(id + 1 + number as i64, 2_000, None, event)).unwrap();
    }
    assert_eq!(state.review_totals[&1], [0; 7]);
    assert_eq!(state.characteristic_totals[&(1, 14)], (0, 0));
    assert_eq!((state.reviews[&id].reported, state.reviews[&id].helpfulness), (true, 1));
}

#[test]
fn what_breaks_a_rule_is_rejected_and_keeps_its_key() {
    let mut state = base();
    let question = Event::QuestionCreated(QuestionCreated {
        product_id: 7,
        body: "b".into(),
        asker_name: "n".into(),
        asker_email: "sealed".into(),
    });
    for (number, (event, reason)) in [
        (review(7, 14), "unknown_product"),
        (review(1, 16), "foreign_characteristic"),
        (review(1, 99), "unknown_characteristic"),
        (question, "unknown_product"),
        (Event::CartAdded(CartAdded { session: "s".into(), sku_id: 11, count: 1 }), "unknown_sku"),
        (Event::ReviewHelpful(ReviewHelpful { review_id: 5 }), "unknown_review"),
    ]
    .into_iter()
    .enumerate()
    {
        let position = BEFORE + 1 + number as i64;
        let key = format!("key-{number}");
        state.follow(&logged(position, 2_000, Some(&key), event)).unwrap();
        assert_eq!(state.rejections[&position].1, reason);
        assert_eq!(state.keys[&key].outcome, reason);
    }
    assert!(state.reviews.is_empty() && state.questions.is_empty() && state.cart.is_empty());
}

#[test]
fn a_key_that_is_taken_makes_a_no_op_and_the_clock_moves_in_small_steps() {
    let mut state = base();
    let line = || Event::CartAdded(CartAdded { session: "s".into(), sku_id: 10, count: 2 });
    state.follow(&logged(BEFORE + 1, 2_000, Some("k"), line())).unwrap();
    state.follow(&logged(BEFORE + 2, 9_000_000_000, Some("k"), line())).unwrap();
    assert_eq!(state.cart[&("s".to_owned(), 10)], (2, BEFORE + 1));
    assert_eq!(state.clock, 62_000);
    state.follow(&logged(BEFORE + 3, 1, None, line())).unwrap();
    assert_eq!(state.cart[&("s".to_owned(), 10)], (4, BEFORE + 1));
    assert_eq!(state.clock, 62_000);
}

#[test]
fn a_gap_is_refused_and_every_difference_is_told() {
    let mut state = base();
    let event = Event::ReviewHelpful(ReviewHelpful { review_id: 5 });
    assert!(state.clone().follow(&logged(BEFORE + 2, 0, None, event.clone())).is_err());
    let before = state.clone();
    state.follow(&logged(BEFORE + 1, 2_000, None, event)).unwrap();
    let differences = before.differences(&state);
    assert_eq!(differences.len(), 4, "{differences:?}");
}

#[test]
fn a_parked_event_leaves_its_rejection_and_its_key_alone() {
    let mut state = base();
    state.follow(&logged(BEFORE + 1, 2_000, Some("taken"), review(1, 14))).unwrap();
    let before = state.clone();
    state.pass_by(&logged(BEFORE + 2, 2_000, Some("free"), review(1, 14))).unwrap();
    state.pass_by(&logged(BEFORE + 3, 2_000, Some("taken"), review(1, 14))).unwrap();
    assert_eq!((&state.reviews, &state.review_totals), (&before.reviews, &before.review_totals));
    let reasons: Vec<&str> = state.rejections.values().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["parked", "parked"]);
    assert_eq!((state.keys["free"].outcome.as_str(), state.keys["taken"].position), ("parked", BEFORE + 1));
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: BEFORE + 2 });
    state.follow(&logged(BEFORE + 4, 2_000, None, vote)).unwrap();
    assert_eq!(state.rejections[&(BEFORE + 4)].1, "unknown_review");
}
