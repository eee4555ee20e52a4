//! Every event that the stream may hold, and how its type and version name it. Unknown is an error.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{CatalogueChunk, CatalogueClosed, CatalogueOpened};
use crate::control::{Audit, EpochOpened, Parked, Probe};
use crate::position::Position;
use crate::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported};
use crate::resources::cart::CartAdded;
use crate::resources::interactions::InteractionRecorded;
use crate::resources::questions::{QuestionCreated, QuestionHelpful, QuestionReported};
use crate::resources::reviews::{ReviewCreated, ReviewHelpful, ReviewReported};

/// An event's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A shopper wrote a review.
    ReviewCreated(ReviewCreated),
    /// A shopper found a review helpful.
    ReviewHelpful(ReviewHelpful),
    /// A shopper reported a review.
    ReviewReported(ReviewReported),
    /// A shopper asked a question.
    QuestionCreated(QuestionCreated),
    /// A shopper found a question helpful.
    QuestionHelpful(QuestionHelpful),
    /// A shopper reported a question.
    QuestionReported(QuestionReported),
    /// A shopper answered a question.
    AnswerCreated(AnswerCreated),
    /// A shopper found an answer helpful.
    AnswerHelpful(AnswerHelpful),
    /// A shopper reported an answer.
    AnswerReported(AnswerReported),
    /// A shopper added to a cart.
    CartAdded(CartAdded),
    /// A shopper did something on a page.
    InteractionRecorded(InteractionRecorded),
    /// A legacy catalogue begins.
    CatalogueOpened(CatalogueOpened),
    /// Rows of a legacy catalogue.
    CatalogueChunk(CatalogueChunk),
    /// A legacy catalogue is complete.
    CatalogueClosed(CatalogueClosed),
    /// A marker that changes nothing.
    ControlProbe(Probe),
    /// A mark at which replicas are compared.
    ControlAudit(Audit),
    /// A decision that an event is not to be applied.
    ControlParked(Parked),
    /// A life of the stream begins with what a replica held.
    EpochOpened(EpochOpened),
}

/// Names of event types, as in the subject behind `atelier.v1.` and in `ce-type`.
pub mod types {
    /// A review was written.
    pub const REVIEW_CREATED: &str = "review.created";
    /// A review was voted helpful.
    pub const REVIEW_HELPFUL: &str = "review.helpful";
    /// A review was reported.
    pub const REVIEW_REPORTED: &str = "review.reported";
    /// A question was asked.
    pub const QUESTION_CREATED: &str = "question.created";
    /// A question was voted helpful.
    pub const QUESTION_HELPFUL: &str = "question.helpful";
    /// A question was reported.
    pub const QUESTION_REPORTED: &str = "question.reported";
    /// An answer was written.
    pub const ANSWER_CREATED: &str = "answer.created";
    /// An answer was voted helpful.
    pub const ANSWER_HELPFUL: &str = "answer.helpful";
    /// An answer was reported.
    pub const ANSWER_REPORTED: &str = "answer.reported";
    /// Something was added to a cart.
    pub const CART_ADDED: &str = "cart.added";
    /// An interaction was recorded.
    pub const INTERACTION_RECORDED: &str = "interaction.recorded";
    /// A legacy catalogue begins.
    pub const CATALOGUE_OPENED: &str = "catalogue.opened";
    /// Rows of a legacy catalogue.
    pub const CATALOGUE_CHUNK: &str = "catalogue.chunk";
    /// A legacy catalogue is complete.
    pub const CATALOGUE_CLOSED: &str = "catalogue.closed";
    /// A marker.
    pub const CONTROL_PROBE: &str = "control.probe";
    /// A mark at which replicas are compared.
    pub const CONTROL_AUDIT: &str = "control.audit";
    /// A decision that an event is not to be applied.
    pub const CONTROL_PARKED: &str = "control.parked";
    /// A life of the stream begins with what a replica held.
    pub const EPOCH_OPENED: &str = "epoch.opened";
}

impl Event {
    /// The type's name, as in `review.created`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Event::ReviewCreated(_) => types::REVIEW_CREATED,
            Event::ReviewHelpful(_) => types::REVIEW_HELPFUL,
            Event::ReviewReported(_) => types::REVIEW_REPORTED,
            Event::QuestionCreated(_) => types::QUESTION_CREATED,
            Event::QuestionHelpful(_) => types::QUESTION_HELPFUL,
            Event::QuestionReported(_) => types::QUESTION_REPORTED,
            Event::AnswerCreated(_) => types::ANSWER_CREATED,
            Event::AnswerHelpful(_) => types::ANSWER_HELPFUL,
            Event::AnswerReported(_) => types::ANSWER_REPORTED,
            Event::CartAdded(_) => types::CART_ADDED,
            Event::InteractionRecorded(_) => types::INTERACTION_RECORDED,
            Event::CatalogueOpened(_) => types::CATALOGUE_OPENED,
            Event::CatalogueChunk(_) => types::CATALOGUE_CHUNK,
            Event::CatalogueClosed(_) => types::CATALOGUE_CLOSED,
            Event::ControlProbe(_) => types::CONTROL_PROBE,
            Event::ControlAudit(_) => types::CONTROL_AUDIT,
            Event::ControlParked(_) => types::CONTROL_PARKED,
            Event::EpochOpened(_) => types::EPOCH_OPENED,
        }
    }

    /// The version that this build writes.
    pub fn version(&self) -> u32 {
        1
    }

    /// The [`crate::EVENTS_VERSION`] from which on a projector knows the type: it is sent only when every live replica
    /// announces at least that.
    pub fn since(&self) -> u32 {
        match self {
            Event::EpochOpened(_) => 3,
            Event::ControlAudit(_) | Event::ControlParked(_) => 2,
            Event::ReviewCreated(_)
            | Event::ReviewHelpful(_)
            | Event::ReviewReported(_)
            | Event::QuestionCreated(_)
            | Event::QuestionHelpful(_)
            | Event::QuestionReported(_)
            | Event::AnswerCreated(_)
            | Event::AnswerHelpful(_)
            | Event::AnswerReported(_)
            | Event::CartAdded(_)
            | Event::InteractionRecorded(_)
            | Event::CatalogueOpened(_)
            | Event::CatalogueChunk(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_) => 1,
        }
    }

    /// `ce-type`, as in `atelier.review.created.v1`.
    pub fn ce_type(&self) -> String {
        format!("atelier.{}.v{}", self.type_name(), self.version())
    }

    /// The media type of the payload.
    pub fn content_type(&self) -> &'static str {
        match self {
            Event::CatalogueChunk(_) => "application/vnd.atelier.copy-text",
            Event::ReviewCreated(_)
            | Event::ReviewHelpful(_)
            | Event::ReviewReported(_)
            | Event::QuestionCreated(_)
            | Event::QuestionHelpful(_)
            | Event::QuestionReported(_)
            | Event::AnswerCreated(_)
            | Event::AnswerHelpful(_)
            | Event::AnswerReported(_)
            | Event::CartAdded(_)
            | Event::InteractionRecorded(_)
            | Event::CatalogueOpened(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_)
            | Event::ControlAudit(_)
            | Event::ControlParked(_)
            | Event::EpochOpened(_) => "application/json",
        }
    }

    /// Whether a replica applies the event in a transaction of its own. Otherwise how the stream is cut into
    /// batches would show: a vote for imported review 5 just before the chunk that holds it.
    pub fn is_barrier(&self) -> bool {
        match self {
            Event::ReviewCreated(_)
            | Event::ReviewHelpful(_)
            | Event::ReviewReported(_)
            | Event::QuestionCreated(_)
            | Event::QuestionHelpful(_)
            | Event::QuestionReported(_)
            | Event::AnswerCreated(_)
            | Event::AnswerHelpful(_)
            | Event::AnswerReported(_)
            | Event::CartAdded(_)
            | Event::InteractionRecorded(_) => false,
            Event::CatalogueOpened(_)
            | Event::CatalogueChunk(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_)
            | Event::ControlAudit(_)
            | Event::ControlParked(_)
            | Event::EpochOpened(_) => true,
        }
    }

    /// The message's bytes.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Event::ReviewCreated(event) => json(event),
            Event::ReviewHelpful(event) => json(event),
            Event::ReviewReported(event) => json(event),
            Event::QuestionCreated(event) => json(event),
            Event::QuestionHelpful(event) => json(event),
            Event::QuestionReported(event) => json(event),
            Event::AnswerCreated(event) => json(event),
            Event::AnswerHelpful(event) => json(event),
            Event::AnswerReported(event) => json(event),
            Event::CartAdded(event) => json(event),
            Event::InteractionRecorded(event) => json(event),
            Event::CatalogueOpened(event) => json(event),
            Event::CatalogueChunk(event) => event.encode(),
            Event::CatalogueClosed(event) => json(event),
            Event::ControlProbe(event) => json(event),
            Event::ControlAudit(event) => json(event),
            Event::ControlParked(event) => json(event),
            Event::EpochOpened(event) => json(event),
        }
    }

    /// An event from its `ce-type` and payload.
    ///
    /// # Errors
    /// When the type or version is not known here, or the payload is not of that type.
    pub fn decode(ce_type: &str, payload: &[u8]) -> Result<Event, DecodeError> {
        let unknown = || DecodeError::Unknown { ce_type: ce_type.chars().take(120).collect() };
        let (name, version) =
            ce_type.strip_prefix("atelier.").and_then(|rest| rest.rsplit_once(".v")).ok_or_else(unknown)?;
        match (name, version) {
            (types::REVIEW_CREATED, "1") => {
                let review: ReviewCreated = read(ce_type, payload)?;
                numbered(ce_type, review.photos.len().max(review.characteristics.len()))?;
                Ok(Event::ReviewCreated(review))
            }
            (types::REVIEW_HELPFUL, "1") => read(ce_type, payload).map(Event::ReviewHelpful),
            (types::REVIEW_REPORTED, "1") => read(ce_type, payload).map(Event::ReviewReported),
            (types::QUESTION_CREATED, "1") => read(ce_type, payload).map(Event::QuestionCreated),
            (types::QUESTION_HELPFUL, "1") => read(ce_type, payload).map(Event::QuestionHelpful),
            (types::QUESTION_REPORTED, "1") => read(ce_type, payload).map(Event::QuestionReported),
            (types::ANSWER_CREATED, "1") => {
                let answer: AnswerCreated = read(ce_type, payload)?;
                numbered(ce_type, answer.photos.len())?;
                Ok(Event::AnswerCreated(answer))
            }
            (types::ANSWER_HELPFUL, "1") => read(ce_type, payload).map(Event::AnswerHelpful),
            (types::ANSWER_REPORTED, "1") => read(ce_type, payload).map(Event::AnswerReported),
            (types::CART_ADDED, "1") => read(ce_type, payload).map(Event::CartAdded),
            (types::INTERACTION_RECORDED, "1") => read(ce_type, payload).map(Event::InteractionRecorded),
            (types::CATALOGUE_OPENED, "1") => read(ce_type, payload).map(Event::CatalogueOpened),
            (types::CATALOGUE_CHUNK, "1") => CatalogueChunk::decode(payload)
                .map(Event::CatalogueChunk)
                .map_err(|source| DecodeError::Payload { ce_type: ce_type.to_owned(), source }),
            (types::CATALOGUE_CLOSED, "1") => read(ce_type, payload).map(Event::CatalogueClosed),
            (types::CONTROL_PROBE, "1") => read(ce_type, payload).map(Event::ControlProbe),
            (types::CONTROL_AUDIT, "1") => read(ce_type, payload).map(Event::ControlAudit),
            (types::CONTROL_PARKED, "1") => read(ce_type, payload).map(Event::ControlParked),
            (types::EPOCH_OPENED, "1") => read(ce_type, payload).map(Event::EpochOpened),
            _ => Err(unknown()),
        }
    }
}

fn json<T: Serialize>(event: &T) -> Vec<u8> {
    serde_json::to_vec(event).expect("events are plain data with text keys")
}

fn read<T: DeserializeOwned>(ce_type: &str, payload: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(payload)
        .map_err(|source| DecodeError::Payload { ce_type: ce_type.to_owned(), source })
}

/// What belongs to an event's position is numbered in its parts.
fn numbered(ce_type: &str, parts: usize) -> Result<(), DecodeError> {
    if parts > Position::PARTS {
        return Err(DecodeError::Parts { ce_type: ce_type.to_owned(), parts });
    }
    Ok(())
}

/// A message that is no event known here.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Another type or a later version: this binary is older than what wrote the event.
    #[error(
        "the event's type {ce_type:?} is not known to this version: upgrade this process first, then the writers"
    )]
    Unknown {
        /// The `ce-type` as found.
        ce_type: String,
    },
    /// The payload does not fit its type.
    #[error("the payload is no {ce_type}")]
    Payload {
        /// The `ce-type`.
        ce_type: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// More photos or ratings than can be numbered.
    #[error("the {ce_type} has {parts} parts of a kind, more than can be numbered")]
    Parts {
        /// The `ce-type`.
        ce_type: String,
        /// How many.
        parts: usize,
    },
    /// An attribute that every event has is missing or unreadable.
    #[error("the event's header {0} is missing or unreadable")]
    Header(&'static str),
}

#[cfg(test)]
mod tests;
