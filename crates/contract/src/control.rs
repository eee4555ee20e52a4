//! Control events: they change no data.

use serde::{Deserialize, Serialize};

/// A marker that an operator sends through the whole system to see how long it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Who sent it, for people.
    pub sender: String,
}
