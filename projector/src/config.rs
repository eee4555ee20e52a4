//! The command line.

mod backups;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use backups::{Against, Proof, Snapshot, SnapshotVerb, StreamVerb};

use crate::rebuild::Source;

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
    /// Build a replica anew beside what it serves, prove it equal, and swap it in. Goes on where it was broken off
    Rebuild {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// `stream` or `replica:NAME`; without it the faster one is taken
        #[arg(long, value_name = "SOURCE")]
        from: Option<Source>,
        /// At most so many events or rows in a second; without it the work slows down when reads do
        #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
        max_rate: Option<u64>,
        /// Swap in also what differs from what serves: when the projection's logic changed, after having looked at it
        #[arg(long)]
        accept_differences: bool,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs, a line each second
        #[arg(long)]
        json: bool,
    },
    /// Let the generation that served before the last rebuild serve again, with everything that came since
    Rollback {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Remove the generation that served before the last rebuild, and what a broken rebuild left
    Prune {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Write what a replica holds into a folder, with checksums; or prove such a folder
    Snapshot(Snapshot),
    /// Make a replica anew from a snapshot beside what it serves, apply what came since, prove it equal, and swap it in
    Restore {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// The snapshot's folder
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// At most so many events or rows in a second; without it the work slows down when reads do
        #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
        max_rate: Option<u64>,
        /// Swap in also what differs from what serves: when what serves is damaged, after having looked at it
        #[arg(long)]
        accept_differences: bool,
        /// Check everything, say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs, a line each second
        #[arg(long)]
        json: bool,
    },
    /// Back the stream itself up, or make it again from a backup
    #[command(subcommand)]
    Stream(StreamVerb),
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
            | Verb::Rebuild { config, .. }
            | Verb::Rollback { config, .. }
            | Verb::Prune { config, .. }
            | Verb::Restore { config, .. }
            | Verb::Probe { config, .. } => config,
            Verb::Snapshot(snapshot) => snapshot.config(),
            Verb::Stream(verb) => verb.config(),
        }
    }
}
