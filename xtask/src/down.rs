//! `cargo xtask down`.

use std::time::{Duration, Instant};

use local::{Record, leftovers};
use rustix::process::Signal;

use crate::SystemArguments;
use crate::error::Error;

/// Above the longest orderly stop: nginx, readers, writers, projectors and Postgres, one after another.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn run(arguments: &SystemArguments) -> Result<(), Error> {
    let data = arguments.data();
    let Some(record) = Record::read(&data) else {
        println!("nothing runs in {}", data.root().display());
        return Ok(());
    };
    let started = Instant::now();
    let mut all: Vec<_> = record.processes.iter().filter_map(|process| process.identity).collect();
    all.push(record.supervisor);
    let alive = all.iter().filter(|identity| identity.alive()).count();

    if record.is_running() {
        record.supervisor.signal(Signal::TERM);
        let _ = leftovers::gone_within(&[record.supervisor], PATIENCE);
        record.supervisor.signal_tree(Signal::KILL);
    }
    // After an orderly stop nothing is left; a supervisor that was killed leaves all.
    let latest = Record::read(&data).unwrap_or(record);
    for name in leftovers::stop(&latest) {
        println!("{name} had no supervisor");
    }
    if !leftovers::gone_within(&all, Duration::from_secs(5)) {
        return Err(Error::said("a process does not end, not even by SIGKILL; look for a hung disk"));
    }
    // What is not there need not be removed.
    let _ = std::fs::remove_file(data.record());
    println!("stopped {alive} processes in {:.1} s; none is left", started.elapsed().as_secs_f64());
    Ok(())
}
