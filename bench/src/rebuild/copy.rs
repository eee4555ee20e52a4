//! A rebuild from another replica, beside pg_dump and pg_restore of the same tables.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use local::TemporaryFolder;
use serde::Serialize;
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use super::replay::FLAT_OUT;
use super::{say, verb};
use crate::error::Error;
use crate::private::Private;

/// What both took, in seconds.
#[derive(Debug, Serialize)]
pub(super) struct FromReplica {
    pub(super) rows: u64,
    /// Until every row is copied, and every key and index made.
    pub(super) copied: f64,
    pub(super) whole: f64,
    pub(super) swap_ms: Option<f64>,
    pub(super) foretold: Option<f64>,
    pub(super) dumped: f64,
    pub(super) restored: f64,
}

impl FromReplica {
    pub(super) fn rate(&self) -> f64 {
        self.rows as f64 / self.copied
    }

    pub(super) fn reference(&self) -> f64 {
        self.rows as f64 / (self.dumped + self.restored)
    }
}

/// Rebuilds a replica from another one, then dumps and restores the same tables.
///
/// # Errors
/// When one of both fails.
pub(super) async fn measure(private: &Private, from: usize, replica: usize) -> Result<FromReplica, Error> {
    let names = private.system.replicas();
    let source = format!("replica:{}", names[from]);
    let ran = verb::run(
        private,
        &["rebuild", "--replica", &names[replica], "--from", &source, "--max-rate", FLAT_OUT],
    )
    .await?;
    let report = ran.report().ok_or_else(|| Error::said("the rebuild does not say what it did"))?;
    let copied =
        copied(&ran.said).ok_or_else(|| Error::said("the rebuild does not say how long it copied"))?;
    let end = ran.began + std::time::Duration::from_secs_f64(copied);
    let (dumped, restored) = reference(private, from, replica).await?;
    Ok(FromReplica {
        rows: report["rows"].as_u64().unwrap_or_default(),
        copied,
        whole: ran.ended.duration_since(ran.began).as_secs_f64(),
        swap_ms: report["swap_ms"].as_f64(),
        foretold: ran.foretold("copy", end),
        dumped,
        restored,
    })
}

/// As in "copied 7 rows of replica a as of 1000000006, 12 MB with indexes, in 1.5 s".
fn copied(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.starts_with("copied "))?;
    line.rsplit_once(" in ")?.1.strip_suffix(" s")?.parse().ok()
}

/// The fastest way that pg_dump knows: a folder, two jobs, nothing compressed.
async fn reference(private: &Private, from: usize, into: usize) -> Result<(f64, f64), Error> {
    let folder = TemporaryFolder::new("dump")?;
    let dump = folder.path().join("dump");
    let database = &private.databases[into];
    sqlx::raw_sql("drop database if exists reference").execute(database).await?;
    sqlx::raw_sql("create database reference").execute(database).await?;
    say("pg_dump -Fd -j 2 -Z 0, pg_restore -j 2");
    let began = Instant::now();
    let mut tool = Tool::of(private, "pg_dump", from)?;
    tool.command.args(["--format=directory", "--jobs=2", "--compress=0", "--no-owner", "--no-privileges"]);
    tool.command.args([
        "--schema=live",
        "--exclude-table=live.checkpoint",
        "--exclude-table=live._sqlx_migrations",
    ]);
    tool.command.arg("--file").arg(&dump).args(["--dbname", "atelier"]);
    tool.run().await?;
    let dumped = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let mut tool = Tool::of(private, "pg_restore", into)?;
    tool.command.args([
        "--jobs=2",
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        "--dbname",
        "reference",
    ]);
    tool.command.arg(&dump);
    tool.run().await?;
    let restored = began.elapsed().as_secs_f64();
    say(&format!("dumped in {dumped:.1} s, restored in {restored:.1} s"));
    let gone = "drop database reference";
    sqlx::raw_sql(AssertSqlSafe(gone)).execute(database).await?;
    Ok((dumped, restored))
}

/// One of Postgres's own tools.
struct Tool {
    binary: PathBuf,
    command: Command,
}

impl Tool {
    fn of(private: &Private, name: &str, replica: usize) -> Result<Self, Error> {
        let system = &private.system;
        let url = system.postgres_url(&system.replicas()[replica])?;
        let url = reqwest::Url::parse(&url)
            .map_err(|error| Error::failed("read a replica's address")(error.into()))?;
        let binary = system.components().postgres_bin.join(name);
        let mut command = Command::new(&binary);
        command
            .args(["--host", "127.0.0.1", "--username", "postgres", "--port"])
            .arg(url.port().unwrap_or(5432).to_string())
            // Not on the command line, which everybody on the machine may read.
            .env("PGPASSWORD", url.password().unwrap_or_default())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(Self { binary, command })
    }

    async fn run(mut self) -> Result<(), Error> {
        let output = self.command.output().await;
        let output = output
            .map_err(|error| Error::said(format!("{} does not run: {error}", self.binary.display())))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Error::said(format!("{} failed ({}): {}", self.binary.display(), output.status, said.trim())))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn how_long_was_copied_is_read_from_what_is_said() {
        let said = "x\ncopied 7 rows of replica a as of 1000000006, 12 MB with indexes, in 1.5 s\ny";
        assert_eq!(super::copied(said), Some(1.5));
        assert_eq!(super::copied("nothing"), None);
    }
}
