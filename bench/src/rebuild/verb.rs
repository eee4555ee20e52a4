//! A verb of `projector`, run as an operator runs it, and what its lines of JSON said when.

use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::say;
use crate::error::Error;
use crate::private::Private;

/// How a verb went.
pub(super) struct Ran {
    pub(super) began: Instant,
    /// Each line, and when it came.
    lines: Vec<(Instant, Value)>,
    /// What it said on stderr.
    pub(super) said: String,
    pub(super) ended: Instant,
}

/// Runs `projector VERB --json`, and shows what it says now and then.
///
/// # Errors
/// When it fails.
pub(super) async fn run(private: &Private, arguments: &[&str]) -> Result<Ran, Error> {
    let named = format!("projector {}", arguments.join(" "));
    say(&named);
    let failed = |error: std::io::Error| Error::said(format!("{named}: {error}"));
    let began = Instant::now();
    let mut child = Command::new(private.system.binaries().join("projector"))
        .args(arguments)
        .args(["--json", "--config"])
        .arg(private.system.config_path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let out = child.stdout.take().expect("it is piped");
    let mut error = child.stderr.take().expect("it is piped");
    let reading = async {
        let (mut lines, mut read) = (BufReader::new(out).lines(), Vec::new());
        while let Some(line) = lines.next_line().await? {
            let value: Value = serde_json::from_str(&line).unwrap_or_default();
            if read.len() % 10 == 1 {
                say(&format!("  {:.0} s: {line}", began.elapsed().as_secs_f64()));
            }
            read.push((Instant::now(), value));
        }
        Ok(read)
    };
    let mut said = String::new();
    let (lines, _) = tokio::try_join!(reading, error.read_to_string(&mut said)).map_err(failed)?;
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        return Err(Error::said(format!("{named} failed ({status}): {}", said.trim())));
    }
    for line in said.lines() {
        say(&format!("  {line}"));
    }
    Ok(Ran { began, lines, said, ended: Instant::now() })
}

impl Ran {
    /// Its last line: what was done.
    pub(super) fn report(&self) -> Option<&Value> {
        self.lines.iter().map(|(_, line)| line).rev().find(|line| line["kind"] == "done")
    }

    /// When it was seen in a phase first.
    pub(super) fn entered(&self, phase: &str) -> Option<Instant> {
        self.lines.iter().find(|(_, line)| line["phase"] == phase).map(|(at, _)| *at)
    }

    /// How far off what it foretold after a quarter of some work was, which ended then: positive when it foretold too
    /// much. As a part of what was really left.
    pub(super) fn foretold(&self, phase: &str, end: Instant) -> Option<f64> {
        let begin = self.entered(phase)?;
        let quarter = begin + end.saturating_duration_since(begin) / 4;
        let told = |(at, line): &(Instant, Value)| {
            let left = line["seconds_left"].as_f64().filter(|_| line["phase"] == phase)?;
            (*at >= quarter && *at < end).then_some((*at, left))
        };
        let (at, left) = self.lines.iter().find_map(told)?;
        let really = end.saturating_duration_since(at).as_secs_f64();
        Some((left - really) / really)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_foretold_is_judged_after_a_quarter() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let line = |seconds, left: u64| (at(seconds), json!({"phase": "replay", "seconds_left": left}));
        let lines = vec![line(0, 1), line(9, 2), line(10, 33), line(20, 20)];
        let ran = Ran { began, lines, said: String::new(), ended: at(40) };
        assert!((ran.foretold("replay", at(40)).unwrap() - 0.1).abs() < 1e-9);
        assert!(ran.foretold("copy", at(40)).is_none());
    }
}
