//! `cargo xtask …` on a system of its own, without cargo: the binary that the alias runs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local::{TemporaryFolder, binaries};
use serde_json::Value;
use tests::{Said, guardian, turn};
use tokio::process::Command;
use tokio::sync::SemaphorePermit;

/// Longer than any command may take, a first start on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(150);

/// A system that is started and stopped by commands alone.
pub(crate) struct Terminal {
    folder: TemporaryFolder,
    _turn: SemaphorePermit<'static>,
}

impl Terminal {
    pub(crate) async fn new(name: &str) -> Terminal {
        let folder = TemporaryFolder::new(name).unwrap();
        let terminal = Terminal { folder, _turn: turn().await };
        guardian::watch_over(&terminal.data());
        terminal
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs `cargo xtask VERB --data … ARGUMENTS`.
    pub(crate) async fn xtask(&self, verb: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(binaries::beside_us().join("xtask"));
        command.arg(verb).arg("--data").arg(self.data()).args(arguments);
        // As typed in the checkout.
        command.current_dir(checkout());
        // On a machine that is busy with other tests replicas may take longer than shoppers would wait.
        command.env("ATELIER_WRITER_VISIBLE_WAIT_MS", "10000");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.unwrap_or_else(|_| panic!("xtask {verb} did not end")).unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `cargo xtask status --json`
    pub(crate) async fn status(&self) -> Value {
        let said = self.xtask("status", &["--json"]).await.expect_success();
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }
}

impl Drop for Terminal {
    /// A test that failed on its way leaves no supervisor behind, which would start everything again.
    #[allow(clippy::print_stdout, reason = "shown by the test harness, because the test failed")]
    fn drop(&mut self) {
        let down = std::process::Command::new(binaries::beside_us().join("xtask"))
            .arg("down")
            .arg("--data")
            .arg(self.data())
            .output();
        if std::thread::panicking() {
            self.folder.keep();
            guardian::keep(&self.data());
            println!("the system's data is kept for a look: {}; stopped: {down:?}", self.data().display());
        }
    }
}

pub(crate) fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Command lines of all processes that name this folder.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let named = folder.to_string_lossy().into_owned();
    let command_line = |entry: std::fs::DirEntry| {
        let bytes = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.map(command_line).filter(|line| line.contains(&named)).collect()
}

/// A free port, as far as can be known.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
