//! Why something on this machine did not come up, said so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// Lines of a process's log that belong to a report about its failure.
pub const LOG_LINES: usize = 15;

/// Everything that can fail here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, a folder or a call to the system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, as `write /data/run.json`.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// nats-server, Postgres or nginx is missing, damaged or too old.
    #[error("{component} {what}; {mend}")]
    Component {
        /// Which server.
        component: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        mend: String,
    },
    /// A port that was asked for belongs to another process.
    #[error("port {port} for {process} is taken{holder}; choose another with {option}")]
    PortTaken {
        /// The port.
        port: u16,
        /// Who was to listen on it.
        process: String,
        /// ` by NAME (pid N)` where the kernel tells, else empty.
        holder: String,
        /// The option that moves it.
        option: &'static str,
    },
    /// A process did not start, or a command failed.
    #[error("{process} {what}; {mend}")]
    Process {
        /// Its name, as in `status`.
        process: String,
        /// What happened to it.
        what: String,
        /// What to do.
        mend: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: Vec<String>,
    },
    /// Another system works in this data folder.
    #[error("a system already runs in {}; stop it first", data.display())]
    Running {
        /// The folder.
        data: PathBuf,
    },
    /// The caller asked for something that does not go together.
    #[error("{0}")]
    Options(String),
}

impl Error {
    /// An input or output error with what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }

    /// A process's failure with the end of what it logged after the first `before` bytes.
    #[must_use]
    pub fn process(
        process: &str,
        what: impl Into<String>,
        mend: impl Into<String>,
        log: &Path,
        before: u64,
    ) -> Error {
        Error::Process {
            process: process.to_owned(),
            what: what.into(),
            mend: mend.into(),
            log: log.to_owned(),
            tail: tail(log, before, LOG_LINES),
        }
    }
}

/// The last lines of a log after its first `before` bytes, none when it cannot be read.
#[must_use]
pub fn tail(log: &Path, before: u64, lines: usize) -> Vec<String> {
    let bytes = std::fs::read(log).unwrap_or_default();
    let start = usize::try_from(before).unwrap_or(usize::MAX).min(bytes.len());
    let text = String::from_utf8_lossy(&bytes[start..]);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

/// How long a log is now: what comes later belongs to what starts now.
#[must_use]
pub fn log_length(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |data| data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_the_log_in_order() {
        let folder = crate::TemporaryFolder::new("tail").unwrap();
        let log = folder.path().join("x.log");
        std::fs::write(&log, "1\n2\n3\n").unwrap();
        assert_eq!(tail(&log, 0, 2), ["2", "3"]);
        assert_eq!(tail(&log, 0, 9).len(), 3);
        assert_eq!(tail(&log, 4, 9), ["3"]);
        assert!(tail(&log, 99, 9).is_empty());
        assert!(tail(&folder.path().join("absent"), 0, 2).is_empty());
    }
}
