//! Why an apply transaction failed, and what follows: one exhaustive decision.

use std::time::Duration;

use contract::event::DecodeError;
use contract::{Epoch, Position};

/// An apply transaction that did not commit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The stream could not be read, or is not the one that was followed.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The replica could not be used.
    #[error(transparent)]
    Replica(#[from] replica::Error),
    /// The compare-and-set found another position, epoch or fence.
    #[error("another projector has taken this replica over, or its checkpoint was changed")]
    Fenced,
    /// The content of an event does not fit, by our own reading.
    #[error("{0}")]
    Content(String),
    /// One event cannot be applied, whenever it is tried.
    #[error(
        "event {position} cannot be applied: {reason}. This replica stops here, the others go on; see docs/errors/event-not-applicable.md"
    )]
    Event {
        /// The event.
        position: Position,
        /// What Postgres or the handler said.
        reason: String,
    },
    /// An event was parked, and this replica had applied it.
    #[error(
        "event {position} was parked by the decision at {decision}, and this replica had applied it: it differs from those \
         that reject it. Nothing more is applied to it until it is made anew; see docs/errors/parked-after-applied.md"
    )]
    Applied {
        /// The event.
        position: Position,
        /// The decision.
        decision: Position,
    },
    /// The tables are not those that this binary works with.
    #[error(
        "the replica's tables are at migration {found}, this binary needs {ours}: run `projector init` of the version that is to run"
    )]
    Tables {
        /// The last migration applied.
        found: i64,
        /// The last that this binary knows.
        ours: i64,
    },
    /// The replica was given another life of the stream while its projector waited for that.
    #[error("the replica goes on in epoch {epoch}, at the beginning of its stream: see `projector recover`")]
    Adopted {
        /// The life.
        epoch: Epoch,
    },
    /// The stream begins with what other replicas held, and this one does not hold it.
    #[error(
        "the stream begins at {first} with what a replica held, and this replica, at {position}, lacks that: nothing is \
         applied until it is made from that, or from another replica: `projector rebuild`"
    )]
    NoBase {
        /// Where it stands.
        position: Position,
        /// Where the stream begins.
        first: Position,
    },
    /// Something did not end in time.
    #[error(
        "{what} took more than {seconds} s: see whether the replica's Postgres runs and is not overloaded"
    )]
    Slow {
        /// What took too long.
        what: &'static str,
        /// The bound.
        seconds: u64,
    },
    /// The stream has more, but nothing arrives.
    #[error("nothing arrives behind {position} though the stream has more; following it anew")]
    Stalled {
        /// The checkpoint.
        position: Position,
    },
    /// The rows were written by another version of the projection: equal events would give other rows now.
    #[error(
        "the replica was written by projection version {found}, this binary has {ours}: run the projector of version \
         {found}, or build its rows anew beside what serves: `projector init`, then `projector rebuild --replica NAME`"
    )]
    Version {
        /// The version in the checkpoint.
        found: i32,
        /// This binary's.
        ours: i32,
    },
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Not the event's fault: connect anew and go on from the checkpoint, for ever, with back-off.
    Retry,
    /// Another projector has the replica: stand by until it goes.
    StandBy,
    /// Applying anything would make it worse: apply nothing, keep serving, say so until somebody acts.
    Stop,
}

impl Failure {
    /// The decision.
    pub(crate) fn next(&self) -> Next {
        match self {
            Failure::Stream(_) if self.is_damage() => Next::Stop,
            Failure::Stream(stream::Error::Unreadable { .. }) => Next::Stop,
            Failure::Stream(_) => Next::Retry,
            Failure::Database(_) => Next::Retry,
            Failure::Replica(_) => Next::Retry,
            Failure::Fenced => Next::StandBy,
            Failure::Slow { .. } | Failure::Stalled { .. } | Failure::Adopted { .. } => Next::Retry,
            Failure::Content(_)
            | Failure::Event { .. }
            | Failure::Applied { .. }
            | Failure::Version { .. }
            | Failure::NoBase { .. }
            | Failure::Tables { .. } => Next::Stop,
        }
    }

    /// What an operator does about it: a command, or a sentence with one; empty when it passes by itself.
    pub(crate) fn mend(&self, replica: &str) -> String {
        let park = |position: &Position| format!("projector parked skip {position} --because \"…\"");
        match self {
            Failure::Stream(stream::Error::Unreadable { position, source: DecodeError::Unknown { .. } }) => {
                format!(
                    "upgrade the projectors to the version that the writers have; if nobody needs the event: {}",
                    park(position)
                )
            }
            Failure::Stream(stream::Error::Unreadable { position, .. }) | Failure::Event { position, .. } => {
                format!("read docs/errors/event-not-applicable.md; then {}", park(position))
            }
            Failure::Stream(_) if self.is_damage() => {
                "projector doctor; put the stream's files back, or begin anew with what the replicas hold: projector recover"
                    .to_owned()
            }
            Failure::NoBase { .. } => format!("projector rebuild --replica {replica}"),
            Failure::Applied { .. } => format!(
                "projector rebuild --replica {replica} --from stream; look at what it shows, then the same with \
                 --accept-differences"
            ),
            Failure::Version { .. } => format!("projector init; then projector rebuild --replica {replica}"),
            Failure::Tables { .. } => "projector init, of the version that is to run".to_owned(),
            Failure::Content(_) => "projector doctor".to_owned(),
            Failure::Stream(_)
            | Failure::Database(_)
            | Failure::Replica(_)
            | Failure::Fenced
            | Failure::Slow { .. }
            | Failure::Adopted { .. }
            | Failure::Stalled { .. } => String::new(),
        }
    }

    /// Whether the stream is not the one that was followed, or lost a part.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Failure::Stream(error) if error.is_damage())
    }

    /// The checkpoint behind which the event lies that cannot be applied, if that is the failure.
    pub(crate) fn stuck_behind(&self) -> Option<Position> {
        match self {
            Failure::Event { position, .. } | Failure::Stream(stream::Error::Unreadable { position, .. }) => {
                Some(Position(position.0 - 1))
            }
            // The decision itself is what it cannot get past.
            Failure::Applied { decision, .. } => Some(Position(decision.0 - 1)),
            _ => None,
        }
    }

    /// Whether the content of an event is at fault, so that trying the same again is futile: our own reading, or
    /// Postgres's data exceptions (class 22) and violated constraints (class 23).
    pub(crate) fn is_content(&self) -> bool {
        match self {
            Failure::Content(_) => true,
            Failure::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
            }
            _ => false,
        }
    }
}

/// Pauses between retries: doubling from 50 ms to 2 s.
pub(crate) struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    pub(crate) fn new() -> Backoff {
        Backoff(Backoff::FIRST)
    }

    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Backoff::LONGEST);
    }

    pub(crate) fn reset(&mut self) {
        self.0 = Backoff::FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_stops_a_replica_and_an_outage_does_not() {
        let gap = stream::Error::Gap { expected: contract::Position(2), found: contract::Position(4) };
        assert_eq!(Failure::from(gap).next(), Next::Stop);
        let lost = stream::Error::Request { what: "x", reason: "y".into() };
        assert_eq!(Failure::from(lost).next(), Next::Retry);
        assert_eq!(Failure::from(sqlx::Error::PoolClosed).next(), Next::Retry);
        assert_eq!(Failure::Fenced.next(), Next::StandBy);
    }

    #[test]
    fn whatever_stops_a_replica_says_what_to_type() {
        let position = Position(1_000_000_007);
        let payload = serde_json::from_str::<u8>("x").unwrap_err();
        let unreadable = |source| Failure::from(stream::Error::Unreadable { position, source });
        let unknown = DecodeError::Unknown { ce_type: "atelier.review.liked.v1".into() };
        let spoiled = DecodeError::Payload { ce_type: "atelier.review.created.v1".into(), source: payload };
        let park = "projector parked skip 1000000007 --because";
        let anew = "projector rebuild --replica b";
        for (failure, naming) in [
            (unreadable(unknown), vec!["upgrade", park]),
            (unreadable(spoiled), vec![park]),
            (
                Failure::Event { position, reason: "r".into() },
                vec![park, "docs/errors/event-not-applicable.md"],
            ),
            (Failure::Applied { position, decision: position }, vec![anew]),
            (Failure::Version { found: 1, ours: 2 }, vec![anew]),
            (Failure::Tables { found: 1, ours: 2 }, vec!["projector init"]),
            (stream::Error::Unserved { position }.into(), vec!["projector doctor", "projector recover"]),
            (Failure::NoBase { position, first: position }, vec![anew]),
        ] {
            assert_eq!(failure.next(), Next::Stop, "{failure}");
            let mend = failure.mend("b");
            assert!(naming.iter().all(|part| mend.contains(part)), "{failure}: {mend}");
        }
        assert_eq!(Failure::Fenced.mend("b"), "");
    }
}
