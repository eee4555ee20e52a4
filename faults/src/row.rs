//! A row of the fault matrix.

use std::time::Duration;

use futures::future::LocalBoxFuture;

use crate::arena::Arena;

/// One fault.
pub(crate) struct Row {
    /// As in the fault matrix.
    pub(crate) number: u32,
    pub(crate) title: &'static str,
    /// Whether it belongs to the quick dozen.
    pub(crate) quick: bool,
    pub(crate) setup: Setup,
    pub(crate) run: Run,
}

/// Injects the fault, heals, and judges.
pub(crate) type Run = for<'a> fn(&'a mut Arena) -> LocalBoxFuture<'a, Result<Seen, Stop>>;

/// The system that a row needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) writers: u16,
    /// Process, key, value.
    pub(crate) environment: &'static [(&'static str, &'static str, &'static str)],
    /// Whether writers reach nats-server through a proxy of the suite.
    pub(crate) proxied: bool,
    /// Whether nats-server's store lies on a small disk of its own, for which one must be root.
    pub(crate) small_disk: bool,
    /// Whether the tests' catalogue is imported before; a row without it brings its own.
    pub(crate) catalogue: bool,
}

impl Setup {
    /// Two replicas, two writers, everything as it comes.
    pub(crate) const USUAL: Setup =
        Setup { writers: 2, environment: &[], proxied: false, small_disk: false, catalogue: true };
    /// The same with a proxy before nats-server.
    pub(crate) const PROXIED: Setup = Setup { proxied: true, ..Setup::USUAL };
}

/// What a row that passed has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The longest time to recover.
    pub(crate) recovered: Option<Duration>,
    /// What else is worth a line.
    pub(crate) notes: Vec<String>,
}

impl Seen {
    /// Recovered in this time at the longest.
    pub(crate) fn recovered(longest: Duration) -> Seen {
        Seen { recovered: Some(longest), notes: vec![] }
    }

    /// Something worth a line.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Seen {
        self.notes.push(note.into());
        self
    }
}

/// Why a row did not pass.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// What was found.
    Failed(Vec<String>),
    /// What this machine lacks.
    Skipped(String),
}

impl From<String> for Stop {
    fn from(fault: String) -> Stop {
        Stop::Failed(vec![fault])
    }
}

impl From<local::Error> for Stop {
    fn from(error: local::Error) -> Stop {
        Stop::from(error.to_string())
    }
}
