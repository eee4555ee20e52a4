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
    /// No such question at this position.
    UnknownQuestion,
    /// No such answer at this position.
    UnknownAnswer,
    /// No such sku.
    UnknownSku,
    /// No such characteristic.
    UnknownCharacteristic,
    /// The characteristic belongs to another product.
    ForeignCharacteristic,
    /// A stream takes one catalogue.
    CatalogueTaken,
    /// A chunk or a close without an open catalogue.
    CatalogueNotOpen,
    /// An operator decided that it is not to be applied.
    Parked,
}

impl Reason {
    /// The word that is stored and announced.
    pub fn word(self) -> &'static str {
        match self {
            Reason::UnknownProduct => "unknown_product",
            Reason::UnknownReview => "unknown_review",
            Reason::UnknownQuestion => "unknown_question",
            Reason::UnknownAnswer => "unknown_answer",
            Reason::UnknownSku => "unknown_sku",
            Reason::UnknownCharacteristic => "unknown_characteristic",
            Reason::ForeignCharacteristic => "foreign_characteristic",
            Reason::CatalogueTaken => "catalogue_taken",
            Reason::CatalogueNotOpen => "catalogue_not_open",
            Reason::Parked => "parked",
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
    /// Those of the batch's questions that exist.
    pub questions: HashSet<i64>,
    /// Those of the batch's answers that exist.
    pub answers: HashSet<i64>,
    /// Those of the batch's skus that exist.
    pub skus: HashSet<i64>,
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
    /// Its content; of one that was parked the decision, in its place.
    pub event: Event,
}

impl Occurrence {
    /// Whether an operator decided that the event here is not to be applied. Then the decision stands in its place, which
    /// no decision has by itself: it names an event before it.
    pub fn is_parked(&self) -> bool {
        matches!(&self.event, Event::ControlParked(decision) if decision.position == self.position)
    }
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
    /// Question ids.
    pub questions: Vec<i64>,
    /// Answer ids.
    pub answers: Vec<i64>,
    /// Sku ids.
    pub skus: Vec<i64>,
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
                Event::QuestionCreated(question) => references.products.push(question.product_id),
                Event::QuestionHelpful(vote) => references.questions.push(vote.question_id),
                Event::QuestionReported(report) => references.questions.push(report.question_id),
                Event::AnswerCreated(answer) => references.questions.push(answer.question_id),
                Event::AnswerHelpful(vote) => references.answers.push(vote.answer_id),
                Event::AnswerReported(report) => references.answers.push(report.answer_id),
                Event::CartAdded(line) => references.skus.push(line.sku_id),
                Event::InteractionRecorded(_)
                | Event::CatalogueOpened(_)
                | Event::CatalogueChunk(_)
                | Event::CatalogueClosed(_)
                | Event::ControlProbe(_)
                | Event::ControlAudit(_)
                | Event::ControlParked(_)
                | Event::EpochOpened(_) => {}
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
        let holder = occurrence.idempotency.as_ref().and_then(|idempotency| known.keys.get(&idempotency.key));
        let holder = holder.filter(|holder| now.0 - holder.clock.0 < KEY_LIFE).map(|holder| holder.position);
        if holder.is_some() && !occurrence.is_parked() {
            folded.outcomes.push((Outcome::NoOp, holder));
            continue;
        }
        let outcome = decide(&mut known, occurrence);
        // A parked event takes its key like every rejected one; one that is taken stays its holder's.
        if let Some(idempotency) = occurrence.idempotency.as_ref().filter(|_| holder.is_none()) {
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
    if occurrence.is_parked() {
        return Outcome::Rejected(Reason::Parked);
    }
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
            making(&mut known.reviews, occurrence, Outcome::Applied)
        }
        Event::ReviewHelpful(vote) => existing(&known.reviews, vote.review_id, Reason::UnknownReview),
        Event::ReviewReported(report) => existing(&known.reviews, report.review_id, Reason::UnknownReview),
        Event::QuestionCreated(question) => {
            let outcome = existing(&known.products, question.product_id, Reason::UnknownProduct);
            making(&mut known.questions, occurrence, outcome)
        }
        Event::QuestionHelpful(vote) => existing(&known.questions, vote.question_id, Reason::UnknownQuestion),
        Event::QuestionReported(report) => {
            existing(&known.questions, report.question_id, Reason::UnknownQuestion)
        }
        Event::AnswerCreated(answer) => {
            let outcome = existing(&known.questions, answer.question_id, Reason::UnknownQuestion);
            making(&mut known.answers, occurrence, outcome)
        }
        Event::AnswerHelpful(vote) => existing(&known.answers, vote.answer_id, Reason::UnknownAnswer),
        Event::AnswerReported(report) => existing(&known.answers, report.answer_id, Reason::UnknownAnswer),
        Event::CartAdded(line) => existing(&known.skus, line.sku_id, Reason::UnknownSku),
        Event::InteractionRecorded(_)
        | Event::CatalogueOpened(_)
        | Event::CatalogueChunk(_)
        | Event::CatalogueClosed(_)
        | Event::ControlProbe(_)
        | Event::ControlAudit(_)
        | Event::ControlParked(_)
        | Event::EpochOpened(_) => Outcome::Applied,
    }
}

fn existing(known: &HashSet<i64>, id: i64, otherwise: Reason) -> Outcome {
    if known.contains(&id) { Outcome::Applied } else { Outcome::Rejected(otherwise) }
}

/// What an applied event makes is known to the events behind it, under its position.
fn making(known: &mut HashSet<i64>, occurrence: &Occurrence, outcome: Outcome) -> Outcome {
    if outcome == Outcome::Applied {
        known.insert(occurrence.position.as_i64());
    }
    outcome
}

#[cfg(test)]
mod tests;
