//! `bench commits`: the group commit alone, while no replica applies what it stores.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use futures::FutureExt;
use serde_json::Value;
use service::config::Writer;

use crate::constant::{Constant, before};
use crate::contestant::{Batches, Committed, Contestant, Posts, Publishes, post_and_read_back};
use crate::disk;
use crate::error::Error;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::report::Report;
use crate::row::{Line, Row};
use crate::rows::writes::reviews;
use crate::{stop_and_report, tool, unless_interrupted};

/// Callers and connections of the row for many.
const MANY: usize = 256;
/// Events of each batch of the reference.
const BATCH: usize = 256;

const PUBLISHES: &str = "plain publishes from a loop, 256 in flight";
const BATCHES: &str = "batches of 256 from a loop, one after another";
const COMMITTED: &str = "the group commit in process, 256 callers";
const ONE_WRITER: &str = "POST through nginx, one writer, 256 connections";
const TWO_WRITERS: &str = "POST through nginx, two writers, 256 connections";
const PLAIN_WRITER: &str = "POST through nginx, a writer that publishes plainly, 256 connections";
const ALONE: &str = "POST through nginx, one connection";
const PUBLISH_ALONE: &str = "plain publishes from a loop, one in flight";
const CONSTANT_ALONE: &str = "a constant to the same POST through nginx, one connection";

/// Measure the group commit while the projectors are stopped: in process, and as POST /reviews with `Prefer:
/// respond-async`, beside plain publishes, raw batches, and a writer that publishes plainly
#[derive(Debug, Args)]
pub(crate) struct CommitArguments {
    /// How long each line is measured in each round, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Rounds; every other one runs backwards
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// The writers' commits on their way at a time, instead of the default
    #[arg(long)]
    commits: Option<usize>,
    /// From how many events on a commit is one batch, instead of the default
    #[arg(long)]
    batch_from: Option<usize>,
    /// The rows to measure; all when none is named
    #[arg(value_name = "ROW", value_parser = ["commits", "posts", "alone"])]
    rows: Vec<String>,
    /// Write all figures, round by round, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl CommitArguments {
    fn settings(&self) -> Writer {
        let default = Writer::default();
        Writer {
            commits: self.commits.unwrap_or(default.commits),
            batch_from: self.batch_from.unwrap_or(default.batch_from),
            ..default
        }
    }
}

/// Measures, prints the table.
pub(crate) async fn run(arguments: &CommitArguments) -> Result<(), Error> {
    let started = async {
        let oha = tool::oha().await?;
        let settings = arguments.settings();
        let shape = |mut options: local::SystemOptions| {
            options.writers = 3;
            options
                .with_environment("writer", "ATELIER_WRITER_COMMITS", &settings.commits.to_string())
                .with_environment("writer", "ATELIER_WRITER_BATCH_FROM", &settings.batch_from.to_string())
                .with_environment("writer-3", "ATELIER_WRITER_BATCH_FROM", "1000000")
                .with_environment("writer-3", "ATELIER_WRITER_COMMITS", "20")
        };
        Ok((oha, Private::start_as(1_000, false, shape).await?))
    };
    let (oha, private) = unless_interrupted(started).await?;
    let measured = AssertUnwindSafe(unless_interrupted(measure(arguments, &private, &oha)));
    stop_and_report(measured.catch_unwind().await, private, arguments.json.as_deref()).await
}

async fn measure(arguments: &CommitArguments, private: &Private, oha: &Path) -> Result<Report, Error> {
    let file_system = disk::file_system(private.folder.path());
    if disk::is_memory(&file_system) {
        return Err(Error::said(format!(
            "the data lies on {file_system}; name a folder on a disk with TMPDIR"
        )));
    }
    let mut rows = rows(private, oha, &arguments.settings()).await?;
    rows.retain(|row| arguments.rows.is_empty() || arguments.rows.iter().any(|name| name == row.name));
    for replica in private.system.replicas() {
        private.system.process(&format!("projector-{replica}")).stop().await;
    }
    let mut outcomes = Vec::new();
    for row in rows {
        eprintln!("{}: {}", row.name, row.about);
        outcomes.push(row.measure(private, arguments.rounds, Duration::from_secs(arguments.seconds)).await?);
    }
    Ok(Report {
        schema_version: 1,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system,
        products: 1_000,
        seconds: arguments.seconds,
        rounds: arguments.rounds,
        rows: outcomes,
    })
}

async fn rows(private: &Private, oha: &Path, settings: &Writer) -> Result<Vec<Row>, Error> {
    let reviews = reviews(private).await?;
    let sample = reviews.first().ok_or_else(|| Error::said("the catalogue has no products"))?;
    let position = post_and_read_back(private, "commits", sample).await?;
    let publishes = async |in_flight| Publishes::prepare(&private.stream, position, in_flight).await;
    let plain = publishes(MANY).await?;
    let about = format!("an event has {} bytes; no replica applies them meanwhile", plain.bytes());

    let bodies = private.folder.path().join("reviews.jsonl");
    write_lines(&bodies, &reviews.iter().map(Value::to_string).collect::<Vec<_>>())?;
    let ports: Vec<u16> = private.system.writer_urls().iter().filter_map(|url| port(url)).collect();
    let (one, two) = (before(private, vec![ports[0]]).await?, before(private, ports[..2].to_vec()).await?);
    let plainly = before(private, vec![ports[2]]).await?;
    let load = |base: &str, connections| Load {
        oha: oha.to_owned(),
        connections,
        status: 201,
        rate: None,
        requests: Requests::Post {
            url: format!("{base}/reviews"),
            bodies: bodies.clone(),
            header: Some("Prefer: respond-async"),
        },
    };
    let posts = |name, beside, base: &str, connections| Line {
        name,
        beside,
        contestant: Contestant::Posts(Posts { load: load(base, connections), sample: None }),
    };
    let line = |name, beside, contestant| Line { name, beside, contestant };
    let constant = Constant::start(private, 30).await?;
    #[expect(clippy::cast_precision_loss, reason = "some bytes")]
    let constants = crate::contestant::Reads {
        load: load(&constant.nginx, 1),
        sample: Vec::new(),
        mean_bytes: constant.body.len() as f64,
    };
    let committed = Committed::prepare(private, position, MANY, settings).await?;
    let batches = Batches { messages: publishes(MANY).await?, size: BATCH };
    Ok(vec![
        Row {
            name: "commits",
            about: about.clone(),
            lines: vec![
                line(COMMITTED, &[PUBLISHES, BATCHES], Contestant::Committed(committed)),
                line(PUBLISHES, &[], Contestant::Publishes(plain)),
                line(BATCHES, &[], Contestant::Batches(batches)),
            ],
        },
        Row {
            name: "posts",
            about: about.clone(),
            lines: vec![
                posts(ONE_WRITER, &[PLAIN_WRITER], &one, 256),
                posts(TWO_WRITERS, &[ONE_WRITER], &two, 256),
                posts(PLAIN_WRITER, &[], &plainly, 256),
            ],
        },
        Row {
            name: "alone",
            about,
            lines: vec![
                posts(ALONE, &[PUBLISH_ALONE], &one, 1),
                line(PUBLISH_ALONE, &[], Contestant::Publishes(publishes(1).await?)),
                line(CONSTANT_ALONE, &[], Contestant::Reads(constants)),
            ],
        },
    ])
}

fn port(url: &str) -> Option<u16> {
    reqwest::Url::parse(url).ok()?.port()
}
