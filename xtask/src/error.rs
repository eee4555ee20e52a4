//! What went wrong, for the terminal.

use serde::{Deserialize, Serialize};

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// On the way to a running system.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// Anything else, already in words.
    #[error("{0}")]
    Said(String),
    /// From a supervisor, which has told it over its pipe.
    #[error("{}", .0.message)]
    Told(Told),
}

/// A failure that crosses a process boundary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    /// One sentence.
    pub(crate) message: String,
    /// The failed process's log, if there is one.
    pub(crate) log: Option<String>,
    /// Its last lines.
    pub(crate) tail: Vec<String>,
}

impl Error {
    /// In words.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }

    /// In the form that crosses a process boundary.
    pub(crate) fn told(&self) -> Told {
        match self {
            Error::Told(told) => told.clone(),
            Error::Local(local::Error::Process { log, tail, .. }) => {
                Told { message: self.to_string(), log: Some(log.display().to_string()), tail: tail.clone() }
            }
            _ => Told { message: self.to_string(), log: None, tail: vec![] },
        }
    }

    /// On stderr: the sentence, and the last lines of the log that belongs to it.
    pub(crate) fn print(&self) {
        let told = self.told();
        eprintln!("error: {}", told.message);
        if let Some(log) = told.log {
            match told.tail.len() {
                0 => eprintln!("its log is empty: {log}"),
                lines => eprintln!("the last {lines} lines of {log}:"),
            }
            for line in told.tail {
                eprintln!("    {line}");
            }
        }
    }
}
