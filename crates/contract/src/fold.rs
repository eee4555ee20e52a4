//! The heart of the projection: decides, event by event in position order, what is applied, what is a no-op and
//! what is rejected on record.
//!
//! Pure, and fed only with what one query each fetched for the whole batch; so a batch equals its events one by
//! one, however the stream is cut.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::envelope::Idempotency;
use crate::event::Event;
use crate::position::Position;
use crate::time::Millis;

/// A holder of an idempotency key counts while it is younger than this by the stream clock.
pub const KEY_LIFE: i64 = 24 * 60 * 60 * 1000;
/// The stream clock goes forward by at most this much with one event, so that one wrong timestamp expires nothing.
pub const CLOCK_STEP: i64 = 60 * 1000;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its rows are written.
    Applied,
    /// Its idempotency key was taken by an earlier event.
    NoOp,
    /// It broke a rule of the domain.
    Rejected(Reason),
}

/// Why an event was rejected on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No such product at this position.
    UnknownProduct,
    /// No such review at this position.
    UnknownReview,
    /// No such characteristic.
    UnknownCharacteristic,
    /// The characteristic belongs to another product.
    ForeignCharacteristic,
    /// A stream takes one catalogue.
    CatalogueTaken,
    /// A chunk or a close without an open catalogue.
    CatalogueNotOpen,
}

impl Reason {
    /// The word that is stored and announced.
    pub fn word(self) -> &'static str {
        match self {
            Reason::UnknownProduct => "unknown_product",
            Reason::UnknownReview => "unknown_review",
            Reason::UnknownCharacteristic => "unknown_characteristic",
            Reason::ForeignCharacteristic => "foreign_characteristic",
            Reason::CatalogueTaken => "catalogue_taken",
            Reason::CatalogueNotOpen => "catalogue_not_open",
        }
    }
}

/// Who holds an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The event that took the key.
    pub position: Position,
    /// Hash of its request's path and body.
    pub body: String,
    /// What became of it: `applied` or the word of a rejection's reason.
    pub outcome: String,
    /// The stream clock when it took the key.
    pub clock: Millis,
}

/// What a replica knows of everything that a batch names, before the batch.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Holders of the batch's idempotency keys.
    pub keys: HashMap<String, Holder>,
    /// Those of the batch's products that exist.
    pub products: HashSet<i64>,
    /// Those of the batch's reviews that exist.
    pub reviews: HashSet<i64>,
    /// The batch's characteristics and their products.
    pub characteristics: HashMap<i64, i64>,
}

/// An event at its place in the stream.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Its position.
    pub position: Position,
    /// The broker's timestamp.
    pub stored: Millis,
    /// When it was made.
    pub time: Millis,
    /// Its idempotency key, if it has one.
    pub idempotency: Option<Idempotency>,
    /// Its content.
    pub event: Event,
}

/// Ids that a batch names, to be fetched at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Idempotency keys.
    pub keys: Vec<String>,
    /// Product ids.
    pub products: Vec<i64>,
    /// Review ids.
    pub reviews: Vec<i64>,
    /// Characteristic ids.
    pub characteristics: Vec<i64>,
}

impl References {
    /// Everything that these events name.
    pub fn of(events: &[Occurrence]) -> References {
        let mut references = References::default();
        for occurrence in events {
            references.keys.extend(occurrence.idempotency.as_ref().map(|i| i.key.clone()));
            match &occurrence.event {
                Event::ReviewCreated(review) => {
                    references.products.push(review.product_id);
                    references.characteristics.extend(review.characteristics.iter().map(|c| c.id));
                }
                Event::ReviewHelpful(vote) => references.reviews.push(vote.review_id),
                Event::ReviewReported(report) => references.reviews.push(report.review_id),
                Event::CatalogueOpened(_)
                | Event::CatalogueChunk(_)
                | Event::CatalogueClosed(_)
                | Event::ControlProbe(_) => {}
            }
        }
        references
    }
}

/// What a batch comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// One outcome for each event, in order; a no-op with the first event's position.
    pub outcomes: Vec<(Outcome, Option<Position>)>,
    /// Keys that the batch took, each with its last holder.
    pub taken: HashMap<String, Holder>,
    /// The stream clock after the batch.
    pub clock: Option<Millis>,
}

/// Folds a batch of events that are no barriers, given what the replica knows and its stream clock.
pub fn fold(mut known: Known, mut clock: Option<Millis>, events: &[Occurrence]) -> Folded {
    let mut folded = Folded::default();
    for occurrence in events {
        let now = advance(clock, occurrence.stored);
        clock = Some(now);
        if let Some(idempotency) = &occurrence.idempotency
            && let Some(holder) = known.keys.get(&idempotency.key)
            && now.0 - holder.clock.0 < KEY_LIFE
        {
            folded.outcomes.push((Outcome::NoOp, Some(holder.position)));
            continue;
        }
        let outcome = decide(&mut known, occurrence);
        if let Some(idempotency) = &occurrence.idempotency {
            let holder = Holder {
                position: occurrence.position,
                body: idempotency.body.clone(),
                outcome: word(outcome).to_owned(),
                clock: now,
            };
            known.keys.insert(idempotency.key.clone(), holder.clone());
            folded.taken.insert(idempotency.key.clone(), holder);
        }
        folded.outcomes.push((outcome, None));
    }
    folded.clock = clock;
    folded
}

/// The stream clock after an event that the broker stored at `stored`.
pub fn advance(clock: Option<Millis>, stored: Millis) -> Millis {
    match clock {
        None => stored,
        Some(clock) => clock.max(stored.min(Millis(clock.0 + CLOCK_STEP))),
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::NoOp => "no_op",
        Outcome::Rejected(reason) => reason.word(),
    }
}

fn decide(known: &mut Known, occurrence: &Occurrence) -> Outcome {
    match &occurrence.event {
        Event::ReviewCreated(review) => {
            if !known.products.contains(&review.product_id) {
                return Outcome::Rejected(Reason::UnknownProduct);
            }
            for rating in &review.characteristics {
                match known.characteristics.get(&rating.id) {
                    None => return Outcome::Rejected(Reason::UnknownCharacteristic),
                    Some(product) if *product != review.product_id => {
                        return Outcome::Rejected(Reason::ForeignCharacteristic);
                    }
                    Some(_) => {}
                }
            }
            known.reviews.insert(occurrence.position.as_i64());
            Outcome::Applied
        }
        Event::ReviewHelpful(vote) => existing(known.reviews.contains(&vote.review_id)),
        Event::ReviewReported(report) => existing(known.reviews.contains(&report.review_id)),
        Event::CatalogueOpened(_)
        | Event::CatalogueChunk(_)
        | Event::CatalogueClosed(_)
        | Event::ControlProbe(_) => Outcome::Applied,
    }
}

fn existing(exists: bool) -> Outcome {
    if exists { Outcome::Applied } else { Outcome::Rejected(Reason::UnknownReview) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
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

    /// A store as simple as can be: the fold of what it is told, one batch after another.
    fn run(events: &[Occurrence], cuts: &[usize]) -> Folded {
        let (mut keys, mut reviews, mut clock, mut outcomes) =
            (HashMap::new(), HashSet::from([1, 2]), None, Vec::new());
        let mut start = 0;
        for &end in cuts.iter().chain([&events.len()]) {
            let batch = &events[start..end.clamp(start, events.len())];
            start = start.max(end.min(events.len()));
            let known = Known {
                keys: keys.clone(),
                products: HashSet::from([7]),
                reviews: reviews.clone(),
                ..Known::default()
            };
            let folded = fold(known, clock, batch);
            for (occurrence, (outcome, _)) in batch.iter().zip(&folded.outcomes) {
                if *outcome == Outcome::Applied && matches!(occurrence.event, Event::ReviewCreated(_)) {
                    reviews.insert(occurrence.position.as_i64());
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
            steps in prop::collection::vec((0..3u8, 0..12u64, prop::option::of(0..3u8), 0..30 * HOUR), 1..40),
            cuts in prop::collection::vec(0..40usize, 0..6),
        ) {
            let events: Vec<Occurrence> = steps.iter().enumerate().map(|(index, (kind, target, key, stored))| {
                let review_id = if *target < 3 { *target as i64 } else { Position(Position::FIRST.0 + target * 3).as_i64() };
                let event = match kind {
                    0 => review(if *target == 0 { 8 } else { 7 }),
                    1 => Event::ReviewHelpful(ReviewHelpful { review_id }),
                    _ => Event::ReviewReported(ReviewReported { review_id }),
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
        let outcomes: Vec<Outcome> =
            run(&events, &[]).outcomes.into_iter().map(|(outcome, _)| outcome).collect();
        assert_eq!(outcomes, [Outcome::Rejected(Reason::UnknownReview), Outcome::Applied, Outcome::Applied]);
    }
}
