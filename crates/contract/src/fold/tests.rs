//! A batch equals its events one by one.

use proptest::prelude::*;

use super::*;
use crate::control::Parked;
use crate::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use crate::resources::cart::CartAdded;
use crate::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use crate::resources::reviews::{ReviewCreated, ReviewHelpful, ReviewReported};

const HOUR: i64 = 60 * 60 * 1000;

fn review(product_id: i64) -> Event {
    Event::ReviewCreated(ReviewCreated {
        product_id,
        rating: 3,
        summary: String::new(),
        body: "b".into(),
        recommend: true,
        reviewer_name: "n".into(),
        reviewer_email: "sealed".into(),
        photos: vec![],
        characteristics: vec![],
    })
}

fn at(index: u64, stored: i64, key: Option<u8>, event: Event) -> Occurrence {
    let idempotency = key.map(|key| Idempotency { key: format!("k{key}"), body: "b".into() });
    let position = Position(Position::FIRST.0 + index);
    Occurrence { position, stored: Millis(stored), time: Millis(stored), idempotency, event }
}

/// The event at this place is parked: the decision stands there.
fn parked(index: u64) -> Event {
    let position = Position(Position::FIRST.0 + index);
    Event::ControlParked(Parked { position, because: "b".into(), sender: "s".into() })
}

fn question(product_id: i64) -> Event {
    Event::QuestionCreated(QuestionCreated {
        product_id,
        body: "b".into(),
        asker_name: "n".into(),
        asker_email: "sealed".into(),
    })
}

fn answer(question_id: i64) -> Event {
    Event::AnswerCreated(AnswerCreated {
        question_id,
        body: "b".into(),
        answerer_name: "n".into(),
        answerer_email: "sealed".into(),
        photos: vec![],
    })
}

/// A store as simple as can be: the fold of what it is told, one batch after another. Imported: product 7, sku 7,
/// and reviews, questions and answers 1 and 2.
fn run(events: &[Occurrence], cuts: &[usize]) -> Folded {
    let imported = HashSet::from([1, 2]);
    let (mut keys, mut clock, mut outcomes) = (HashMap::new(), None, Vec::new());
    let (mut reviews, mut questions, mut answers) = (imported.clone(), imported.clone(), imported);
    let mut start = 0;
    for &end in cuts.iter().chain([&events.len()]) {
        let batch = &events[start..end.clamp(start, events.len())];
        start = start.max(end.min(events.len()));
        let known = Known {
            keys: keys.clone(),
            products: HashSet::from([7]),
            skus: HashSet::from([7]),
            reviews: reviews.clone(),
            questions: questions.clone(),
            answers: answers.clone(),
            ..Known::default()
        };
        let folded = fold(known, clock, batch);
        for (occurrence, (outcome, _)) in batch.iter().zip(&folded.outcomes) {
            let made = match occurrence.event {
                Event::ReviewCreated(_) => &mut reviews,
                Event::QuestionCreated(_) => &mut questions,
                Event::AnswerCreated(_) => &mut answers,
                _ => continue,
            };
            if *outcome == Outcome::Applied {
                made.insert(occurrence.position.as_i64());
            }
        }
        keys.extend(folded.taken);
        clock = folded.clock;
        outcomes.extend(folded.outcomes);
    }
    Folded { outcomes, taken: keys, clock }
}

proptest! {
    #[test]
    fn a_batch_equals_its_events_one_by_one(
        steps in prop::collection::vec((0..11u8, 0..12u64, prop::option::of(0..3u8), 0..30 * HOUR), 1..40),
        cuts in prop::collection::vec(0..40usize, 0..6),
    ) {
        let events: Vec<Occurrence> = steps.iter().enumerate().map(|(index, (kind, target, key, stored))| {
            let id = if *target < 3 { *target as i64 } else { Position(Position::FIRST.0 + target * 3).as_i64() };
            let product_id = if *target == 0 { 8 } else { 7 };
            let event = match kind {
                0 => review(product_id),
                1 => Event::ReviewHelpful(ReviewHelpful { review_id: id }),
                2 => Event::ReviewReported(ReviewReported { review_id: id }),
                3 => question(product_id),
                4 => Event::QuestionHelpful(QuestionHelpful { question_id: id }),
                5 => Event::QuestionReported(QuestionReported { question_id: id }),
                6 => answer(id),
                7 => Event::AnswerHelpful(AnswerHelpful { answer_id: id }),
                8 => Event::AnswerReported(AnswerReported { answer_id: id }),
                9 => Event::CartAdded(CartAdded { session: "s".into(), sku_id: product_id, count: 1 }),
                _ => parked(index as u64),
            };
            at(index as u64, *stored, *key, event)
        }).collect();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let one_by_one: Vec<usize> = (0..events.len()).collect();
        prop_assert_eq!(run(&events, &cuts), run(&events, &one_by_one));
    }
}

#[test]
fn a_key_stays_taken_for_24_hours_also_by_a_rejected_event() {
    let minutely: Vec<Occurrence> = (0..=24 * 60)
        .map(|minute| {
            let key = [0, 24 * 60 - 1, 24 * 60].contains(&minute).then_some(1);
            at(minute, minute as i64 * 60_000, key, if minute == 0 { review(8) } else { review(7) })
        })
        .collect();
    let outcomes = run(&minutely, &[]).outcomes;
    assert_eq!(outcomes[0], (Outcome::Rejected(Reason::UnknownProduct), None));
    assert_eq!(outcomes[24 * 60 - 1], (Outcome::NoOp, Some(Position::FIRST)));
    assert_eq!(outcomes[24 * 60], (Outcome::Applied, None));
}

#[test]
fn one_event_dated_far_ahead_expires_nothing() {
    let events =
        [at(0, 0, Some(1), review(7)), at(1, 1000 * HOUR, None, review(7)), at(2, 1, Some(1), review(7))];
    assert_eq!(run(&events, &[]).outcomes[2], (Outcome::NoOp, Some(Position::FIRST)));
}

#[test]
fn a_reference_to_a_later_position_is_rejected() {
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: Position::FIRST.next().as_i64() });
    let events = [at(0, 0, None, vote.clone()), at(1, 0, None, review(7)), at(2, 0, None, vote)];
    let outcomes: Vec<Outcome> = run(&events, &[]).outcomes.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Rejected(Reason::UnknownReview), Outcome::Applied, Outcome::Applied]);
}

#[test]
fn what_refers_to_a_rejected_parent_is_rejected() {
    let asked = Position::FIRST.as_i64();
    let answered = Position::FIRST.next().as_i64();
    let vote = Event::AnswerHelpful(AnswerHelpful { answer_id: answered });
    let events = [at(0, 0, None, question(8)), at(1, 0, None, answer(asked)), at(2, 0, None, vote)];
    let outcomes: Vec<Outcome> = run(&events, &[]).outcomes.into_iter().map(|(outcome, _)| outcome).collect();
    let reasons = [Reason::UnknownProduct, Reason::UnknownQuestion, Reason::UnknownAnswer];
    assert_eq!(outcomes, reasons.map(Outcome::Rejected));
}

#[test]
fn a_parked_event_is_rejected_and_so_is_what_refers_to_it() {
    let made = Position::FIRST.as_i64();
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: made });
    let events = [at(0, 0, None, parked(0)), at(1, 0, None, vote)];
    let outcomes: Vec<Outcome> = run(&events, &[]).outcomes.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Reason::Parked, Reason::UnknownReview].map(Outcome::Rejected));
}

#[test]
fn a_parked_event_takes_its_key_unless_that_is_taken() {
    let events = [at(0, 0, Some(1), parked(0)), at(1, 1, Some(1), review(7)), at(2, 2, Some(2), review(7))];
    let held = [at(3, 3, Some(2), parked(3)), at(4, 4, Some(2), review(7))];
    let folded = run(&[&events[..], &held].concat(), &[]);
    let third = Some(Position(Position::FIRST.0 + 2));
    let (parked, applied) = (Outcome::Rejected(Reason::Parked), Outcome::Applied);
    let no_op = Outcome::NoOp;
    let expected =
        [(parked, None), (no_op, Some(Position::FIRST)), (applied, None), (parked, None), (no_op, third)];
    assert_eq!(folded.outcomes, expected);
    assert_eq!(folded.taken["k1"].outcome, "parked");
    assert_eq!(folded.taken["k2"].outcome, "applied");
}

#[test]
fn a_decision_at_its_own_place_parks_nothing_there() {
    let decision = Parked { position: Position::FIRST, because: "b".into(), sender: "s".into() };
    assert!(!at(1, 0, None, Event::ControlParked(decision.clone())).is_parked());
    assert!(decision.counts_at(Position::FIRST.next()));
    assert!(!decision.counts_at(Position::FIRST), "an event cannot be parked before it is there");
    let imported = Parked { position: Position(5), ..decision };
    assert!(!imported.counts_at(Position::FIRST));
}
