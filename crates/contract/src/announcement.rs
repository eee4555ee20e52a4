//! What processes tell each other outside the stream (core NATS, not stored): a replica's progress, a commit.

use serde::{Deserialize, Serialize};

use crate::fold::Outcome;
use crate::position::{Epoch, Position};

/// What a replica is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A legacy catalogue was opened and its closing event is not applied yet.
    Importing,
    /// Behind the stream, not waited for.
    CatchingUp,
    /// Caught up, about to serve; writers wait for it.
    Joining,
    /// Serving; writers wait for it.
    Serving,
    /// A new generation is being built.
    Rebuilding,
    /// Applies nothing any more: stopped by an operator or by an error.
    Stopped,
}

impl State {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            State::Importing => "importing",
            State::CatchingUp => "catching up",
            State::Joining => "joining",
            State::Serving => "serving",
            State::Rebuilding => "rebuilding",
            State::Stopped => "stopped",
        }
    }

    /// Whether writers wait for a replica in this state.
    pub fn is_waited_for(self) -> bool {
        matches!(self, State::Joining | State::Serving)
    }
}

/// One event that was not applied: its position, what became of it, and for a no-op the first event's position.
pub type Exception = (Position, Outcome, Option<Position>);

/// Exceptions are listed up to this number; above it an announcement says null and a writer asks a replica.
pub const EXCEPTIONS_LIMIT: usize = 100;

/// How far a replica has come with the legacy catalogue, from its first row to the last index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// Of the whole work, by the time that its parts usually take: 0 to 100.
    pub percent: f64,
    /// What is being done, for people: `loading reviews`, or the steps of the closing that are being made.
    pub what: String,
    /// About how long it will take yet; none while nobody can say.
    pub seconds_left: Option<u64>,
    /// Steps of the closing that are done, once it has begun.
    pub steps_done: Option<u32>,
    /// All steps of the closing.
    pub steps: Option<u32>,
}

/// A replica's progress, announced after each commit and at least four times a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The stream's life.
    pub epoch: Epoch,
    /// The checkpoint after the commit.
    pub position: Position,
    /// The checkpoint announced before; equal to `position` when nothing was committed since.
    pub previous: Position,
    /// The stream's last position as far as the projector knows.
    pub head: Position,
    /// How long ago the stream said so, in milliseconds: then its last position was not above `head`.
    #[serde(default)]
    pub head_age_ms: u64,
    /// What the replica is doing.
    pub state: State,
    /// Why it is in this state, for people; empty when all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What to do about it: a command, or a sentence with one; empty when it passes by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mend: String,
    /// Whether it is stopped because the stream was recreated or lost events: nobody may write to that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refuses_stream: bool,
    /// The generation that is being applied to.
    pub generation: String,
    /// The projection's version.
    pub version: i32,
    /// Which event types the projector knows ([`crate::EVENTS_VERSION`]); one that does not say so knows the first.
    #[serde(default = "first_events_version")]
    pub events_version: u32,
    /// No-ops and rejections in (previous, position]; null when there are over 100.
    pub exceptions: Option<Vec<Exception>>,
    /// While it is importing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportProgress>,
}

fn first_events_version() -> u32 {
    1
}

/// The last position of a commit, announced by the writer that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The stream's life.
    pub epoch: Epoch,
    /// Last position of the commit.
    pub position: Position,
    /// Hexadecimal hash of the event there.
    pub hash: String,
}
