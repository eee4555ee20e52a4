//! The command line.

use std::net::SocketAddr;

use clap::{Parser, Subcommand, ValueEnum};

/// Applies Atelier's event stream to Postgres replicas, and operates them.
#[derive(Debug, Parser)]
#[command(name = "projector", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create what is missing: key and password files, the stream, roles, databases, tables. Safe to repeat
    Init {
        #[command(flatten)]
        config: service::config::Arguments,
    },
    /// Apply the stream to one replica, until stopped
    Run {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// Where /livez, /readyz and /metrics are served
        #[arg(long, value_name = "ADDRESS")]
        operations: SocketAddr,
    },
    /// Show every replica: its state and why, position, and how far it is behind
    Status {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Check everything and say what mends what is wrong; changes nothing
    Doctor {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
        /// Fail on warnings too
        #[arg(long)]
        strict: bool,
    },
    /// Show the keys that seal and open e-mail addresses, and how many addresses each replica holds under each
    Keys {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Open one e-mail address and print it. It is private: mind who looks on
    Address {
        #[command(flatten)]
        config: service::config::Arguments,
        /// What it was written with
        #[arg(value_enum)]
        kind: Sealed,
        /// The id of the review, question or answer
        id: i64,
    },
    /// Send a marker through the whole system and say how long it took; changes no data
    Probe {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
}

/// What is written with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sealed {
    Review,
    Question,
    Answer,
}

impl Verb {
    pub(crate) fn config(&self) -> &service::config::Arguments {
        match self {
            Verb::Init { config }
            | Verb::Run { config, .. }
            | Verb::Status { config, .. }
            | Verb::Doctor { config, .. }
            | Verb::Keys { config, .. }
            | Verb::Address { config, .. }
            | Verb::Probe { config, .. } => config,
        }
    }
}
