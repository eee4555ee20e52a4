//! Control events: they change no shopper's data.

use serde::{Deserialize, Serialize};

use crate::position::Position;

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

impl Parked {
    /// Whether a decision at a position is one: it is about an event before it.
    pub fn counts_at(&self, position: Position) -> bool {
        (Position::FIRST..position).contains(&self.position)
    }
}
