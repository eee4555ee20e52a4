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
    /// What the replica is doing.
    pub state: State,
    /// The generation that is being applied to.
    pub generation: String,
    /// The projection's version.
    pub version: i32,
    /// No-ops and rejections in (previous, position]; null when there are over 100.
    pub exceptions: Option<Vec<Exception>>,
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
