//! A replica's Postgres dies; it commits without waiting for the disk, so its checkpoint goes back.

use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::Value;
use tests::{Random, Shopper, eventually, interaction, tables, within};

use super::projector::caught_up;
use super::{Longest, no_read_failed, said, summary};
use crate::arena::Arena;
use crate::disk::SmallDisk;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 4] = [
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
        number: 21,
        title: "a replica's disk is full, its write-ahead log included, and then it has room again",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| full_disk(arena).boxed_local(),
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
/// Until the reader of a replica that has caught up answers: it joins for half a second, and the machine may be busy.
const AGAIN: Duration = Duration::from_secs(5);
/// What Postgres says when it cannot write.
const NO_SPACE: &str = "No space left on device";
/// For how long at least.
const FULL_FOR: Duration = Duration::from_secs(8);
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
        // Before its reader is back, the next one would be a fault of all replicas at once.
        answers_again(arena, round % 2).await;
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

/// Waits until a replica's reader answers reads.
async fn answers_again(arena: &Arena, replica: usize) {
    let reader = Shopper::at(&arena.system.reader_urls()[replica]);
    eventually("the replica's reader answers again", AGAIN, async || {
        let answer = reader.get("/products/1").await;
        if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
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

async fn full_disk(arena: &mut Arena) -> Result<Seen, Stop> {
    let postgres = arena.system.process("postgres-b").clone();
    let projector = arena.system.process("projector-b").clone();
    postgres.stop().await;
    let folder = postgres.spec().folder.clone();
    arena.disk = Some(SmallDisk::under_a_replica(arena.system.data().root(), &folder)?);
    postgres.start().await?;
    arena.system.ready().await;
    let drive = arena.drive(Plan::USUAL);
    drive.more(50, within(60)).await;
    let failed = |error: std::io::Error| Stop::from(format!("the small disk: {error}"));
    let disk = arena.disk.as_ref().ok_or_else(|| Stop::from("the disk was mounted above".to_owned()))?;
    disk.fill().map_err(failed)?;
    let before = (projector.restarts(), postgres.restarts());
    let shopper = arena.system.shopper();
    let mut random = Random::seeded(arena.random.below(usize::MAX) as u64);
    eventually("the replica's disk is full", within(60), async || {
        // Nothing that compresses.
        let mut large = interaction();
        let text: String = (0..9_000).map(|_| char::from(b' ' + 2 + random.below(90) as u8)).collect();
        large["element"] = Value::String(text);
        let _answered = shopper.post_interaction(&large).await;
        if said(postgres.log(), NO_SPACE) > 0 { Ok(()) } else { Err("its log does not say so".to_owned()) }
    })
    .await;
    // Everybody else goes on.
    drive.more(200, within(60)).await;
    tokio::time::sleep(FULL_FOR).await;
    drive.more(50, within(60)).await;
    let deaths = (projector.restarts() - before.0, postgres.restarts() - before.1);
    let tries = said(postgres.log(), NO_SPACE);
    let disk = arena.disk.as_ref().ok_or_else(|| Stop::from("the disk was mounted above".to_owned()))?;
    disk.make_room().map_err(failed)?;
    let longest = caught_up(arena, "b", Instant::now()).await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    no_read_failed(arena)?;
    if deaths.0 > 0 {
        return Err(Stop::from(format!("its projector died {} times of it", deaths.0)));
    }
    if tries > TRIES {
        return Err(Stop::from(format!("{tries} times something was tried on the full disk")));
    }
    let note = format!(
        "Postgres said {tries} times that there is no space and died {} times, its projector never; {}",
        deaths.1,
        summary(arena)
    );
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
