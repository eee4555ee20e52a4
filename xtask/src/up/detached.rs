//! The other end of `up --detach`: starts the supervisor from the data folder's own copy and listens to what it tells.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use local::kernel::Identity;
use local::leftovers::gone_within;
use local::{Data, Stage};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::supervise::Told;
use crate::up::SystemChoice;

/// A supervisor that starts a system.
pub(super) struct Supervisor {
    child: Mutex<Child>,
    identity: Option<Identity>,
    said: Mutex<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// Starts it.
pub(super) fn spawn(choice: &SystemChoice, data: &Data) -> Result<Supervisor, Error> {
    let log = data.log("supervisor");
    let failed = |error: io::Error| Error::said(format!("the supervisor does not run: {error}"));
    local::layout::make_folder(&data.logs())?;
    let stderr = OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
    let mut child = Command::new(data.binaries().join("xtask"))
        .arg("supervise")
        .args(choice.as_arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(failed)?;
    let said = child.stdout.take().ok_or_else(|| Error::said("the supervisor has no stdout"))?;
    let identity = child.id().and_then(Identity::of);
    Ok(Supervisor { child: Mutex::new(child), identity, said: Mutex::new(BufReader::new(said)), log })
}

impl Supervisor {
    /// Shows the stages and returns the address when all is ready.
    pub(super) async fn follow(&self, show: &mut (dyn FnMut(Stage) + Send)) -> Result<String, Error> {
        let mut said = self.said.lock().await;
        let mut line = String::new();
        loop {
            line.clear();
            let read = said
                .read_line(&mut line)
                .await
                .map_err(|error| Error::said(format!("the supervisor is lost: {error}")))?;
            if read == 0 {
                let what = format!("the supervisor ended without a word; its log is {}", self.log.display());
                return Err(Error::said(what));
            }
            let told: Told = serde_json::from_str(&line).map_err(|error| {
                Error::said(format!("the supervisor said something unknown ({error}): {line}"))
            })?;
            match told {
                Told::Began(name) => show(Stage::Began(name)),
                Told::Ended(name, seconds) => show(Stage::Ended(name, Duration::from_secs_f64(seconds))),
                Told::Ready(url) => return Ok(url),
                Told::Failed(told) => return Err(Error::Told(told)),
            }
        }
    }

    /// Asks it to stop all and waits for its end.
    pub(super) async fn end(self) {
        if let Some(identity) = self.identity {
            identity.signal(Signal::TERM);
        }
        let waited = tokio::time::timeout(Duration::from_secs(60), self.child.lock().await.wait()).await;
        if waited.is_err()
            && let Some(identity) = self.identity
        {
            identity.signal_tree(Signal::KILL);
            let _ = gone_within(&[identity], Duration::from_secs(5));
        }
    }
}
