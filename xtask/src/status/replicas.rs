//! The replicas' state, as `projector status --json` tells it.

use local::Data;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::{Duration, timeout};

const PATIENCE: Duration = Duration::from_secs(10);

/// All replicas of a system. Fields that are not named here are left out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replicas {
    /// The stream's life.
    #[serde(default)]
    pub(crate) epoch: String,
    /// The stream's last position.
    pub(crate) head: Option<u64>,
    /// Each replica.
    pub(crate) replicas: Vec<Replica>,
}

/// One replica.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) position: Option<u64>,
    pub(crate) behind_events: Option<u64>,
    pub(crate) behind_seconds: Option<f64>,
    #[serde(default)]
    pub(crate) why: String,
    /// How far it is with a catalogue; `why` says it in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) import: Option<serde_json::Value>,
}

impl Replicas {
    /// Whether every replica serves and has applied everything.
    pub(crate) fn all_at_the_head(&self) -> bool {
        self.head.is_some()
            && self.replicas.iter().all(|replica| replica.position == self.head && replica.state == "serving")
    }

    /// Those that say how far they are with a catalogue.
    pub(crate) fn importing(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(|replica| replica.import.is_some())
    }

    /// Where each one stands, and how far it is with a catalogue.
    pub(crate) fn places(&self) -> Vec<(Option<u64>, Option<serde_json::Value>)> {
        self.replicas.iter().map(|replica| (replica.position, replica.import.clone())).collect()
    }
}

/// Asks; the error is one sentence.
pub(crate) async fn read(data: &Data) -> Result<Replicas, String> {
    let asking = Command::new(data.binaries().join("projector"))
        .args(["status", "--json", "--config"])
        .arg(data.config())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, asking)
        .await
        .map_err(|_| format!("`projector status` gave no answer within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("`projector status` does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "`projector status` failed: {}",
            said.lines().last().unwrap_or("it said nothing").trim()
        ));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("`projector status` said something else: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replicas_that_serve_at_the_head_are_done() {
        let read = |a: &str, b: &str| -> Replicas {
            serde_json::from_str(&format!(
                r#"{{"schema_version":1,"epoch":"x","head":7,"replicas":[{a},{b}]}}"#
            ))
            .unwrap()
        };
        let at = |position: &str, state: &str| {
            format!(
                r#"{{"name":"a","state":"{state}","position":{position},"behind_events":0,"behind_seconds":0.0,"why":""}}"#
            )
        };
        let done = at("7", "serving");
        assert!(read(&done, &done).all_at_the_head());
        assert!(!read(&done, &at("6", "serving")).all_at_the_head());
        assert!(!read(&done, &at("7", "importing")).all_at_the_head());
        assert!(!read(&done, &at("null", "unknown")).all_at_the_head());
    }
}
