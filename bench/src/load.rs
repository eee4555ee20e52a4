//! One run of the load generator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::Error;
use crate::figures::Measured;

/// An answer that takes so long is an error.
const SLOWEST_ANSWER: &str = "10s";
/// The generator waits for what is in flight when its time is over, and then writes its report.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to ask for.
#[derive(Clone)]
pub(crate) struct Load {
    /// The generator.
    pub(crate) oha: PathBuf,
    /// Keep-alive connections, each with one request in flight.
    pub(crate) connections: u32,
    /// The status that every answer must have.
    pub(crate) status: u16,
    /// Requests a second that are sent whatever comes back; none: as many as are answered. Latencies then count from when
    /// a request should have been sent.
    pub(crate) rate: Option<u32>,
    /// The requests.
    pub(crate) requests: Requests,
}

/// The requests of a load.
#[derive(Clone)]
pub(crate) enum Requests {
    /// GETs of the addresses in a file, a line each, at random.
    Get {
        /// The file.
        urls: PathBuf,
    },
    /// POSTs of the JSON bodies in a file, a line each, at random.
    Post {
        /// To this address.
        url: String,
        /// The file.
        bodies: PathBuf,
        /// As `Name: value`.
        header: Option<&'static str>,
    },
}

/// What came of it.
pub(crate) struct Loaded {
    /// The figures.
    pub(crate) measured: Measured,
    /// The mean size of an answer's body.
    pub(crate) mean_bytes: f64,
}

impl Load {
    /// Runs it for so long.
    ///
    /// # Errors
    /// When an answer had another status than it must, or there was none.
    pub(crate) async fn run(&self, line: &str, duration: Duration) -> Result<Loaded, Error> {
        let running = self.command(duration).output();
        let output = timeout(duration + PATIENCE, running)
            .await
            .map_err(|_| Error::wrong(line, "the load generator did not end"))?
            .map_err(|error| Error::said(format!("{} does not run: {error}", self.oha.display())))?;
        if !output.status.success() {
            return Err(Error::said(format!(
                "oha failed ({}) on {line}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
        let report: Report = serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::said(format!("oha's report cannot be read: {error}")))?;
        self.judge(line, report)
    }

    fn judge(&self, line: &str, report: Report) -> Result<Loaded, Error> {
        let count: u64 = report.statuses.values().sum();
        let wrong: Vec<String> = report
            .statuses
            .iter()
            .filter(|(status, _)| **status != self.status.to_string())
            .map(|(status, times)| format!("{times} × status {status}"))
            .chain(report.errors.iter().map(|(error, times)| format!("{times} × {error}")))
            .collect();
        if !wrong.is_empty() {
            let expected = self.status;
            return Err(Error::wrong(
                line,
                format!("not all of {count} answers are {expected}: {}", wrong.join(", ")),
            ));
        }
        let latency =
            |name: &str| report.latencies.get(name).copied().flatten().map(|seconds| seconds * 1000.0);
        let (Some(p50_ms), Some(p99_ms), true) = (latency("p50"), latency("p99"), count > 0) else {
            return Err(Error::wrong(line, "nothing was answered"));
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
        Ok(Loaded {
            mean_bytes: report.summary.bytes as f64 / count as f64,
            measured: Measured {
                count,
                per_second: count as f64 / report.summary.seconds,
                p50_ms,
                p99_ms,
                statuses: report.statuses,
            },
        })
    }

    fn command(&self, duration: Duration) -> Command {
        let mut command = Command::new(&self.oha);
        command
            .args(["--no-tui", "--output-format", "json", "-t", SLOWEST_ANSWER])
            .args(["-c", &self.connections.to_string(), "-z", &format!("{}ms", duration.as_millis())])
            // What is in flight at the end is waited for: each write that is stored is then also counted.
            .arg("--wait-ongoing-requests-after-deadline")
            // nginx would compress, a reader asked straight would not: only like is compared with like.
            .arg("--disable-compression")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C in the terminal reaches the bench alone, which then ends this.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(rate) = self.rate {
            command.args(["-q", &rate.to_string(), "--latency-correction"]);
        }
        match &self.requests {
            Requests::Get { urls } => {
                command.arg("--urls-from-file").arg(urls);
            }
            Requests::Post { url, bodies, header } => {
                command.args(["-m", "POST", "-T", "application/json", "-Z"]).arg(bodies);
                if let Some(header) = header {
                    command.args(["-H", header]);
                }
                command.arg(url);
            }
        }
        command
    }
}

/// Writes a file of lines for a load.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_lines(path: &Path, lines: &[String]) -> Result<(), Error> {
    std::fs::write(path, lines.join("\n") + "\n")
        .map_err(|error| Error::said(format!("write {}: {error}", path.display())))
}

/// What is read of oha's report.
#[derive(Deserialize)]
struct Report {
    summary: Summary,
    /// In seconds; null when nothing was answered.
    #[serde(rename = "latencyPercentiles")]
    latencies: BTreeMap<String, Option<f64>>,
    #[serde(rename = "statusCodeDistribution")]
    statuses: BTreeMap<String, u64>,
    #[serde(rename = "errorDistribution")]
    errors: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(rename = "total")]
    seconds: f64,
    #[serde(rename = "totalData")]
    bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(statuses: &str, errors: &str) -> Result<Loaded, Error> {
        let report = format!(
            r#"{{"summary":{{"total":2.0,"totalData":500,"successRate":1.0}},"latencyPercentiles":{{"p50":0.001,"p99":0.02}},
                "statusCodeDistribution":{statuses},"errorDistribution":{errors}}}"#
        );
        let load = Load {
            oha: PathBuf::new(),
            connections: 1,
            status: 200,
            rate: None,
            requests: Requests::Get { urls: PathBuf::new() },
        };
        load.judge("a line", serde_json::from_str(&report).unwrap())
    }

    #[test]
    fn a_report_becomes_figures() {
        let loaded = judged(r#"{"200":100}"#, "{}").unwrap();
        assert_eq!((loaded.measured.per_second, loaded.mean_bytes), (50.0, 5.0));
        assert_eq!((loaded.measured.p50_ms, loaded.measured.p99_ms), (1.0, 20.0));
    }

    #[test]
    fn one_wrong_status_or_one_missing_answer_voids_the_row() {
        let said = judged(r#"{"200":100,"503":1}"#, "{}").err().unwrap().to_string();
        assert!(said.contains("1 × status 503"), "{said}");
        assert!(judged(r#"{"200":100}"#, r#"{"timeout":1}"#).is_err());
        assert!(judged("{}", "{}").is_err());
    }
}
