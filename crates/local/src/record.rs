//! run.json: who runs in a data folder, for `status` and `down`, and for the next start after a crash.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::kernel::Identity;
use crate::layout::{Data, write_atomically};
use crate::process::{Phase, Process, StopSignal};
use crate::readiness::Ready;

/// A system at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Who watches over it.
    pub supervisor: Identity,
    /// Where shoppers find it.
    pub url: String,
    /// Its processes, in the order in which they were started.
    pub processes: Vec<RecordedProcess>,
}

/// A process at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedProcess {
    /// Its name.
    pub name: String,
    /// Who it is, while it runs.
    pub identity: Option<Identity>,
    /// What its supervisor knows.
    pub phase: Phase,
    /// Its port.
    pub port: u16,
    /// How to ask whether it is ready.
    pub ready: Ready,
    /// How often it was started again because it had died.
    pub restarts: u32,
    /// How it ended the last time.
    pub last_end: Option<String>,
    /// Its log.
    pub log: PathBuf,
    /// The signal that asks it to stop.
    pub stop: StopSignal,
    /// The folder that it and its children work in, where they can be found by it.
    pub sole_user_of: Option<PathBuf>,
}

impl Record {
    /// What a data folder's last start has left; None when nothing was or the file cannot be read.
    #[must_use]
    pub fn read(data: &Data) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(data.record()).ok()?).ok()
    }

    /// Whether somebody watches over the system now.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.supervisor.alive()
    }
}

/// Writes run.json after each change.
pub(crate) struct Recorder {
    data: Data,
    supervisor: Identity,
    url: String,
    processes: Mutex<Vec<Process>>,
}

impl Recorder {
    pub(crate) fn new(data: Data, url: String) -> Result<Self, Error> {
        let supervisor = Identity::current()
            .ok_or_else(|| Error::Options("/proc does not know this process".to_owned()))?;
        Ok(Self { data, supervisor, url, processes: Mutex::default() })
    }

    pub(crate) fn add(&self, process: Process) {
        self.list().push(process);
        self.write();
    }

    pub(crate) fn remove(&self, name: &str) {
        self.list().retain(|process| process.name() != name);
        self.write();
    }

    /// Ends the recording, and the circle of references with it.
    pub(crate) fn close(&self) {
        self.list().clear();
        // Whoever looks finds no system; if it cannot be removed, its pids tell the same.
        let _ = fs::remove_file(self.data.record());
    }

    pub(crate) fn write(&self) {
        let processes = self.list();
        if processes.is_empty() {
            return;
        }
        let record = Record {
            supervisor: self.supervisor,
            url: self.url.clone(),
            processes: processes.iter().map(recorded).collect(),
        };
        // A disk that is full must not take the system down; the next change writes again.
        if let Ok(text) = serde_json::to_string_pretty(&record) {
            let _ = write_atomically(&self.data.record(), &text, 0o644);
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recorded(process: &Process) -> RecordedProcess {
    let (spec, now) = (process.spec(), process.snapshot());
    RecordedProcess {
        name: spec.name.clone(),
        identity: now.identity,
        phase: now.phase,
        port: spec.port,
        ready: spec.ready.clone(),
        restarts: now.restarts,
        last_end: now.last_end,
        log: spec.log.clone(),
        stop: spec.stop,
        sole_user_of: spec.sole_user_of.clone(),
    }
}
