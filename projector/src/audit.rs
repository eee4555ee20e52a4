//! `projector audit`: what replicas hold at one position, compared, and mended where it differs. A mark in the stream fixes the
//! position, each projector keeps a snapshot of its replica there, and the rows of that snapshot are hashed.

pub(crate) mod arguments;
pub(crate) mod hash;
pub(crate) mod mark;
pub(crate) mod on_record;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod round;
pub(crate) mod snapshot;

mod heal;
mod keys;
mod side;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use contract::Position;
use service::Config;
use service::telemetry::{say, with_causes};
use stream::Link;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::{rebuild, status};
use on_record::Records;
use progress::Progress;
use report::{SHOWN_TO_PEOPLE, SHOWN_TO_PROGRAMS, Verdict};
use round::Ask;

/// What the command exits with when nothing can be said.
const UNKNOWN: u8 = 2;
/// Between two looks whether the stream has come to a position.
const LOOK: Duration = Duration::from_millis(50);

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such table.
    #[error("there is no table {table:?} to compare; there are: {known}")]
    NoTable {
        /// As asked for.
        table: String,
        /// Those that there are.
        known: String,
    },
    /// The stream has not come so far.
    #[error(
        "the stream has not come to {position} within {seconds} s, it is at {head}: nothing was compared"
    )]
    NotYet {
        /// As asked for.
        position: Position,
        /// Where it is.
        head: Position,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A replica that has to be compared cannot be.
    #[error("replica {replica} cannot be compared: {why}")]
    Unfit {
        /// The replica.
        replica: String,
        /// Why.
        why: String,
    },
    /// There is something in the way of a fold of the stream.
    #[error(
        "in replica {replica} lies a generation that was built from {from} and not swapped in, where the stream would be \
         folded: end its rebuild, or remove it with `projector prune --replica {replica}`"
    )]
    Occupied {
        /// The replica.
        replica: String,
        /// What it was made from.
        from: String,
    },
    /// The replica went on before it was healed.
    #[error(
        "replica {replica} did not wait at {position} until it was healed (its projector was restarted, or another generation \
         was swapped in); nothing was changed. Try again"
    )]
    WentOn {
        /// The replica.
        replica: String,
        /// Of the mark.
        position: Position,
    },
    /// A replica cannot be made from itself.
    #[error("replica {0} cannot be healed from itself: name another one, or the stream")]
    Itself(String),
    /// There is no such replica.
    #[error("{0}")]
    NoReplica(String),
    /// No mark was put.
    #[error(transparent)]
    Mark(#[from] mark::Error),
    /// A replica could not be looked at.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// The stream could not be folded.
    #[error(transparent)]
    Fold(#[from] rebuild::Error),
    /// The stream or the database failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Failure(error.into())
    }
}

impl From<replica::Error> for Error {
    fn from(error: replica::Error) -> Error {
        Error::Failure(error.into())
    }
}

impl From<stream::Error> for Error {
    fn from(error: stream::Error) -> Error {
        Error::Failure(error.into())
    }
}

/// The whole error, for a line.
pub(crate) fn with_its_causes(error: &(dyn std::error::Error + 'static)) -> String {
    with_causes(error)
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) at: Option<u64>,
    pub(crate) tables: Vec<String>,
    pub(crate) heal: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) patience: Duration,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

impl Options {
    fn ask(&self) -> Ask<'_> {
        let shown = if self.json { SHOWN_TO_PROGRAMS } else { SHOWN_TO_PEOPLE };
        Ask { tables: &self.tables, patience: self.patience, shown }
    }

    fn progress(&self) -> Progress {
        if self.json { Progress::default() } else { Progress::start() }
    }
}

/// Compares, or heals and compares. Whatever cannot be said is said so by its exit code.
pub(crate) async fn audit(config: &Config, options: Options) -> ExitCode {
    match run(config, &options).await {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            say(&format!("projector: {}", with_causes(&error)));
            ExitCode::from(UNKNOWN)
        }
    }
}

async fn run(config: &Config, options: &Options) -> Result<Verdict, Error> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = rebuild::connect(config, "atelier projector audit", stop).await?;
    if let Some(at) = options.at {
        reach(&link, Position(at), options.patience).await?;
    }
    let heard = status::listen(&link).await?;
    if let (Some(replica), Some(from)) = (&options.heal, &options.from) {
        return heal::heal(config, &link, &heard, options, replica, from).await;
    }
    if options.dry_run {
        let fit = |name: &str| round::fit(heard.get(name), link.epoch());
        for replica in &config.replicas {
            match fit(&replica.name) {
                Ok(()) => println!("replica {} would be compared", replica.name),
                Err(why) => println!("replica {} would not be compared: {why}", replica.name),
            }
        }
        let all = config.replicas.iter().all(|replica| fit(&replica.name).is_ok());
        return Ok(if all { Verdict::Equal } else { Verdict::Unknown });
    }
    let records = Records::begin(config.replicas.iter(), "audit").await;
    let progress = options.progress();
    let report = round::round(config, &link, &heard, &options.ask(), &progress).await;
    drop(progress);
    match &report {
        Ok(report) => {
            let of_what = match options.tables.as_slice() {
                [] => String::new(),
                tables => format!(" in {}", tables.join(", ")),
            };
            on_record::put(config, report, &of_what).await;
            records.end(report.result.word()).await;
        }
        Err(error) => records.end(&with_causes(error)).await,
    }
    let report = report?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else {
        print!("{}", report.words());
        if report.result == Verdict::Different {
            println!(
                "what mends it: projector audit --heal REPLICA --from OTHER, or --from stream; with --dry-run it shows which \
                 buckets. Each row above is what the replica holds: look which one is right first"
            );
        }
    }
    Ok(report.result)
}

/// Waits until the stream has come to a position.
async fn reach(link: &Link, position: Position, patience: Duration) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let head = link.head().await?;
        if head >= position {
            return Ok(());
        }
        if began.elapsed() > patience {
            return Err(Error::NotYet { position, head, seconds: patience.as_secs() });
        }
        tokio::time::sleep(LOOK).await;
    }
}
