//! Memory, processor time and disk space that things take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use local::{System, kernel};
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::error::Error;

const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// Ticks of the processor's clock in a second, as /proc counts them: the same on every Linux.
const TICKS: f64 = 100.0;

/// What a process took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// The most memory that it had at once: for Postgres what its processes have for themselves, together.
    pub(crate) peak_bytes: u64,
    /// Processor time of all its threads and children.
    pub(crate) cpu_seconds: f64,
}

/// Looks at processes all the time.
pub(crate) struct Watch {
    seen: Arc<Mutex<BTreeMap<String, Usage>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Watches all processes of a system but nginx, and others.
    pub(crate) fn start(system: &System, others: &[(&str, u32)]) -> Self {
        let mut processes: Vec<(String, u32)> = system
            .processes()
            .iter()
            .filter(|process| process.name() != "nginx")
            .filter_map(|process| Some((process.name().to_owned(), process.pid()?)))
            .collect();
        processes.extend(others.iter().map(|(name, pid)| ((*name).to_owned(), *pid)));
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let task = tokio::spawn(look(processes, seen.clone()));
        Self { seen, task }
    }

    /// What was seen.
    pub(crate) fn stop(self) -> BTreeMap<String, Usage> {
        self.task.abort();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn look(processes: Vec<(String, u32)>, seen: Arc<Mutex<BTreeMap<String, Usage>>>) {
    loop {
        for (name, pid) in &processes {
            let children = kernel::descendants(*pid);
            let pids = std::iter::once(*pid).chain(children.iter().map(|child| child.pid));
            let (mut memory, mut cpu) = (0, 0.0);
            for pid in pids {
                // What backends share is the server's buffers, which are configured and not used up.
                let field = if name.starts_with("postgres") { "RssAnon:" } else { "VmHWM:" };
                memory += status(pid, field).unwrap_or_default();
                cpu += cpu_seconds(pid).unwrap_or_default();
            }
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let usage = seen.entry(name.clone()).or_default();
            usage.peak_bytes = usage.peak_bytes.max(memory);
            usage.cpu_seconds = usage.cpu_seconds.max(cpu);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// A line of /proc/PID/status, in bytes.
fn status(pid: u32, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Its own and that of children who ended.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    Some(ticks / TICKS)
}

/// Bytes that may be written to the file system of a folder.
pub(crate) fn free(folder: &Path) -> Result<u64, Error> {
    let space = rustix::fs::statvfs(folder)
        .map_err(|error| Error::said(format!("the free space of {}: {error}", folder.display())))?;
    Ok(space.f_bavail * space.f_frsize)
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_in(folder: &Path) -> Result<u64, Error> {
    let failed = |error: std::io::Error| Error::said(format!("read {}: {error}", folder.display()));
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let pid = std::process::id();
        assert!(status(pid, "VmHWM:").unwrap() > 1_000_000);
        assert!(cpu_seconds(pid).is_some());
        assert!(free(Path::new("/")).unwrap() > 0);
    }
}
