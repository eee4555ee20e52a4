//! The mark in the stream at which replicas are compared.

use std::collections::HashMap;
use std::time::Duration;

use contract::announcement::Progress;
use contract::control::Audit;
use contract::{Envelope, Event, Position};
use stream::{Link, Message};

use crate::record::operator;

/// How long the stream may take to acknowledge it.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);

/// A comparison whose mark is in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Names the comparison: snapshots are found by it.
    pub(crate) audit: String,
    /// Replicas are compared as they were right after this event.
    pub(crate) position: Position,
}

/// Why there is no mark.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A live projector would stop at an event type that it does not know.
    #[error(
        "replica {replica}'s projector does not know marks of comparisons (it knows event types up to {known}, they \
         came with {needed}): upgrade it first"
    )]
    Unknown {
        /// The replica.
        replica: String,
        /// What its projector announces.
        known: u32,
        /// What it would have to.
        needed: u32,
    },
    /// It was not stored.
    #[error("the mark could not be put into the stream: {0}")]
    Publish(#[from] stream::Failure),
}

/// A name for a comparison that no other one has.
pub(crate) fn name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Puts the mark of a comparison into the stream. `pausing`: the one replica whose projector waits there until the
/// comparison is done.
///
/// # Errors
/// When a live replica's projector does not know such an event, or the stream does not take it.
pub(crate) async fn put(
    link: &Link,
    heard: &HashMap<String, Progress>,
    audit: String,
    pausing: Option<String>,
) -> Result<Mark, Error> {
    let event = Event::ControlAudit(Audit { audit: audit.clone(), sender: operator(), pausing });
    known_to_all(&event, heard)?;
    let envelope = Envelope::new(audit.clone(), service::time::now(), "/atelier/projector");
    let placed = link.publish(&Message::new(&envelope, &event), ACKNOWLEDGE).await?;
    Ok(Mark { audit, position: placed.position })
}

/// A projector stops at a type of event that it does not know, so none is sent before all that live know it.
///
/// # Errors
/// When one does not.
pub(crate) fn known_to_all(event: &Event, heard: &HashMap<String, Progress>) -> Result<(), Error> {
    let needed = event.since();
    let unknowing = heard.iter().filter(|(_, progress)| progress.events_version < needed);
    match unknowing.min_by_key(|(replica, _)| replica.as_str()) {
        Some((replica, Progress { events_version: known, .. })) => {
            Err(Error::Unknown { replica: replica.clone(), known: *known, needed })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a replica's projector announces; one from before there was such a number says none.
    fn heard(replica: &str, events_version: Option<u32>) -> (String, Progress) {
        let mut said = serde_json::json!({
            "epoch": "abcdefgh2345", "position": 1_000_000_000, "previous": 1_000_000_000, "head": 1_000_000_000,
            "head_age_ms": 0, "state": "serving", "refuses_stream": false, "generation": "live", "version": 3,
            "exceptions": [],
        });
        if let Some(version) = events_version {
            said["events_version"] = version.into();
        }
        (replica.to_owned(), serde_json::from_value(said).unwrap())
    }

    #[test]
    fn a_new_type_of_event_is_sent_when_all_that_live_know_it_and_not_before() {
        let event =
            Event::ControlAudit(Audit { audit: "x".into(), sender: "an operator".into(), pausing: None });
        assert!(known_to_all(&event, &HashMap::new()).is_ok());
        assert!(known_to_all(&event, &HashMap::from([heard("a", Some(2)), heard("b", Some(3))])).is_ok());
        for old in [None, Some(1)] {
            let error =
                known_to_all(&event, &HashMap::from([heard("a", Some(2)), heard("b", old)])).unwrap_err();
            assert!(error.to_string().contains("replica b's projector does not know"), "{error}");
        }
    }
}
