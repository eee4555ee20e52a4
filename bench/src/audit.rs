//! `bench audit`: how long a comparison of all replicas takes beside plain SQL, what it costs those who write, and whether it
//! finds every changed value.

mod changes;
mod speed;

use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use futures::FutureExt;
use serde_json::Value;
use tokio::process::Command;

use crate::error::Error;
use crate::private::Private;
use crate::{tool, unless_interrupted};

/// What an audit is measured against.
const MOST_RATIO: f64 = 2.0;
const MOST_SLOWDOWN: f64 = 0.1;

/// Measure `projector audit`: beside plain SQL that counts and sums a hash over the same tables, its cost for those who write,
/// and seeded changes of single values, each of which it must find and name
///
/// The large tables are made by plain SQL, the same in both replicas. Fails when a bound is broken: twice the time of the
/// reference over the same tables, a tenth of the applied events a second, or one change that is not found.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Rows of each replica; 0: do not measure the time
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(0..=100_000_000))]
    rows: u64,
    /// Values that are changed, one at a time; 0: none
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    changes: u64,
    /// The seed by which they are chosen; without it another one each time, which is printed
    #[arg(long)]
    seed: Option<u64>,
    /// Writes a second while applying is watched
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    rate: u32,
    /// How long it is watched, with comparisons and without, in seconds
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=120))]
    seconds: u64,
}

/// Measures, prints.
pub(crate) async fn run(arguments: &AuditArguments) -> Result<(), Error> {
    let started = async { Ok((tool::oha().await?, Private::start(200, false).await?)) };
    let (oha, private) = unless_interrupted(started).await?;
    let measured = async {
        let mut broken = Vec::new();
        if arguments.changes > 0 {
            let seed = arguments.seed.unwrap_or_else(|| u64::from(std::process::id()) ^ 0x5eed);
            broken.extend(changes::all_are_found(&private, arguments.changes, seed).await?);
        }
        if arguments.rows > 0 {
            broken.extend(speed::measure(&private, &oha, arguments).await?);
        }
        Ok(broken)
    };
    let measured = AssertUnwindSafe(unless_interrupted(measured)).catch_unwind().await;
    private.stop().await;
    let broken = measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))?;
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::said(format!("not within the bounds: {}", broken.join("; "))))
    }
}

/// What `projector audit --json` said, and how long the command took.
async fn audit(private: &Private) -> Result<(Value, Duration), Error> {
    let started = Instant::now();
    let output = Command::new(private.system.binaries().join("projector"))
        .args(["audit", "--json", "--config"])
        .arg(private.system.config_path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::said(format!("projector does not run: {error}")))?;
    let took = started.elapsed();
    let report = serde_json::from_slice(&output.stdout).map_err(|_| {
        Error::wrong("audit", format!("it said {}", String::from_utf8_lossy(&output.stderr).trim()))
    })?;
    Ok((report, took))
}
