//! Control events: they change no shopper's data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::position::{Epoch, Position};

/// A marker that an operator sends through the whole system to see how long it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Who sent it, for people.
    pub sender: String,
}

/// A mark at which replicas are compared: each ends its batch here and keeps a snapshot of what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Names the comparison: snapshots are found by it.
    pub audit: String,
    /// Who asked for it, for people.
    pub sender: String,
    /// The one replica whose projector waits at the mark until the comparison is done; none: all go on at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pausing: Option<String>,
}

/// An operator's decision that an event is not to be applied by any replica: it counts as rejected instead. All decisions
/// are read before anything is applied, because they lie behind what they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The event.
    pub position: Position,
    /// Why, in the operator's words.
    pub because: String,
    /// Who decided it, for people.
    pub sender: String,
}

/// A life of the stream goes on from what a replica held, because the one before was damaged or lost. Always the first event;
/// "from the stream" then means the snapshot, and everything behind this event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochOpened {
    /// The life before.
    pub previous: Epoch,
    /// The last event of that life that the replica had applied.
    pub base: Position,
    /// The audit hash of everything that it held then.
    pub audit_hash: String,
    /// The folder of the snapshot of that, as whoever wrote it named it.
    pub snapshot: String,
    /// How many events of each type it had counted: the stream itself holds none of them any more.
    pub counted: BTreeMap<String, u64>,
    /// Who decided it, for people.
    pub sender: String,
}

impl Parked {
    /// Whether a decision at a position is one: it is about an event before it.
    pub fn counts_at(&self, position: Position) -> bool {
        (Position::FIRST..position).contains(&self.position)
    }
}
