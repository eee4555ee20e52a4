//! Processes of a system whose supervisor is gone: recognised by pid and start time, and stopped.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::kernel::{Identity, working_in};
use crate::record::Record;

const PATIENCE: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Stops every process of the record that still lives, the last started first, and returns their names.
///
/// Blocks until all are gone.
#[must_use]
pub fn stop(record: &Record) -> Vec<String> {
    let mut stopped = Vec::new();
    for process in record.processes.iter().rev() {
        let mut alive: Vec<Identity> =
            process.identity.into_iter().filter(|identity| identity.alive()).collect();
        for identity in &alive {
            identity.signal(process.stop.signal());
            identity.signal_tree(Signal::CONT);
        }
        if let Some(folder) = &process.sole_user_of {
            alive.extend(working_in(folder));
        }
        if alive.is_empty() {
            continue;
        }
        stopped.push(process.name.clone());
        if !gone_within(&alive, PATIENCE) {
            for identity in &alive {
                identity.signal_tree(Signal::KILL);
            }
            let _ = gone_within(&alive, PATIENCE);
        }
    }
    stopped
}

/// Waits until none of them lives.
#[must_use]
pub fn gone_within(processes: &[Identity], within: Duration) -> bool {
    let started = Instant::now();
    while processes.iter().any(|process| process.alive()) {
        if started.elapsed() > within {
            return false;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    true
}
