//! Why the stream could not be used.

use contract::Position;
use contract::position::Epoch;

/// Result of an operation on the stream.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the stream could not be used, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nats-server did not answer.
    #[error("nats-server at {url} does not answer: {reason}. Start it, or name it by stream.url")]
    Away {
        /// The server's address.
        url: String,
        /// The library's words.
        reason: String,
    },
    /// The monitor did not answer, so the sync setting is unknown.
    #[error(
        "the monitor of nats-server at {url} does not answer: {reason}. Start nats-server with `http: host:port` and name it by stream.monitor_url"
    )]
    Monitor {
        /// The monitor's address.
        url: String,
        /// The library's words.
        reason: String,
    },
    /// The server runs and answers, but stores nothing: its disk is full, or a write to it failed.
    #[error(
        "nats-server at {url} is not well: {reason}. It stores nothing until it is started again: free space on its disk, or mend the disk, then restart it; see docs/errors/stream-unhealthy.md"
    )]
    Unhealthy {
        /// The monitor's address.
        url: String,
        /// The server's own words.
        reason: String,
    },
    /// nats-server acknowledges before it has synced.
    #[error(
        "nats-server at {url} acknowledges before data is on disk (config.sync_always is false in /jsz): set `sync_interval: always` in its jetstream block and restart it, or accept that a power failure loses acknowledged writes with stream.accept_acknowledgement_before_sync"
    )]
    NotSynced {
        /// The monitor's address.
        url: String,
    },
    /// There is no stream.
    #[error(
        "nats-server has no stream ATELIER: on a new system create it with `projector init`; if there was one, its files are lost or damaged: unless they can be put back, `projector recover` begins anew with what the replicas hold, see docs/errors/stream-damaged.md"
    )]
    NoStream,
    /// The stream is between two lives.
    #[error(
        "the stream ATELIER is closed while a recovery makes it anew; if that was broken off, `projector recover --yes` goes on"
    )]
    Closed,
    /// The stream is not the one that is needed.
    #[error("the stream ATELIER differs from what is needed: {}. Mend it with the nats command line tool, or let `projector init` create it on an empty server", .0.join("; "))]
    Differs(
        /// Each difference as a sentence part.
        Vec<String>,
    ),
    /// What the stream holds was hashed under another key.
    #[error(
        "the stream ATELIER was made under hashing key {found}, but the file of keys.hashing holds key {ours}: put the key file of this stream back; the hashing key cannot be changed while a stream lives, see docs/keys.md"
    )]
    OtherHashingKey {
        /// The id in the stream's metadata.
        found: String,
        /// The id of the key that the process has.
        ours: String,
    },
    /// The server has no room for a stream of this size.
    #[error(
        "nats-server has no room for a stream of {max_bytes} bytes: set stream.max_bytes to less, or raise max_file_store in its jetstream block"
    )]
    NoRoom {
        /// What was asked for.
        max_bytes: i64,
    },
    /// The stream has been created anew since a replica followed it.
    #[error(
        "the stream's epoch is {found}, but this replica followed epoch {remembered}: the stream was recreated. Nothing is applied; unless its files can be put back, `projector recover` begins anew with what the replicas hold; see docs/errors/stream-recreated.md"
    )]
    OtherEpoch {
        /// The epoch in the stream's metadata.
        found: Epoch,
        /// The epoch in the checkpoint.
        remembered: Epoch,
    },
    /// The stream ends before an event that is known.
    #[error(
        "the stream ends at {head}, but events up to {known} are known: events {}..={known} are lost from the stream. Nothing is applied; run `projector doctor`, then `projector recover` unless its files can be put back; see docs/errors/stream-damaged.md", .head.0 + 1
    )]
    Truncated {
        /// The stream's last position.
        head: Position,
        /// The last position that is known.
        known: Position,
    },
    /// Another event stands where one is remembered.
    #[error(
        "the event at {position} is not the one that stood there: the stream's history was changed. Nothing is applied; run `projector doctor`, then `projector recover` unless its files can be put back; see docs/errors/stream-damaged.md"
    )]
    Rewritten {
        /// Where the histories differ.
        position: Position,
    },
    /// The server knows that it lacks events.
    #[error(
        "the stream has a gap: {missing} of the events {first}..={last} are missing, {}..={} first. Nothing is applied; run `projector doctor`, then `projector recover` unless its files can be put back; see docs/errors/stream-damaged.md", .range.start(), .range.end()
    )]
    Incomplete {
        /// How many.
        missing: u64,
        /// The first position that the stream was made with.
        first: Position,
        /// Its last position.
        last: Position,
        /// The first missing ones in a row.
        range: std::ops::RangeInclusive<u64>,
    },
    /// The server counts an event, and does not give it.
    #[error(
        "the stream has a gap: nats-server counts event {position} but cannot read it. Nothing is applied; run `projector doctor`, then `projector recover` unless its files can be put back; see docs/errors/stream-damaged.md"
    )]
    Unserved {
        /// Its position.
        position: Position,
    },
    /// Events are missing inside the stream.
    #[error(
        "the stream has a gap: event {expected} is missing, {found} came instead. Nothing is applied; run `projector doctor`, then `projector recover` unless its files can be put back; see docs/errors/stream-damaged.md"
    )]
    Gap {
        /// The next position.
        expected: Position,
        /// The position that arrived.
        found: Position,
    },
    /// A message that is no event.
    #[error(
        "the message at {position} is no event: {source}. Nothing is applied from there on; see docs/errors/event-not-applicable.md"
    )]
    Unreadable {
        /// Where it lies.
        position: Position,
        /// What is wrong with it.
        source: contract::event::DecodeError,
    },
    /// No message at this position.
    #[error("the stream has no event at {0}")]
    Missing(Position),
    /// A request to JetStream failed.
    #[error("JetStream did not {what}: {reason}")]
    Request {
        /// What was asked.
        what: &'static str,
        /// The library's words.
        reason: String,
    },
}

impl Error {
    pub(crate) fn request(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> Error {
        move |reason| Error::Request { what, reason: reason.to_string() }
    }

    /// Whether the stream is not the one that was followed, or lost a part: nothing may be applied, and trying again
    /// does not help.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Error::OtherEpoch { .. }
                | Error::Truncated { .. }
                | Error::Rewritten { .. }
                | Error::Incomplete { .. }
                | Error::Unserved { .. }
                | Error::Gap { .. }
        )
    }

    /// The position of an event that the stream should have and does not give.
    pub fn lost(&self) -> Option<Position> {
        match self {
            Error::Gap { expected: position, .. } | Error::Unserved { position } => Some(*position),
            _ => None,
        }
    }

    /// Whether the connection to the stream ends, because it is not what it was when that was made.
    pub(crate) fn ends_connection(&self) -> bool {
        self.is_refusal() || self.is_damage() || matches!(self, Error::Closed)
    }

    /// Whether a service must not go on with this server or stream as it is set up.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Error::NotSynced { .. } | Error::NoStream | Error::Differs(_) | Error::OtherHashingKey { .. }
        )
    }
}
