//! One supervised process: started, watched, started again with back-off when it dies, stopped in an orderly way.

mod supervise;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::account::Account;
use crate::error::{Error, log_length};
use crate::kernel::Identity;
use crate::readiness::Ready;

/// What to run and how to treat it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its name in `status` and of its log.
    pub name: String,
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Environment beside what is inherited.
    pub environment: Vec<(String, String)>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Where its output goes.
    pub log: PathBuf,
    /// The port that people ask for, shown in `status`.
    pub port: u16,
    /// How to tell that it is ready.
    pub ready: Ready,
    /// Who runs it, when not we ourselves.
    pub account: Option<Account>,
    /// The signal that asks it to stop.
    pub stop: StopSignal,
    /// How long it may take to stop before it is killed.
    pub stop_within: Duration,
    /// How long it may take to become ready at its first start.
    pub start_within: Duration,
    /// A folder that must be free of working processes before it starts: children of a killed Postgres live on a while.
    pub sole_user_of: Option<PathBuf>,
    /// When it is started again although it has not died.
    pub renewal: Option<Renewal>,
    /// What to do when it does not start.
    pub mend: String,
}

/// A process that answers but says of itself that it is not well, and that only a new start can mend.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Where its health is asked for.
    pub address: SocketAddr,
    /// Which path, as `/healthz`; a status from 400 on is bad. No answer at all is none.
    pub path: String,
    /// How long the answers must be bad.
    pub after: Duration,
    /// It is started again only while there is room here: on a full disk it would not come up, and what it still does, it
    /// would do no more.
    pub folder: PathBuf,
    /// Free bytes that it needs there.
    pub room: u64,
}

/// The signal that asks a process to finish what it does and leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSignal {
    /// Our processes and nats-server.
    Terminate,
    /// Postgres: disconnects its clients and writes a checkpoint.
    Interrupt,
    /// nginx: answers what is in flight.
    Quit,
}

impl StopSignal {
    /// The signal itself.
    #[must_use]
    pub fn signal(self) -> Signal {
        match self {
            StopSignal::Terminate => Signal::TERM,
            StopSignal::Interrupt => Signal::INT,
            StopSignal::Quit => Signal::QUIT,
        }
    }
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It does not run, and shall not.
    Stopped,
    /// It runs and is not ready yet.
    Starting,
    /// It was ready after its last start.
    Ready,
    /// It has died and is started again soon.
    BackingOff,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Stopped => "stopped",
            Phase::Starting => "starting",
            Phase::Ready => "ready",
            Phase::BackingOff => "died, starting again soon",
        })
    }
}

/// A process at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What it does.
    pub phase: Phase,
    /// Who it is, while it runs.
    pub identity: Option<Identity>,
    /// How often it was started again because it had died.
    pub restarts: u32,
    /// How it ended the last time, in words.
    pub last_end: Option<String>,
}

/// A handle to a supervised process. Clones are the same process; when the last is dropped, it is killed with all that it
/// started.
#[derive(Clone)]
pub struct Process {
    shared: Arc<Shared>,
    _owners: Arc<Owners>,
}

/// Lives as long as any handle; the supervising task holds none.
struct Owners {
    shared: Arc<Shared>,
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.shared.kill_now();
    }
}

struct Shared {
    spec: Spec,
    /// Held while a process is started, so that nothing starts after `kill_now`.
    gate: Mutex<Gate>,
    wanted: watch::Sender<bool>,
    state: watch::Sender<Snapshot>,
    on_change: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    identity: Option<Identity>,
}

impl Process {
    /// A process that does not run yet. `on_change` is called after each change of its state.
    ///
    /// Must be called inside a tokio runtime: the supervising task lives there.
    pub fn new(spec: Spec, on_change: impl Fn() + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            spec,
            gate: Mutex::default(),
            wanted: watch::Sender::new(false),
            state: watch::Sender::new(Snapshot {
                phase: Phase::Stopped,
                identity: None,
                restarts: 0,
                last_end: None,
            }),
            on_change: Box::new(on_change),
        });
        tokio::spawn(supervise::run(shared.clone()));
        Self { _owners: Arc::new(Owners { shared: shared.clone() }), shared }
    }

    /// Starts it and waits until it is ready. A process that dies before that stays stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] with what it said last.
    pub async fn start(&self) -> Result<(), Error> {
        let spec = &self.shared.spec;
        if self.shared.gate().closed {
            return Err(Error::process(
                &spec.name,
                "was taken down for good",
                "start a new system",
                &spec.log,
                log_length(&spec.log),
            ));
        }
        let died_before = self.snapshot().restarts;
        let logged_before = log_length(&spec.log);
        self.shared.wanted.send_replace(true);
        let outcome = self
            .until(spec.start_within, |now| now.phase == Phase::Ready || now.restarts > died_before)
            .await;
        let what = match outcome {
            Some(now) if now.phase == Phase::Ready => return Ok(()),
            Some(now) => format!("did not start: it {}", now.last_end.as_deref().unwrap_or("ended")),
            None => {
                let said =
                    spec.ready.check().await.err().unwrap_or_else(|| "became ready too late".to_owned());
                format!("is not ready after {} s: it {said}", spec.start_within.as_secs())
            }
        };
        let error = Error::process(&spec.name, what, spec.mend.clone(), &spec.log, logged_before);
        self.stop().await;
        Err(error)
    }

    /// Asks it to stop, waits, and kills it when its time is over. Does nothing when it does not run.
    pub async fn stop(&self) {
        self.shared.wanted.send_replace(false);
        let within = self.shared.spec.stop_within + Duration::from_secs(5);
        self.until(within, |now| now.phase == Phase::Stopped).await;
    }

    /// Stops and starts it.
    ///
    /// # Errors
    ///
    /// As [`Process::start`].
    pub async fn restart(&self) -> Result<(), Error> {
        self.stop().await;
        self.start().await
    }

    /// SIGKILL to the process alone, as a crash would be; returns when its supervisor has noticed.
    pub async fn kill9(&self) {
        let before = self.snapshot();
        if let Some(identity) = before.identity {
            identity.signal(Signal::KILL);
            self.until(Duration::from_secs(10), |now| now.identity != Some(identity)).await;
        }
    }

    /// SIGSTOP to it and all that it started: it is there and does not move.
    pub fn pause(&self) {
        self.signal_tree(Signal::STOP);
    }

    /// SIGCONT: moves again.
    pub fn resume(&self) {
        self.signal_tree(Signal::CONT);
    }

    /// Waits until it runs and is ready, after [`Process::kill9`] for instance.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] when the time is over.
    pub async fn wait_ready(&self, within: Duration) -> Result<(), Error> {
        match self.until(within, |now| now.phase == Phase::Ready).await {
            Some(_) => Ok(()),
            None => {
                let spec = &self.shared.spec;
                let what = format!("is not ready again after {} s", within.as_secs());
                Err(Error::process(&spec.name, what, spec.mend.clone(), &spec.log, 0))
            }
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.spec.name
    }

    /// What it was started with.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.shared.spec
    }

    /// Its state now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.state.borrow().clone()
    }

    /// Its pid while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.snapshot().identity.map(|identity| identity.pid)
    }

    /// How often it was started again because it had died.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.snapshot().restarts
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.shared.spec.log
    }

    /// SIGKILL to it and all that it started, at once and for good: for a [`Drop`], where nothing can be awaited.
    pub(crate) fn kill_now(&self) -> Option<Identity> {
        self.shared.kill_now()
    }

    fn signal_tree(&self, signal: Signal) {
        if let Some(identity) = self.snapshot().identity {
            identity.signal_tree(signal);
        }
    }

    async fn until(&self, within: Duration, reached: impl Fn(&Snapshot) -> bool) -> Option<Snapshot> {
        let mut state = self.shared.state.subscribe();
        let waiting = state.wait_for(reached);
        timeout(within, waiting).await.ok()?.ok().map(|now| now.clone())
    }
}

impl Shared {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill_now(&self) -> Option<Identity> {
        let mut gate = self.gate();
        gate.closed = true;
        self.wanted.send_replace(false);
        let identity = gate.identity;
        if let Some(identity) = identity {
            identity.signal_tree(Signal::KILL);
        }
        identity
    }

    fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.state.send_modify(change);
        (self.on_change)();
    }
}

#[cfg(test)]
mod tests;
