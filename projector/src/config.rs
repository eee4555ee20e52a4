//! The command line.

mod backups;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use backups::{Against, Proof, Snapshot, SnapshotVerb, StreamVerb};

use crate::rebuild::Source;
use crate::{parked, rejected};

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
    /// Show every replica: its state and why, position, how far it is behind and for how long yet
    Status {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Again every two seconds, until it is interrupted
        #[arg(long)]
        watch: bool,
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
    /// Check the stream: no gaps, and its events by type against what each replica has counted; changes nothing
    Verify {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Look at the events that a replica rejected
    #[command(subcommand)]
    Rejected(rejected::Verb),
    /// Look at the events that no replica is to apply, and decide that for one
    #[command(subcommand)]
    Parked(parked::Verb),
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
    /// Add a replica while everything serves: its database is prepared, filled and compared, then it joins. Goes on where it was
    /// broken off
    Add {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The new replica's name
        #[arg(long)]
        replica: String,
        /// Its database, empty or not there yet: postgres://HOST:PORT/DATABASE, without user and password
        #[arg(long, value_name = "URL")]
        database_url: String,
        /// Folder of its roles' passwords, where the superuser's lies in a file named postgres [default: passwords/NAME beside the
        /// configuration]
        #[arg(long, value_name = "DIR")]
        passwords: Option<PathBuf>,
        /// `stream` or `replica:NAME`; without it the faster one is taken
        #[arg(long, value_name = "SOURCE")]
        from: Option<Source>,
        /// At most so many events or rows in a second
        #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
        max_rate: Option<u64>,
        #[command(flatten)]
        wait: Wait,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Drop a replica while everything serves, unless it is the last one that does
    Drop {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// Remove its database too
        #[arg(long)]
        with_data: bool,
        #[command(flatten)]
        wait: Wait,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    Audit(crate::audit::arguments::Arguments),
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
    /// Begin another life of the stream with what the most advanced replica holds, when the stream was damaged or lost. Shows
    /// the plan, and changes nothing without --yes. Goes on where it was broken off
    Recover {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Do it
        #[arg(long)]
        yes: bool,
        /// Say what would be done, and do nothing: so it is without --yes
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
        /// Folder below which the old stream's files and a snapshot are kept [default: recovered beside the configuration]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Go on from this replica, where not all that replicas hold can be kept
        #[arg(long, value_name = "REPLICA")]
        base: Option<String>,
        /// Leave this replica as it is, because it does not answer: what it alone holds is lost
        #[arg(long, value_name = "REPLICA")]
        without: Vec<String>,
        /// Go on although the old stream's files cannot be saved
        #[arg(long)]
        without_files: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
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

/// How long a verb waits for what others do: a supervisor, or whoever starts and stops processes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Wait {
    /// Wait at most so long for projector, readers and nginx to follow
    #[arg(long = "wait", value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,
    /// Do not wait for them
    #[arg(long = "no-wait", conflicts_with = "seconds")]
    none: bool,
}

impl Wait {
    /// None: not at all.
    pub(crate) fn bound(self) -> Option<Duration> {
        (!self.none).then_some(Duration::from_secs(self.seconds))
    }
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
            | Verb::Verify { config, .. }
            | Verb::Keys { config, .. }
            | Verb::Address { config, .. }
            | Verb::Rebuild { config, .. }
            | Verb::Rollback { config, .. }
            | Verb::Prune { config, .. }
            | Verb::Add { config, .. }
            | Verb::Drop { config, .. }
            | Verb::Restore { config, .. }
            | Verb::Recover { config, .. }
            | Verb::Probe { config, .. } => config,
            Verb::Audit(arguments) => &arguments.config,
            Verb::Rejected(verb) => verb.config(),
            Verb::Parked(verb) => verb.config(),
            Verb::Snapshot(snapshot) => snapshot.config(),
            Verb::Stream(verb) => verb.config(),
        }
    }
}
