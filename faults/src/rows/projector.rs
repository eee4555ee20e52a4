//! Projectors die, are doubled, come back from the dead.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tests::{eventually, tables, within};
use tokio::process::Child;

use super::{Longest, no_read_failed, said, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 3] = [
    Row {
        number: 16,
        title: "kill -9 of a projector under writes, again and again",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| kills(arena).boxed_local(),
    },
    Row {
        number: 17,
        title: "two projectors on one replica, the lock taken from whoever has it",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| doubled(arena).boxed_local(),
    },
    Row {
        number: 18,
        title: "a projector that hung, was succeeded, and goes on",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| zombie(arena).boxed_local(),
    },
];

/// Until a replica whose projector was killed has what was acknowledged before.
const BOUND: Duration = Duration::from_secs(5);
const END_OWNERS: &str =
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted";

async fn kills(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(5, 25);
    let mut longest = Longest::default();
    for round in 0..rounds {
        drive.more(30, within(60)).await;
        tokio::time::sleep(Duration::from_millis(arena.random.below(150) as u64)).await;
        let replica = ["a", "b"][round % 2];
        let process = arena.system.process(&format!("projector-{replica}")).clone();
        process.kill9().await;
        let killed = Instant::now();
        // What the crash has left, before anybody goes on, or as soon as it does.
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

async fn doubled(arena: &mut Arena) -> Result<Seen, Stop> {
    let second = Second::start(arena)?;
    second.says("standing by", 1).await;
    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(5, 25);
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        drive.more(40, within(60)).await;
        let mut connection = tables::connect(&arena.system, "a").await.map_err(|e| e.to_string())?;
        sqlx::raw_sql(END_OWNERS).execute(&mut connection).await.map_err(|e| e.to_string())?;
        longest = longest.max(caught_up(arena, "a", Instant::now()).await);
        arena.look("a").await;
    }
    drive.stop().await;
    let note = format!("{rounds} times the owner lost its lock; {}", summary(arena));
    let judged = arena.judge(Seen::recovered(longest).note(note)).await;
    drop(second);
    judged
}

async fn zombie(arena: &mut Arena) -> Result<Seen, Stop> {
    let second = Second::start(arena)?;
    second.says("standing by", 1).await;
    let drive = arena.drive(Plan::USUAL);
    drive.more(50, within(60)).await;
    let owner = arena.system.process("projector-a").clone();
    let said_before = said(owner.log(), "standing by");
    owner.pause();
    let mut connection = tables::connect(&arena.system, "a").await.map_err(|e| e.to_string())?;
    sqlx::raw_sql(END_OWNERS).execute(&mut connection).await.map_err(|e| e.to_string())?;
    let ended = Instant::now();
    second.says("following the stream", 1).await;
    let longest = caught_up(arena, "a", ended).await;
    drive.more(100, within(60)).await;
    owner.resume();
    eventually("the former owner stands by", within(30), async || {
        let now = said(owner.log(), "standing by");
        if now > said_before { Ok(()) } else { Err(format!("its log says so {now} times")) }
    })
    .await;
    arena.look("a").await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    let note = format!("took over in {:.1} s; {}", longest.as_secs_f64(), summary(arena));
    let judged = arena.judge(Seen::recovered(longest).note(note)).await;
    drop(second);
    judged
}

/// Waits until a replica has everything that was acknowledged before; how long that was after `since`.
pub(super) async fn caught_up(arena: &Arena, replica: &str, since: Instant) -> Duration {
    let target = arena.history.lock().highest();
    let what = format!("replica {replica} has applied {target}");
    eventually(&what, within(60), async || {
        let position = tables::position(&arena.system, replica).await?;
        if position >= target { Ok(since.elapsed()) } else { Err(format!("it stands at {position}")) }
    })
    .await
}

/// Another projector of replica a; killed when it is dropped.
struct Second {
    _process: Child,
    log: PathBuf,
}

impl Second {
    fn start(arena: &Arena) -> Result<Second, Stop> {
        let failed =
            |error: std::io::Error| Stop::from(format!("a second projector does not start: {error}"));
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
        let log = arena.system.data().log("projector-a-second");
        let file = fs::File::create(&log).map_err(failed)?;
        let operations = port.to_string();
        let arguments = ["run", "--replica", "a", "--operations", &operations];
        let mut command = arena.system.operator().command("projector", arguments);
        command.stdout(file.try_clone().map_err(failed)?).stderr(file);
        Ok(Second { _process: command.spawn().map_err(failed)?, log })
    }

    async fn says(&self, words: &str, times: usize) {
        eventually(&format!("the second projector says {words:?}"), within(30), async || {
            let now = said(&self.log, words);
            if now >= times { Ok(()) } else { Err(fs::read_to_string(&self.log).unwrap_or_default()) }
        })
        .await;
    }
}
