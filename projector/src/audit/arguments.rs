//! What `projector audit` takes.

use std::time::Duration;

use super::Options;

/// Exit codes, below the help.
const EXIT: &str = "\
Exits with 0 when all replicas were compared and are equal (or healed), with 1 when some differ, with 2 when it cannot be said: \
a replica was not compared (its line says why), or nothing was. A difference among those that were compared is a 1, whoever was \
not.

Every replica's projector keeps a snapshot at a mark in the stream and goes on applying, at most 50 commits in a second as long \
as somebody reads in it. Readers are not touched. The result is put on record on each replica (control.audits).";

/// Compare what all replicas hold at one position of the stream, table by table and row by row; or mend one
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) config: service::config::Arguments,
    /// Compare at the first mark behind this position: waits until the stream has come to it, so that what was written there is
    /// in the comparison
    #[arg(long, value_name = "POSITION")]
    at: Option<u64>,
    /// Compare these tables alone
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    tables: Vec<String>,
    /// Replace the buckets of this replica in which it differs from --from, at a mark where its projector pauses, and compare again
    #[arg(long, value_name = "REPLICA", requires = "from")]
    heal: Option<String>,
    /// Another replica's name, or `stream`: then everything is folded anew from the stream, beside what serves
    #[arg(long, value_name = "OTHER", requires = "heal")]
    from: Option<String>,
    /// Wait so many seconds for the stream and for each replica's projector to come to the position
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
    /// Say who would be compared, or which buckets would be replaced; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Options {
        let Arguments { config: _, at, tables, heal, from, patience, dry_run, json } = arguments;
        Options { at, tables, heal, from, patience: Duration::from_secs(patience), dry_run, json }
    }
}
