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
    for (replica, progress) in heard {
        if progress.events_version < event.since() {
            let (known, needed) = (progress.events_version, event.since());
            return Err(Error::Unknown { replica: replica.clone(), known, needed });
        }
    }
    let envelope = Envelope::new(audit.clone(), service::time::now(), "/atelier/projector");
    let placed = link.publish(&Message::new(&envelope, &event), ACKNOWLEDGE).await?;
    Ok(Mark { audit, position: placed.position })
}
