//! nats-server loses its power: of what it has written only what was fsynced is there.

use std::time::{Duration, Instant};

use futures::FutureExt;
use local::kernel::Identity;
use rustix::process::Signal;
use tests::within;

use super::{in_time, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::leavings;
use crate::row::{Row, Seen, Setup, Stop};
use crate::synced::{Watching, lengths};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 3,
    title: "nats-server loses its power under writes: what was not fsynced is gone",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| lost(arena).boxed_local(),
}];

/// Until a write is acknowledged, from when nats-server is ready again.
const BOUND: Duration = Duration::from_secs(5);
/// The files of events only grow; of all others those of before are there.
const EVENTS: &str = "blk";

async fn lost(arena: &mut Arena) -> Result<Seen, Stop> {
    let failed = |error: std::io::Error| Stop::from(format!("the store cannot be copied: {error}"));
    let root = arena.system.data().root().to_owned();
    let (store, before) = (arena.system.data().nats().join("store"), root.join("before"));
    let nats = arena.system.process("nats").clone();
    let rounds = arena.rounds(2, 4);
    let (mut gone, mut syncs, mut longest) = (0, 0, Duration::ZERO);
    for round in 0..rounds {
        // A clean stop fsyncs everything.
        nats.stop().await;
        if before.exists() {
            std::fs::remove_dir_all(&before).map_err(failed)?;
        }
        leavings::copy(&store, &before).map_err(failed)?;
        nats.start().await?;
        let who = nats.pid().and_then(Identity::of);
        let who = who.ok_or_else(|| Stop::from("nats-server does not run".to_owned()))?;
        let watching = Watching::start(who.pid, root.join("strace.txt")).await?;
        // Nobody writes before every write is seen.
        let events = lengths(&store, EVENTS).map_err(failed)?;
        let drive = arena.drive_named(&format!("power-{round}"), Plan::USUAL);
        drive.more(150, within(120)).await;
        tokio::time::sleep(Duration::from_millis(arena.random.below(150) as u64)).await;
        // Killed, and not started again before its power is back.
        who.signal(Signal::KILL);
        nats.stop().await;
        let durable = watching.ended(&events).await.map_err(failed)?;
        syncs += durable.syncs;
        gone += durable.take_power(&store, &before, EVENTS).map_err(failed)?;
        nats.start().await?;
        longest = longest.max(drive.recovered(Instant::now(), within(60)).await);
        drive.more(50, within(60)).await;
        drive.stop().await;
    }
    in_time(longest, BOUND)?;
    if syncs == 0 {
        return Err(Stop::from("strace saw no fsync, so nothing was tried".to_owned()));
    }
    let note = format!(
        "power lost {rounds} times; {syncs} fsyncs seen, {gone} bytes of events were written and not fsynced; {}",
        summary(arena)
    );
    arena.judge(Seen::recovered(longest).note(note)).await
}
