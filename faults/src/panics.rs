//! Panics of our processes, as their logs tell of them.

use std::fs;
use std::path::Path;

/// Whose logs are read: what nats-server, Postgres and nginx say is theirs.
const OURS: [&str; 3] = ["writer", "projector", "reader"];
/// How Rust begins to tell of one; all that we log ourselves begins otherwise.
const BEGINNING: &str = "thread '";
const WORDS: &str = "panicked at";

/// The first line of each panic, with the log that has it.
pub(crate) fn told(logs: &Path) -> Vec<String> {
    let mut told = Vec::new();
    for entry in fs::read_dir(logs).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !OURS.iter().any(|kind| name.starts_with(kind)) {
            continue;
        }
        let text = fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let panics = text.lines().filter(|line| line.starts_with(BEGINNING) && line.contains(WORDS));
        told.extend(panics.map(|line| format!("{name}: {line}")));
    }
    told
}

#[cfg(test)]
mod tests {
    use local::TemporaryFolder;

    use super::*;

    #[test]
    fn a_panic_is_found_and_what_only_speaks_of_one_is_not() {
        let folder = TemporaryFolder::new("panics").unwrap();
        let log = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        log("writer-1.log", "{\"message\":\"thread 'x' panicked at a.rs\"}\n");
        log("nats.log", "thread 'x' panicked at a.rs:1:2:\n");
        assert_eq!(told(folder.path()), [""; 0]);
        log("reader-a.log", "{}\n\nthread 'main' (17) panicked at reader/src/app.rs:1:2:\nwhy\n");
        assert_eq!(
            told(folder.path()),
            ["reader-a.log: thread 'main' (17) panicked at reader/src/app.rs:1:2:"]
        );
    }
}
