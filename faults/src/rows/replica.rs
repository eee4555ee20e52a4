//! A replica's Postgres dies; it commits without waiting for the disk, so its checkpoint goes back.

use std::time::{Duration, Instant};

use futures::FutureExt;
use tests::{tables, within};

use super::projector::caught_up;
use super::{Longest, no_read_failed, said, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 3] = [
    Row {
        number: 19,
        title: "a replica is away for long, and comes back",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| away(arena).boxed_local(),
    },
    Row {
        number: 20,
        title: "kill -9 of a replica's Postgres under writes, again and again",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| kills(arena).boxed_local(),
    },
    Row {
        number: 22,
        title: "a replica has no connection left for its reader and projector",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| no_connection_left(arena).boxed_local(),
    },
];

/// Until a replica whose Postgres was killed has what was acknowledged before.
const BOUND: Duration = Duration::from_secs(15);
/// What Postgres says to whoever comes too late.
const FULL: &str = "sorry, too many clients";
/// How long nobody gets in, and how often somebody may try to meanwhile.
const CLOSED: Duration = Duration::from_secs(5);
const TRIES: usize = 300;

async fn kills(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(3, 15);
    let mut longest = Longest::default();
    for round in 0..rounds {
        drive.more(50, within(60)).await;
        tokio::time::sleep(Duration::from_millis(arena.random.below(150) as u64)).await;
        let replica = ["a", "b"][round % 2];
        let process = arena.system.process(&format!("postgres-{replica}")).clone();
        process.kill9().await;
        let killed = Instant::now();
        // The prefix to which it went back, or one soon behind it.
        arena.look(replica).await;
        process.wait_ready(within(60)).await?;
        let ready = Instant::now();
        caught_up(arena, replica, ready).await;
        longest.add(killed, ready);
    }
    drive.stop().await;
    no_read_failed(arena)?;
    let note = format!("{rounds} kills; {}", summary(arena));
    if longest.ready > BOUND {
        return Err(Stop::from(format!(
            "a replica had caught up after {:.1} s",
            longest.ready.as_secs_f64()
        )));
    }
    arena.judge(Seen::recovered(longest.ready).note(longest.since_the_kill()).note(note)).await
}

async fn away(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    drive.more(50, within(60)).await;
    let postgres = arena.system.process("postgres-b").clone();
    postgres.stop().await;
    tokio::time::sleep(Duration::from_secs(arena.rounds(10, 60) as u64)).await;
    let told = arena.history.lock().highest();
    postgres.start().await?;
    let back = Instant::now();
    let longest = caught_up(arena, "b", back).await;
    drive.stop().await;
    no_read_failed(arena)?;
    let note = format!("caught up with {told}; {}", summary(arena));
    arena.judge(Seen::recovered(longest).note(note)).await
}

async fn no_connection_left(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    drive.more(50, within(60)).await;
    let mut held = Vec::new();
    while let Ok(connection) = tables::connect(&arena.system, "a").await {
        held.push(connection);
        if held.len() > 1_000 {
            return Err(Stop::from("a replica takes a thousand connections".to_owned()));
        }
    }
    // Both lose what they had, and whatever becomes free is taken at once.
    for name in ["reader-a", "projector-a"] {
        arena.system.process(name).kill9().await;
    }
    let until = Instant::now() + CLOSED;
    while Instant::now() < until {
        if let Ok(connection) = tables::connect(&arena.system, "a").await {
            held.push(connection);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ours = held.len();
    let tries = said(arena.system.process("postgres-a").log(), FULL);
    drop(held);
    let free = Instant::now();
    let longest = caught_up(arena, "a", free).await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    no_read_failed(arena)?;
    let note = format!("{ours} connections held; {}", summary(arena));
    let ours = CLOSED.as_millis() as usize / 5;
    if tries > ours + TRIES {
        return Err(Stop::from(format!("{tries} connections were refused, some {ours} of them ours")));
    }
    arena.judge(Seen::recovered(longest).note(note)).await
}
