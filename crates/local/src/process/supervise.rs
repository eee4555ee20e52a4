//! The task behind a [`super::Process`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Phase, Renewal, Shared, Snapshot, Spec};
use crate::kernel::{Identity, signal_group, working_in};
use crate::readiness::{Health, health};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Before a process is started again that was ready when it died: others wait for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Before one is started again that does not even become ready.
const LONGEST_PAUSE_UNREADY: Duration = Duration::from_secs(5);
/// A process that was ready for so long has its next pause short again.
const HEALTHY: Duration = Duration::from_secs(10);
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(25);
const BETWEEN_HEALTH_QUESTIONS: Duration = Duration::from_secs(1);
const LARGEST_LOG_BYTES: u64 = 32 << 20;

/// How a run ended.
enum End {
    Asked,
    Died { what: String, was_ready: bool, was_healthy: bool },
}

/// Runs until the process was killed for good.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut wanted = shared.wanted.subscribe();
    let mut pause = FIRST_PAUSE;
    // The sender lives as long as this task: the waits below do not fail.
    while wanted.wait_for(|wanted| *wanted).await.is_ok() {
        if let End::Died { what, was_ready, was_healthy } = one_run(&shared, &mut wanted).await {
            if was_healthy {
                pause = FIRST_PAUSE;
            }
            shared.change(|state| {
                *state = Snapshot {
                    phase: Phase::BackingOff,
                    identity: None,
                    restarts: state.restarts + 1,
                    last_end: Some(what.clone()),
                };
            });
            let rest;
            (rest, pause) = pauses(pause, was_ready);
            if was_ready {
                note(&shared.spec, &format!("{what}; starting it again in {} ms", rest.as_millis()));
            }
            if timeout(rest, unwanted(&mut wanted)).await.is_err() {
                continue;
            }
        }
        pause = FIRST_PAUSE;
        shared.change(|state| {
            state.phase = Phase::Stopped;
            state.identity = None;
        });
        if shared.gate().closed {
            return;
        }
    }
}

/// How long to pause now, and the next time if the process dies soon again.
fn pauses(pause: Duration, was_ready: bool) -> (Duration, Duration) {
    let now = if was_ready { pause.min(LONGEST_PAUSE) } else { pause };
    (now, (now * 2).min(LONGEST_PAUSE_UNREADY))
}

async fn one_run(shared: &Shared, wanted: &mut watch::Receiver<bool>) -> End {
    let spec = &shared.spec;
    shared.change(|state| state.phase = Phase::Starting);
    if let Some(folder) = &spec.sole_user_of {
        clear(folder).await;
    }
    let (mut child, identity) = match spawn(shared) {
        Ok(started) => started,
        Err(error) => {
            let what = format!("could not be run: {error}");
            return End::Died { what, was_ready: false, was_healthy: false };
        }
    };
    shared.change(|state| state.identity = Some(identity));

    let mut ready_since = None;
    let end = loop {
        tokio::select! {
            status = child.wait() => {
                let was_healthy = ready_since.is_some_and(|since: Instant| since.elapsed() >= HEALTHY);
                break End::Died { what: describe(status), was_ready: ready_since.is_some(), was_healthy };
            }
            () = becomes_ready(spec), if ready_since.is_none() => {
                ready_since = Some(Instant::now());
                shared.change(|state| state.phase = Phase::Ready);
            }
            said = unwell(spec), if ready_since.is_some() => {
                let was_healthy = ready_since.is_some_and(|since: Instant| since.elapsed() >= HEALTHY);
                stop(spec, &mut child, identity).await;
                break End::Died { what: format!("was stopped because it {said}"), was_ready: true, was_healthy };
            }
            () = unwanted(wanted) => {
                stop(spec, &mut child, identity).await;
                break End::Asked;
            }
        }
    };
    // What it has started and left behind would hold its port: nginx's workers outlive a killed master.
    signal_group(identity.pid, Signal::KILL);
    shared.gate().identity = None;
    end
}

/// Puts a line into the process's own log, where whoever wonders what happened looks first. Of a start that fails the
/// process's own last words say why.
fn note(spec: &Spec, text: &str) {
    if let Ok(mut log) = open_log(spec) {
        // A full disk must not keep the process from being started again.
        let _written_or_not = writeln!(log, "supervisor: {}: {text}", spec.name);
    }
}

async fn unwanted(wanted: &mut watch::Receiver<bool>) {
    // Its sender lives as long as this task.
    let _ = wanted.wait_for(|wanted| !wanted).await;
}

fn spawn(shared: &Shared) -> io::Result<(Child, Identity)> {
    let spec = &shared.spec;
    let log = open_log(spec)?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.arguments)
        .envs(spec.environment.iter().map(|(key, value)| (key, value)))
        .current_dir(&spec.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // A group of its own: a Ctrl-C in the terminal reaches the supervisor alone, which then stops all in order.
        .process_group(0);
    if let Some(account) = &spec.account {
        command.uid(account.uid).gid(account.gid);
    }
    let mut gate = shared.gate();
    if gate.closed {
        return Err(io::Error::other("the system is being taken down"));
    }
    let child = command.spawn()?;
    let pid = child.id().ok_or_else(|| io::Error::other("it has no pid"))?;
    // It cannot vanish before it is waited for, so the kernel knows it.
    let identity = Identity::of(pid).ok_or_else(|| io::Error::other("/proc does not know it"))?;
    gate.identity = Some(identity);
    Ok((child, identity))
}

fn open_log(spec: &Spec) -> io::Result<File> {
    if fs::metadata(&spec.log).is_ok_and(|data| data.len() > LARGEST_LOG_BYTES) {
        fs::rename(&spec.log, spec.log.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(&spec.log)
}

async fn becomes_ready(spec: &Spec) {
    while spec.ready.check().await.is_err() {
        sleep(BETWEEN_QUESTIONS).await;
    }
}

/// Resolves when only a new start can mend the process, and can; says what it said of itself.
async fn unwell(spec: &Spec) -> String {
    let Some(renewal) = &spec.renewal else { return std::future::pending().await };
    let mut since = None;
    loop {
        sleep(BETWEEN_HEALTH_QUESTIONS).await;
        match health(renewal.address, &renewal.path).await {
            Health::Well => since = None,
            Health::Silent => {}
            Health::Unwell(said) => {
                let since = *since.get_or_insert_with(Instant::now);
                if since.elapsed() >= renewal.after && has_room(renewal) {
                    return said;
                }
            }
        }
    }
}

fn has_room(renewal: &Renewal) -> bool {
    let space = rustix::fs::statvfs(&renewal.folder);
    space.is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= renewal.room)
}

async fn stop(spec: &Spec, child: &mut Child, identity: Identity) {
    identity.signal(spec.stop.signal());
    // A paused process would not see it.
    identity.signal_tree(Signal::CONT);
    if timeout(spec.stop_within, child.wait()).await.is_err() {
        identity.signal_tree(Signal::KILL);
        // SIGKILL cannot be refused; the wait ends.
        let _ = child.wait().await;
    }
}

/// Waits until nobody works in `folder`, and kills who still does after two seconds. Then a postmaster.pid there names
/// nobody, or by chance a stranger who was given that pid: Postgres would refuse to start.
async fn clear(folder: &std::path::Path) {
    let started = Instant::now();
    loop {
        let left = working_in(folder);
        if left.is_empty() {
            // Mostly there is none.
            let _ = fs::remove_file(folder.join("postmaster.pid"));
            return;
        }
        if started.elapsed() > Duration::from_secs(2) {
            for process in &left {
                process.signal(Signal::KILL);
            }
        }
        sleep(BETWEEN_QUESTIONS).await;
    }
}

fn describe(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => format!("ended: {status}"),
        },
        Err(error) => format!("was lost: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pauses of a process that dies each time, ready or not.
    fn all(deaths: &[bool]) -> Vec<u128> {
        let mut pause = FIRST_PAUSE;
        deaths
            .iter()
            .map(|was_ready| {
                let now;
                (now, pause) = pauses(pause, *was_ready);
                now.as_millis()
            })
            .collect()
    }

    #[test]
    fn pauses_grow_to_a_second_for_a_process_that_was_ready_and_to_five_for_one_that_never_is() {
        assert_eq!(all(&[true; 7]), [100, 200, 400, 800, 1_000, 1_000, 1_000]);
        assert_eq!(all(&[false; 8]), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(
            all(&[false, false, false, false, false, false, true, true]),
            [100, 200, 400, 800, 1_600, 3_200, 1_000, 1_000]
        );
    }
}
