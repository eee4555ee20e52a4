//! pgbench: what Postgres itself gives when a ready text is fetched by its primary key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use local::{System, TemporaryFolder};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::Error;
use crate::figures::{Measured, percentile};

/// As many as a reader's pool would have, and what the project's other figures were taken with.
const CLIENTS: &str = "8";
const THREADS: &str = "2";
/// The share of transactions whose latency is logged: enough for a percentile, too few to be felt.
const LOGGED: &str = "0.05";
const PATIENCE: Duration = Duration::from_secs(30);

/// A table of texts in a database of its own, in the cluster of the first replica.
pub(crate) struct Pgbench {
    binary: PathBuf,
    port: u16,
    password: String,
    database: String,
    script: PathBuf,
    folder: TemporaryFolder,
}

impl Pgbench {
    /// Makes the database and fills its table.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub(crate) async fn prepare(system: &System, row: &str, texts: &[String]) -> Result<Self, Error> {
        let replica = &system.replicas()[0];
        let url = system.postgres_url(replica)?;
        let options: PgConnectOptions = url.parse()?;
        let database = format!("bench_{row}");
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {database}"))).execute(&mut connection).await?;
        connection.close().await?;

        let pool = PgPoolOptions::new().max_connections(1).connect_with(options.database(&database)).await?;
        sqlx::raw_sql(include_str!("pgbench/table.sql")).execute(&pool).await?;
        sqlx::query(include_str!("pgbench/fill.sql")).bind(texts).execute(&pool).await?;
        sqlx::raw_sql(include_str!("pgbench/settle.sql")).execute(&pool).await?;
        let last = i64::try_from(texts.len()).unwrap_or(i64::MAX);
        let found: String =
            sqlx::query_scalar("select text from texts where id = $1").bind(last).fetch_one(&pool).await?;
        pool.close().await;
        if Some(&found) != texts.last() {
            return Err(Error::wrong(row, "the texts for pgbench were not stored as they are"));
        }

        let folder = TemporaryFolder::new("pgbench")?;
        let script = folder.path().join("fetch.pgbench");
        std::fs::write(&script, include_str!("pgbench/fetch.pgbench").replace(":texts", &last.to_string()))
            .map_err(|error| Error::said(format!("write {}: {error}", script.display())))?;
        let parsed = reqwest::Url::parse(&url)
            .map_err(|error| Error::failed("read a replica's address")(error.into()))?;
        Ok(Self {
            binary: system.components().postgres_bin.join("pgbench"),
            port: parsed.port().unwrap_or(5432),
            password: parsed.password().unwrap_or_default().to_owned(),
            database,
            script,
            folder,
        })
    }

    pub(super) async fn measure(&self, line: &str, duration: Duration) -> Result<Measured, Error> {
        let running = Command::new(&self.binary)
            .args(["--no-vacuum", "--protocol", "prepared", "--client", CLIENTS, "--jobs", THREADS])
            .args(["--log", "--sampling-rate", LOGGED, "--log-prefix", "latency"])
            .args(["--time", &duration.as_secs().max(1).to_string()])
            .arg("--file")
            .arg(&self.script)
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--username", "postgres"])
            .arg(&self.database)
            // Not on the command line, which everybody on the machine may read.
            .env("PGPASSWORD", &self.password)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .output();
        let output = timeout(duration + PATIENCE, running)
            .await
            .map_err(|_| Error::wrong(line, "pgbench did not end"))?
            .map_err(|error| Error::said(format!("{} does not run: {error}", self.binary.display())))?;
        if !output.status.success() {
            return Err(Error::said(format!(
                "pgbench failed ({}): {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
        let mut latencies = self.latencies()?;
        read(&String::from_utf8_lossy(&output.stdout), &mut latencies).ok_or_else(|| {
            Error::wrong(line, "pgbench's report does not say what it should, or transactions failed")
        })
    }

    /// Reads the logs of this run, in milliseconds, and removes them.
    fn latencies(&self) -> Result<Vec<f64>, Error> {
        let failed = |error: std::io::Error| Error::failed("read pgbench's log")(error.into());
        let mut latencies = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with("latency.") {
                let text = std::fs::read_to_string(entry.path()).map_err(failed)?;
                // The third column is the transaction's time in microseconds.
                let times = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
                latencies.extend(times.map(|microseconds| microseconds / 1000.0));
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(latencies)
    }
}

/// None when something is missing or a transaction failed.
fn read(report: &str, latencies: &mut [f64]) -> Option<Measured> {
    let after = |start: &str| {
        let rest = report.lines().find_map(|line| line.strip_prefix(start))?;
        rest.split([' ', '/']).next()
    };
    let count: u64 = after("number of transactions actually processed: ")?.parse().ok()?;
    let failed: u64 = after("number of failed transactions: ")?.parse().ok()?;
    let per_second: f64 = after("tps = ")?.parse().ok()?;
    (count > 0 && failed == 0 && !latencies.is_empty()).then(|| Measured {
        count,
        per_second,
        p50_ms: percentile(latencies, 0.5),
        p99_ms: percentile(latencies, 0.99),
        statuses: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "transaction type: fetch.sql\nduration: 1 s\nnumber of transactions actually processed: 20123\n\
        number of failed transactions: 0 (0.000%)\nlatency average = 0.396 ms\ninitial connection time = 9.1 ms\n\
        tps = 20201.5 (without initial connection time)\n";

    #[test]
    fn a_report_becomes_figures() {
        let measured = read(REPORT, &mut [0.5, 0.4]).unwrap();
        assert_eq!((measured.count, measured.per_second, measured.p50_ms), (20_123, 20_201.5, 0.4));
    }

    #[test]
    fn a_failed_transaction_voids_the_row() {
        assert!(
            read(&REPORT.replace("failed transactions: 0", "failed transactions: 3"), &mut [0.5]).is_none()
        );
        assert!(read("tps = 1\n", &mut [0.5]).is_none());
    }
}
