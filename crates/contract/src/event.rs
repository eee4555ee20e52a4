//! Every event that the stream may hold, and how its type and version name it. Unknown is an error.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{CatalogueChunk, CatalogueClosed, CatalogueOpened};
use crate::control::Probe;
use crate::position::Position;
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
    /// A legacy catalogue begins.
    CatalogueOpened(CatalogueOpened),
    /// Rows of a legacy catalogue.
    CatalogueChunk(CatalogueChunk),
    /// A legacy catalogue is complete.
    CatalogueClosed(CatalogueClosed),
    /// A marker that changes nothing.
    ControlProbe(Probe),
}

/// Names of event types, as in the subject behind `atelier.v1.` and in `ce-type`.
pub mod types {
    /// A review was written.
    pub const REVIEW_CREATED: &str = "review.created";
    /// A review was voted helpful.
    pub const REVIEW_HELPFUL: &str = "review.helpful";
    /// A review was reported.
    pub const REVIEW_REPORTED: &str = "review.reported";
    /// A legacy catalogue begins.
    pub const CATALOGUE_OPENED: &str = "catalogue.opened";
    /// Rows of a legacy catalogue.
    pub const CATALOGUE_CHUNK: &str = "catalogue.chunk";
    /// A legacy catalogue is complete.
    pub const CATALOGUE_CLOSED: &str = "catalogue.closed";
    /// A marker.
    pub const CONTROL_PROBE: &str = "control.probe";
}

impl Event {
    /// The type's name, as in `review.created`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Event::ReviewCreated(_) => types::REVIEW_CREATED,
            Event::ReviewHelpful(_) => types::REVIEW_HELPFUL,
            Event::ReviewReported(_) => types::REVIEW_REPORTED,
            Event::CatalogueOpened(_) => types::CATALOGUE_OPENED,
            Event::CatalogueChunk(_) => types::CATALOGUE_CHUNK,
            Event::CatalogueClosed(_) => types::CATALOGUE_CLOSED,
            Event::ControlProbe(_) => types::CONTROL_PROBE,
        }
    }

    /// The version that this build writes.
    pub fn version(&self) -> u32 {
        1
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
            | Event::CatalogueOpened(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_) => "application/json",
        }
    }

    /// Whether a replica applies the event in a transaction of its own. Otherwise how the stream is cut into
    /// batches would show: a vote for imported review 5 just before the chunk that holds it.
    pub fn is_barrier(&self) -> bool {
        match self {
            Event::ReviewCreated(_) | Event::ReviewHelpful(_) | Event::ReviewReported(_) => false,
            Event::CatalogueOpened(_)
            | Event::CatalogueChunk(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_) => true,
        }
    }

    /// The message's bytes.
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Event::ReviewCreated(event) => json(event),
            Event::ReviewHelpful(event) => json(event),
            Event::ReviewReported(event) => json(event),
            Event::CatalogueOpened(event) => json(event),
            Event::CatalogueChunk(event) => event.encode(),
            Event::CatalogueClosed(event) => json(event),
            Event::ControlProbe(event) => json(event),
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
                let parts = review.photos.len().max(review.characteristics.len());
                if parts > Position::PARTS {
                    return Err(DecodeError::Parts { ce_type: ce_type.to_owned(), parts });
                }
                Ok(Event::ReviewCreated(review))
            }
            (types::REVIEW_HELPFUL, "1") => read(ce_type, payload).map(Event::ReviewHelpful),
            (types::REVIEW_REPORTED, "1") => read(ce_type, payload).map(Event::ReviewReported),
            (types::CATALOGUE_OPENED, "1") => read(ce_type, payload).map(Event::CatalogueOpened),
            (types::CATALOGUE_CHUNK, "1") => CatalogueChunk::decode(payload)
                .map(Event::CatalogueChunk)
                .map_err(|source| DecodeError::Payload { ce_type: ce_type.to_owned(), source }),
            (types::CATALOGUE_CLOSED, "1") => read(ce_type, payload).map(Event::CatalogueClosed),
            (types::CONTROL_PROBE, "1") => read(ce_type, payload).map(Event::ControlProbe),
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
mod tests {
    use super::*;
    use crate::catalogue::{SourceFile, Table, TableRows};

    /// Bytes that some stream holds: they must decode for ever, to the same event.
    #[test]
    fn golden_bytes_decode() {
        for (golden, event) in [
            (
                &include_bytes!("../golden/review.created.v1.json")[..],
                Event::ReviewCreated(ReviewCreated {
                    product_id: 2,
                    rating: 5,
                    summary: "Fits".into(),
                    body: "Ünïcode — “quotes” \u{1F600}".into(),
                    recommend: true,
                    reviewer_name: "jo".into(),
                    reviewer_email: "sealed1.abcdefgh.AAAA".into(),
                    photos: vec!["https://example.com/1.jpg".into()],
                    characteristics: vec![crate::resources::reviews::CharacteristicRating {
                        id: 14,
                        value: 5,
                    }],
                }),
            ),
            (
                &include_bytes!("../golden/review.helpful.v1.json")[..],
                Event::ReviewHelpful(ReviewHelpful { review_id: 5 }),
            ),
            (
                &include_bytes!("../golden/review.reported.v1.json")[..],
                Event::ReviewReported(ReviewReported { review_id: 5 }),
            ),
            (
                &include_bytes!("../golden/catalogue.chunk.v1.txt")[..],
                Event::CatalogueChunk(CatalogueChunk {
                    table: Table::ReviewPhotos,
                    rows: 2,
                    copy: b"1\t5\thttps://example.com/a\n2\t5\thttps://example.com/b\n".to_vec(),
                }),
            ),
            (
                &include_bytes!("../golden/catalogue.opened.v1.json")[..],
                Event::CatalogueOpened(CatalogueOpened {
                    files: vec![SourceFile { name: "product.csv".into(), size: 12, sha256: "00ff".into() }],
                    sealing_key: "7owt5gr6".into(),
                }),
            ),
            (
                &include_bytes!("../golden/catalogue.closed.v1.json")[..],
                Event::CatalogueClosed(CatalogueClosed {
                    tables: vec![
                        TableRows { table: Table::Products, rows: 2 },
                        TableRows { table: Table::CharacteristicRatings, rows: 0 },
                    ],
                }),
            ),
            (
                &include_bytes!("../golden/control.probe.v1.json")[..],
                Event::ControlProbe(Probe { sender: "an operator".into() }),
            ),
        ] {
            assert_eq!(Event::decode(&event.ce_type(), golden).unwrap(), event);
            assert_eq!(Event::decode(&event.ce_type(), &event.payload()).unwrap(), event);
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
        let golden = include_str!("../golden/review.created.v1.json");
        let many = golden.replace(r#"{"id":14,"value":5}"#, &ratings.join(","));
        let refused = Event::decode("atelier.review.created.v1", many.as_bytes());
        assert!(matches!(refused, Err(DecodeError::Parts { parts: 17, .. })), "{refused:?}");
    }
}
