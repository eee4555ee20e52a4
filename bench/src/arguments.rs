//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::audit::AuditArguments;
use crate::commits::CommitArguments;
use crate::follow::FollowArguments;
use crate::import::ImportArguments;
use crate::overload::OverloadArguments;
use crate::rebuild::RebuildArguments;
use crate::statements::StatementArguments;
use crate::visible::VisibleArguments;

/// Measures Atelier, each row beside its reference.
///
/// Starts a private system (two replicas, a reader each, one writer, nginx, a made-up catalogue) in a temporary folder,
/// measures, checks answers, and stops it. Load goes to 127.0.0.1 only, and only for the time of the rounds.
///
/// Everything shares this machine's cores, the load included: the absolute figures belong to this machine and this run.
/// Read the ratios. Run it on a machine that does nothing else.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", version, max_term_width = 110, after_long_help = ROWS, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// Something else than rows.
    #[command(subcommand)]
    pub(crate) other: Option<Other>,
    /// The rows to measure; all when none is named
    #[arg(value_enum, value_name = "ROW")]
    pub(crate) rows: Vec<RowName>,
    /// How long each line of a row is measured in each round, in seconds. Short rounds measure chance
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    pub(crate) seconds: u64,
    /// Rounds. In each, every line is measured once; every other round runs them backwards, so that a drift of the
    /// machine falls on all alike
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) rounds: u64,
    /// Products of the made-up catalogue; about 71 rows belong to each
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(20..=1_000_000))]
    pub(crate) products: u64,
    /// Write all figures, round by round, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Leave the private system's data and logs where they are, and say where
    #[arg(long)]
    pub(crate) keep: bool,
}

/// What is measured alone.
#[derive(Debug, Subcommand)]
pub(crate) enum Other {
    Statements(StatementArguments),
    Import(ImportArguments),
    Commits(CommitArguments),
    Follow(FollowArguments),
    Visible(VisibleArguments),
    Overload(OverloadArguments),
    Audit(AuditArguments),
    Rebuild(RebuildArguments),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowName {
    /// `GET /reviews`
    Reviews,
    /// `GET /products/:id/styles`
    Styles,
    /// `POST /reviews`
    Writes,
}

impl RowName {
    /// Its name on the command line and in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            RowName::Reviews => "reviews",
            RowName::Styles => "styles",
            RowName::Writes => "writes",
        }
    }
}

const ROWS: &str = "\
Rows:
  reviews  GET /reviews?product_id=N, N at random over all products, 64 connections: through nginx, and straight
           from one reader. Beside a handler that answers a constant of the same size, behind an nginx of the
           same configuration and straight; and beside pgbench, which fetches these very answers, stored as
           text, by primary key (-M prepared, 8 clients, TCP, in a database of its own of the same cluster).
  styles   GET /products/N/styles, in the same way.
  writes   POST /reviews, 256 connections through nginx, each answer a 201 for a review that is fsynced: with
           `Prefer: respond-async`, and without, which waits for the replicas to apply it, 250 ms at most.
           Beside a loop that keeps 256 plain publishes with Nats-Msg-Id in flight on the same nats-server,
           messages of the same size, into a stream of the same settings that nobody reads.

Columns:
  a second, p50, p99   the median of the rounds, and in parentheses the lowest and the highest round
  beside               how many times the reference's rate this is, from the ratios within each round

Checked: every answer under load has the expected status, or the row fails; a sample of bodies is compared
with the database before the load and read again after it; each acknowledged write is counted in the stream
and applied by every replica.

The load comes from oha, compiled once into .atelier/tools.";
