//! What the kernel tells about processes: /proc, and signals.
//!
//! A pid alone names nobody, because pids come again: a process is its pid *and* its start time.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

/// One process for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its pid.
    pub pid: u32,
    /// When it started, in the kernel's clock ticks since boot.
    pub started: u64,
}

impl Identity {
    /// The process that has this pid now.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        stat(pid).map(|stat| Self { pid, started: stat.started })
    }

    /// This process.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it still runs; one that has ended and was not waited for does not.
    #[must_use]
    pub fn alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !matches!(stat.state, 'Z' | 'X'))
    }

    /// Sends a signal, unless the process is gone.
    pub fn signal(self, signal: Signal) {
        if self.alive() {
            send(self.pid, signal);
        }
    }

    /// Sends a signal to it, to all that it started, and to its process group.
    pub fn signal_tree(self, signal: Signal) {
        if !self.alive() {
            return;
        }
        let children = descendants(self.pid);
        if let Some(group) = pid_of(self.pid) {
            // Not every process leads a group: then there is none of this number, and the error says only that.
            let _ = kill_process_group(group, signal);
        }
        send(self.pid, signal);
        for child in children {
            child.signal(signal);
        }
    }
}

/// Sends a signal to what is left of a process group whose leader has ended.
pub fn signal_group(leader: u32, signal: Signal) {
    if let Some(group) = pid_of(leader) {
        let _ = kill_process_group(group, signal);
    }
}

/// Every process that `pid` started, directly or not, as of now.
#[must_use]
pub fn descendants(pid: u32) -> Vec<Identity> {
    let all: Vec<(Identity, u32)> = pids()
        .filter_map(|pid| stat(pid).map(|stat| (Identity { pid, started: stat.started }, stat.parent)))
        .collect();
    let mut found: Vec<Identity> = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for (child, _) in all.iter().filter(|(_, of)| *of == parent) {
            found.push(*child);
            parents.push(child.pid);
        }
    }
    found
}

/// The processes whose working folder is `folder`: a Postgres and all its children stand in its data.
#[must_use]
pub fn working_in(folder: &Path) -> Vec<Identity> {
    pids()
        .filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder))
        .filter_map(Identity::of)
        .filter(|process| process.alive())
        .collect()
}

/// Memory of a process and of all that it started, in bytes: proportional share where the kernel tells, else resident.
#[must_use]
pub fn memory_bytes(pid: u32) -> Option<u64> {
    let own = memory_of(pid)?;
    Some(own + descendants(pid).iter().filter_map(|child| memory_of(child.pid)).sum::<u64>())
}

/// Who listens on a TCP port of this machine: name and pid, where the kernel tells.
#[must_use]
pub fn listener(port: u16) -> Option<(String, u32)> {
    let mut inodes: Vec<String> = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listens = fields.get(3) == Some(&"0A");
            let local = fields.get(1).and_then(|address| address.rsplit_once(':'));
            if listens && local.is_some_and(|(_, hex)| u16::from_str_radix(hex, 16) == Ok(port)) {
                inodes.extend(fields.get(9).map(|inode| format!("socket:[{inode}]")));
            }
        }
    }
    if inodes.is_empty() {
        return None;
    }
    pids().find_map(|pid| {
        let holds = fs::read_dir(format!("/proc/{pid}/fd"))
            .ok()?
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()));
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        holds.then(|| (name.trim().to_owned(), pid))
    })
}

struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in parentheses, may hold spaces and parentheses itself: the fields begin after the last one.
fn parse_stat(line: &str) -> Option<Stat> {
    let fields: Vec<&str> = line[line.rfind(')')? + 1..].split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn memory_of(pid: u32) -> Option<u64> {
    let kilobytes = |file: &str, key: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    kilobytes("smaps_rollup", "Pss:").or_else(|| kilobytes("status", "VmRSS:")).map(|kb| kb * 1024)
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
}

fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = pid_of(pid) {
        // It may have ended in between, which is what most signals here are for.
        let _ = kill_process(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_another_start_time_is_another_process() {
        let me = Identity::current().unwrap();
        assert!(me.alive());
        assert!(!Identity { started: me.started + 1, ..me }.alive());
    }

    #[test]
    fn a_name_with_parentheses_does_not_move_the_fields() {
        let line = "7 (a) b (c)) S 3 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.state, stat.parent, stat.started), ('S', 3, 4242));
    }

    #[test]
    fn the_listener_of_a_port_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(super::listener(port).unwrap().1, std::process::id());
    }
}
