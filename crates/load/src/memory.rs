//! Memory of our processes and of nginx's workers, looked at all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use local::{System, kernel};
use tokio::task::JoinHandle;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// A process may grow up to this, however little it takes at rest.
const ALWAYS_ALLOWED: u64 = 100 << 20;

/// Names and pids.
type Processes = Vec<(String, u32)>;

/// What processes take, by name, in bytes.
pub type Memory = BTreeMap<String, u64>;

/// Looks all the time.
#[derive(Debug)]
pub struct Watch {
    highest: Arc<Mutex<Memory>>,
    task: JoinHandle<()>,
}

/// What all take now.
#[must_use]
pub fn now(system: &System) -> Memory {
    let processes = processes(system);
    processes.into_iter().filter_map(|(name, pid)| Some((name, resident(pid)?))).collect()
}

impl Watch {
    /// Begins.
    #[must_use]
    pub fn start(system: &System) -> Watch {
        let (processes, highest) = (processes(system), Arc::new(Mutex::new(Memory::new())));
        let seen = highest.clone();
        let task = tokio::spawn(async move {
            loop {
                for (name, pid) in &processes {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let most = seen.entry(name.clone()).or_default();
                    *most = resident(*pid).unwrap_or_default().max(*most);
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        });
        Watch { highest, task }
    }

    /// The most that each took at once.
    #[must_use]
    pub fn stop(self) -> Memory {
        self.task.abort();
        self.highest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a process that takes so much at rest may take.
#[must_use]
pub fn allowed(rest: u64) -> u64 {
    ALWAYS_ALLOWED.max(2 * rest)
}

/// A fault for each process that took more than it may.
#[must_use]
pub fn beyond(rest: &Memory, highest: &Memory) -> Vec<String> {
    let at_rest = |name: &String| rest.get(name).copied().unwrap_or_default();
    let over = highest.iter().filter(|(name, most)| **most > allowed(at_rest(name)));
    over.map(|(name, most)| {
        let (rest, most, allowed) = (at_rest(name) >> 20, most >> 20, allowed(at_rest(name)) >> 20);
        format!("{name}: {rest} MB at rest, {most} MB at most under load, over {allowed} MB")
    })
    .collect()
}

fn processes(system: &System) -> Processes {
    let mut found = Vec::new();
    for process in system.processes() {
        let Some(pid) = process.pid() else { continue };
        match process.name() {
            "nginx" => {
                let workers = kernel::descendants(pid).into_iter().zip(1..);
                found.extend(workers.map(|(worker, number)| (format!("nginx worker {number}"), worker.pid)));
            }
            name if name.starts_with("postgres") || name == "nats" => {}
            name => found.push((name.to_owned(), pid)),
        }
    }
    found
}

fn resident(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_take_a_hundred_megabytes_or_twice_what_it_takes_at_rest() {
        let memory = |a: u64, b: u64| Memory::from([("a".to_owned(), a << 20), ("b".to_owned(), b << 20)]);
        let rest = memory(10, 80);
        assert!(beyond(&rest, &memory(100, 160)).is_empty());
        assert_eq!(beyond(&rest, &memory(101, 161)).len(), 2);
        assert_eq!(beyond(&Memory::new(), &memory(101, 1)).len(), 1, "a process that came later");
    }
}
