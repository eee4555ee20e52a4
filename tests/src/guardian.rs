//! Nothing stays behind, however the tests end.
//!
//! Rust drops no statics, and a test process may be killed. So a small process of its own watches over every system
//! that the tests start: it reads what it is told from a pipe whose other end only the test process holds, and when
//! that end closes, by an exit, a panic or a SIGKILL, it stops what is left and removes the data.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use local::kernel::Identity;
use local::{Data, Record, binaries, leftovers};
use rustix::process::Signal;

/// The binary, beside those of the services.
const BINARY: &str = "guardian";

/// From now on a data folder is watched over: its processes end with this process, and it is removed.
///
/// # Panics
/// When the guardian cannot be started.
pub fn watch_over(data: &Path) {
    tell("watch", data);
}

/// The data folder stays for a look at its logs; its processes end all the same.
pub fn keep(data: &Path) {
    tell("keep", data);
}

fn tell(what: &str, data: &Path) {
    static GUARDIAN: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let pipe = GUARDIAN.get_or_init(|| Mutex::new(start()));
    let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(pipe, "{what} {}", data.display()).expect("the guardian lives as long as the tests");
}

#[allow(clippy::zombie_processes, reason = "it outlives this process, which is its purpose")]
fn start() -> ChildStdin {
    let binary = binaries::beside_us().join(BINARY);
    let mut child = Command::new(&binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C for the tests is none for it.
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not run: {error}", binary.display()));
    child.stdin.take().expect("its stdin is a pipe")
}

/// The guardian's own work: listen until the tests are gone, then clean up.
pub fn run(orders: impl BufRead) {
    let (mut watched, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for line in orders.lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("watch", data)) => drop(watched.insert(PathBuf::from(data))),
            Some(("keep", data)) => drop(kept.insert(PathBuf::from(data))),
            _ => {}
        }
    }
    for path in watched {
        let data = Data::new(&path);
        // A supervisor first: it would start again what is stopped.
        for process in named_in_a_command_line(&path, &["xtask"]) {
            process.signal(Signal::KILL);
        }
        if let Some(record) = Record::read(&data) {
            let _names = leftovers::stop(&record);
        }
        // Commands that an operator was just typing are in no record.
        for process in named_in_a_command_line(&path, &binaries::SERVICES) {
            process.signal(Signal::KILL);
        }
        if !kept.contains(&path) {
            // What cannot be removed from the temporary folder is left to the machine.
            let _ = data.remove();
        }
    }
}

/// Processes of these programs whose command line names the folder, as all of ours do by `--config` or `--data`.
fn named_in_a_command_line(folder: &Path, programs: &[&str]) -> Vec<Identity> {
    let name = folder.display().to_string();
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            let program =
                line.split('\0').next().and_then(|program| Path::new(program).file_name()?.to_str());
            program.is_some_and(|program| programs.contains(&program)) && line.contains(&name)
        })
        .filter_map(Identity::of)
        .collect()
}
