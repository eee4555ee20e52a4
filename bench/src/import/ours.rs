//! An import into a system: from the files to replicas that serve.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use local::System;
use serde::Serialize;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::usage::{Usage, Watch, bytes_in};
use super::{Seconds, say};
use crate::error::Error;

const STATE: &str = include_str!("state.sql");
const SIZES: &str = include_str!("sizes.sql");
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// The whole takes this long at most.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

/// One import.
#[derive(Debug, Serialize)]
pub(crate) struct Ours {
    pub(crate) replicas: usize,
    /// From the importer's start to its end: the files are in the stream.
    pub(crate) streamed: Seconds,
    /// Until every replica has loaded every chunk.
    pub(crate) loaded: Seconds,
    /// Until every replica has made everything that the closing makes.
    pub(crate) closed: Seconds,
    /// Until nginx answers with the last product and its reviews.
    pub(crate) serving: Seconds,
    pub(crate) usage: BTreeMap<String, Usage>,
    pub(crate) stream_bytes: u64,
    /// Of them, sealed e-mail addresses.
    pub(crate) sealed_bytes: u64,
    /// Of one replica's database, indexes included.
    pub(crate) replica_bytes: u64,
}

/// Imports the files and waits until the system serves them.
///
/// # Errors
/// When the importer fails, or the replicas do not come to serve.
pub(crate) async fn measure(system: &System, files: &Path, folder: &Path) -> Result<Ours, Error> {
    let mut databases = Vec::new();
    for replica in system.replicas() {
        databases
            .push(PgPoolOptions::new().max_connections(1).connect(&system.postgres_url(replica)?).await?);
    }
    let replicas = databases.len();
    say(&format!("importing into {replicas} replica(s)"));
    let started = Instant::now();
    let mut importer = Command::new(system.binaries().join("importer"))
        .arg(files)
        .arg("--config")
        .arg(system.config_path())
        .arg("--quarantine")
        .arg(folder.join("quarantine"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::said(format!("the importer does not run: {error}")))?;
    let watch = Watch::start(system, &[("importer", importer.id().unwrap_or_default())]);
    let mut last = String::new();
    if let Some(told) = importer.stderr.take() {
        let mut lines = BufReader::new(told).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            say(&line);
            last = line;
        }
    }
    let ended =
        importer.wait().await.map_err(|error| Error::failed("wait for the importer")(error.into()))?;
    if !ended.success() {
        return Err(Error::said(format!("the importer failed ({ended}): {last}")));
    }
    let streamed = started.elapsed().as_secs_f64();
    say(&format!("in the stream after {streamed:.1} s"));
    let loaded = until(&databases, "loaded", started).await?;
    let closed = until(&databases, "closed", started).await?;
    until_served(system, started).await?;
    let serving = started.elapsed().as_secs_f64();
    say(&format!("serving after {serving:.1} s"));
    let usage = watch.stop();

    let sizes = sqlx::query(SIZES).fetch_one(&databases[0]).await?;
    let number =
        |column| sizes.try_get::<i64, _>(column).map(|bytes| u64::try_from(bytes).unwrap_or_default());
    let ours = Ours {
        replicas,
        streamed,
        loaded,
        closed,
        serving,
        usage,
        stream_bytes: bytes_in(&system.data().nats())?,
        sealed_bytes: number("sealed")?,
        replica_bytes: number("database")?,
    };
    for database in databases {
        database.close().await;
    }
    Ok(ours)
}

/// When every replica has come so far, in seconds since the start. The importer has ended, so the catalogue is whole.
async fn until(databases: &[PgPool], what: &str, started: Instant) -> Result<Seconds, Error> {
    loop {
        let mut all = true;
        for database in databases {
            all &= sqlx::query(STATE).fetch_one(database).await?.try_get::<bool, _>(what)?;
        }
        if all {
            let seconds = started.elapsed().as_secs_f64();
            say(&format!("{what} after {seconds:.1} s"));
            return Ok(seconds);
        }
        if started.elapsed() > PATIENCE {
            return Err(Error::said(format!("a replica has not {what} the catalogue")));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

async fn until_served(system: &System, started: Instant) -> Result<(), Error> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    for reader in system.reader_urls().into_iter().chain([system.url()]) {
        for path in ["/products/1", "/reviews?product_id=1", "/qa/questions?product_id=1"] {
            while !http.get(format!("{reader}{path}")).send().await.is_ok_and(|answer| answer.status() == 200)
            {
                if started.elapsed() > PATIENCE {
                    return Err(Error::said(format!("{reader}{path} is not served")));
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        }
    }
    Ok(())
}
