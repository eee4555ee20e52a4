//! One event: published plainly, and after a lost acknowledgement again under the same id, until its fate is known or
//! the time is up.

use std::time::Duration;

use contract::Token;
use service::config::Writer;
use stream::{Connection, Failure, Link};

use super::{Committed, Entry, NotCommitted};

/// What bounds an event's way into the stream.
#[derive(Clone)]
pub(super) struct Bounds {
    pub(super) connection: Connection,
    /// How long one try waits for its acknowledgement.
    pub(super) acknowledge: Duration,
    /// How long after it came an event may be sent again.
    deadline: Duration,
}

/// What one try came to.
pub(super) enum Tried {
    /// The event's fate is known, or its time is up.
    Settled(Result<Committed, NotCommitted>),
    /// It was sent and nobody answered: it may be stored.
    Unanswered,
}

impl Bounds {
    pub(super) fn of(config: &Writer, connection: Connection) -> Bounds {
        Bounds {
            connection,
            acknowledge: Duration::from_millis(config.acknowledge_ms),
            deadline: Duration::from_millis(config.publish_ms),
        }
    }

    /// What is left of an event's time. A repeat must come while the broker still remembers the id, or it would be stored
    /// twice.
    pub(super) fn left(&self, entry: &Entry, link: &Link) -> Duration {
        self.deadline.min(link.duplicate_window() / 2).saturating_sub(entry.entered.elapsed())
    }

    /// Publishes an event that was sent before, so that it may be stored already, until its fate is known. A server that
    /// says that it stores nothing tells it no sooner than after a new start: who waits is told at once that nobody knows.
    pub(super) async fn settle(&self, entry: &Entry) -> Result<Committed, NotCommitted> {
        loop {
            let left = self.deadline.saturating_sub(entry.entered.elapsed());
            let Ok(Ok(link)) = tokio::time::timeout(left, self.connection.link_unless_unwell()).await else {
                return Err(NotCommitted::Unknown);
            };
            if let Tried::Settled(answer) = self.publish(&link, entry, true).await {
                return answer;
            }
        }
    }

    /// Publishes an event once; `sent`: it was sent before.
    pub(super) async fn publish(&self, link: &Link, entry: &Entry, sent: bool) -> Tried {
        let left = self.left(entry, link);
        if left.is_zero() {
            return Tried::Settled(Err(if sent { NotCommitted::Unknown } else { NotCommitted::Overloaded }));
        }
        if entry.sent_to.get_or_init(|| link.epoch().clone()) != link.epoch() {
            // Another life of the stream may have begun with it, and would take it once more.
            return Tried::Settled(Err(NotCommitted::Unknown));
        }
        match link.publish(&entry.message, self.acknowledge.min(left)).await {
            Ok(placed) => {
                let token = Token { epoch: link.epoch().clone(), position: placed.position };
                Tried::Settled(Ok(Committed { token, duplicate: placed.duplicate }))
            }
            // An earlier send may have been stored before this refusal.
            Err(Failure::Refused { .. }) if sent => Tried::Settled(Err(NotCommitted::Unknown)),
            Err(Failure::Refused { code, description }) => Tried::Settled(Err(refused(code, &description))),
            Err(Failure::Unanswered(reason)) => {
                tracing::debug!(reason, "a publish was not acknowledged; repeating it under the same id");
                Tried::Unanswered
            }
        }
    }
}

/// A refusal of something that was not sent before.
pub(super) fn refused(code: u64, description: &str) -> NotCommitted {
    tracing::warn!(code, description, "the stream refused an event");
    match code {
        Failure::FULL => NotCommitted::Full,
        _ => NotCommitted::Refused,
    }
}
