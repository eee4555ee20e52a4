//! The loss of power: a nats-server that acknowledges before its data is on disk loses what it acknowledged, and the
//! checker sees it.
//!
//! What is on disk after a loss of power is what was fsynced. Between a clean stop, which fsyncs everything, and the
//! next fsync, two minutes later by default, that is the copy of the store that is taken here. strace, where it is
//! installed, counts fsyncs meanwhile: there must be none.

use std::fs;
use std::process::Stdio;

use tests::within;
use tokio::process::{Child, Command};

use super::{Case, seen_to_fail};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::leavings;
use crate::log::ACCEPTED;
use crate::row::{Seen, Setup, Stop};

const SETUP: Setup = Setup {
    environment: &[("*", "ATELIER_STREAM_ACCEPT_ACKNOWLEDGEMENT_BEFORE_SYNC", "true")],
    ..Setup::USUAL
};
const SYNCS: &str = "sync_interval: always";
const SYNCS_LATER: &str = "sync_interval: \"2m\"";

/// Drives a system whose stream syncs late, takes the power away, and lets the checker look.
pub(super) async fn run(seed: u64, seen: &mut Vec<String>) -> Result<(), Stop> {
    let mut arena = Arena::start("controls-power", &SETUP, seed, true).await?;
    let failed = |error: std::io::Error| Stop::from(format!("the store cannot be copied: {error}"));
    let nats = arena.system.process("nats").clone();
    nats.stop().await;
    let configuration = arena.system.data().nats().join("nats.conf");
    let text = fs::read_to_string(&configuration).map_err(failed)?;
    if !text.contains(SYNCS) {
        return Err(Stop::from(format!("{} does not say {SYNCS:?}", configuration.display())));
    }
    fs::write(&configuration, text.replace(SYNCS, SYNCS_LATER)).map_err(failed)?;
    // For commands that are run from here on; the processes have it in their environment.
    let ours = arena.system.config_path();
    let text = fs::read_to_string(&ours).map_err(failed)?;
    fs::write(&ours, text.replace("[stream]\n", &format!("[stream]\n{ACCEPTED}\n"))).map_err(failed)?;
    let (store, on_disk) =
        (arena.system.data().nats().join("store"), arena.system.data().root().join("on-disk"));
    leavings::copy(&store, &on_disk).map_err(failed)?;
    nats.start().await?;
    arena.system.ready().await;

    let counting = Counting::start(&arena, nats.pid().unwrap_or_default()).await;
    let drive = arena.drive(Plan::USUAL);
    drive.more(200, within(60)).await;
    drive.stop().await;
    let _clean = arena.judge(Seen::default()).await?;
    let before = arena.history.lock().clone();
    let counted = match counting {
        Some(counting) => counting.stop().await,
        None => "strace is not installed: fsyncs were not counted".to_owned(),
    };

    // The power goes: nothing may write any more, and only what was fsynced is there.
    nats.pause();
    nats.stop().await;
    fs::remove_dir_all(&store).map_err(failed)?;
    leavings::copy(&on_disk, &store).map_err(failed)?;
    nats.start().await?;
    let (log, replicas) = (arena.log().await?, arena.states().await?);
    let case = Case { history: before, log, replicas, panics: vec![] };
    let what = format!("default sync and a loss of power; {counted}");
    for checker in ["acknowledged writes are in the stream", "replicas are the fold of the stream"] {
        seen.push(seen_to_fail(&arena, checker, &what, &case)?);
    }
    Ok(())
}

/// Counts the fsyncs of a process.
struct Counting {
    strace: Child,
    log: std::path::PathBuf,
}

impl Counting {
    async fn start(arena: &Arena, pid: u32) -> Option<Counting> {
        let log = arena.system.data().root().join("fsyncs.txt");
        let strace = Command::new("strace")
            .args(["-f", "-q", "-y", "-e", "trace=fsync,fdatasync", "-p", &pid.to_string(), "-o"])
            .arg(&log)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        Some(Counting { strace, log })
    }

    async fn stop(mut self) -> String {
        // It lets go of the process when it ends.
        let _ended = self.strace.kill().await;
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let of_events = text.lines().filter(|line| line.contains(".blk")).count();
        format!("{of_events} fsyncs of the stream's files meanwhile")
    }
}
