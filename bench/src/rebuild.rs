//! `bench rebuild`: a replica rebuilt from the stream and from another one, beside what plain SQL and pg_dump do with the
//! same rows; and what shoppers feel of it.

mod asked;
mod chance;
mod copy;
mod felt;
mod mix;
mod plain;
mod publish;
mod replay;
mod shoppers;
mod table;
mod verb;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use futures::FutureExt;
use service::Config;

use crate::error::Error;
use crate::private::Private;
use crate::{disk, unless_interrupted};

use table::Outcome;

/// The replica that is rebuilt; the other one is what it is compared with.
const REBUILT: usize = 1;
const OTHER: usize = 0;

/// Measure rebuilds of a replica: from the stream, beside plain SQL that puts in the same rows; from the other replica,
/// beside pg_dump and pg_restore of the same tables; and under 500 reads and 200 writes a second
///
/// A catalogue is imported, ordinary events in a plausible mix are published past the writers, both replicas apply them.
/// Then each part is measured alone, and what shoppers feel with nginx over both.
#[derive(Debug, Args)]
pub(crate) struct RebuildArguments {
    /// What to measure; all when none is named
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
    /// Ordinary events in the stream
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    events: u64,
    /// Products of the made-up catalogue; about 71 rows belong to each
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(500..=1_000_000))]
    products: u64,
    /// `--max-rate` of the rebuilds under load; none: they yield to shoppers by themselves
    #[arg(long)]
    max_rate: Option<u64>,
    /// Write all figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the data and logs where they are, and say where
    #[arg(long)]
    keep: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A rebuild from the stream, and plain SQL
    Stream,
    /// A rebuild from the other replica, and pg_dump with pg_restore
    Replica,
    /// Both, and rollbacks, under load
    Load,
}

/// Measures, prints the tables.
pub(crate) async fn run(arguments: &RebuildArguments) -> Result<(), Error> {
    let private = unless_interrupted(Private::start(arguments.products, arguments.keep)).await?;
    let measured = AssertUnwindSafe(unless_interrupted(measure(arguments, &private))).catch_unwind().await;
    private.stop().await;
    let outcome = measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))?;
    match &arguments.json {
        Some(path) => outcome.write(path),
        None => Ok(()),
    }
}

async fn measure(arguments: &RebuildArguments, private: &Private) -> Result<Outcome, Error> {
    let from = service::config::Arguments { config: private.system.config_path(), overrides: vec![] };
    let config = Config::load(&from).map_err(|mistakes| Error::said(mistakes.to_string()))?;
    let between = publish::publish(private, &config, arguments.events).await?;
    say("both replicas apply them");
    let began = std::time::Instant::now();
    private.until_applied().await?;
    let followed = began.elapsed().as_secs_f64();
    say(&format!("applied {followed:.1} s after the last one was published"));
    let is_asked_for = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let mut outcome = Outcome {
        schema_version: 1,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(private.folder.path()),
        products: arguments.products,
        events: arguments.events,
        stream: None,
        plain: None,
        replica: None,
        load: None,
    };
    // A part that was measured is told at once: the next one may fail.
    println!("{}\n", outcome.heading());
    if is_asked_for(Part::Stream) {
        let stream = replay::measure(private, REBUILT, between).await?;
        say(&table::from_stream(&stream, None));
        prune(private).await?;
        let plain = plain::measure(private, REBUILT, between).await?;
        println!("{}\n", table::from_stream(&stream, Some(&plain)));
        (outcome.stream, outcome.plain) = (Some(stream), Some(plain));
    }
    if is_asked_for(Part::Replica) {
        let replica = copy::measure(private, OTHER, REBUILT).await?;
        println!("{}\n", table::from_replica(&replica));
        outcome.replica = Some(replica);
        prune(private).await?;
    }
    if is_asked_for(Part::Load) {
        let load = felt::measure(private, OTHER, REBUILT, arguments.max_rate).await?;
        println!("{}\n", table::under_load(&load));
        outcome.load = Some(load);
    }
    Ok(outcome)
}

/// Removes the generation before, so that each part finds the same.
async fn prune(private: &Private) -> Result<(), Error> {
    verb::run(private, &["prune", "--replica", &private.system.replicas()[REBUILT]]).await.map(drop)
}

/// For the person who waits.
fn say(line: &str) {
    eprintln!("{line}");
}
