//! Readers die, are replaced, and are left by those who ask.

use std::time::{Duration, Instant};

use futures::FutureExt;
use local::kernel::Identity;
use sqlx::Row as _;
use tests::{Random, eventually, tables, within};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{no_read_failed, summary};
use crate::arena::Arena;
use crate::drive::{Drive, Plan};
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 3] = [
    Row {
        number: 34,
        title: "kill -9 of one reader, and of all of them, under reads",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| kills(arena).boxed_local(),
    },
    Row {
        number: 35,
        title: "readers are restarted one after another and nginx is reloaded, under reads",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| rolling(arena).boxed_local(),
    },
    Row {
        number: 44,
        title: "clients hang up at random points",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| hang_ups(arena).boxed_local(),
    },
];

const READING: Plan = Plan { keyed: 2, plain: 0, readers: 8 };
/// Until a read is answered again when all readers were killed at once.
const BOUND: Duration = Duration::from_secs(3);
const BACKENDS: &str = "select count(*), count(*) filter (where state like 'idle in transaction%') \
     from pg_stat_activity where usename = 'atelier_reader'";

async fn kills(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(READING);
    // No more: for a process that dies often its supervisor pauses longer than what is measured at the end.
    for round in 0..4 {
        more_reads(arena, 200).await;
        let reader = arena.system.process(["reader-a", "reader-b"][round % 2]).clone();
        reader.kill9().await;
        more_reads(arena, 200).await;
        reader.wait_ready(within(60)).await?;
    }
    no_read_failed(arena)?;
    // All at once: reads fail until one is back, and not a moment longer.
    let both = [arena.system.process("reader-a").clone(), arena.system.process("reader-b").clone()];
    futures::future::join_all(both.iter().map(local::Process::kill9)).await;
    let killed = Instant::now();
    let longest = eventually("a read is answered again", within(60), async || {
        let history = arena.history.lock();
        let first = history.reads.iter().rev().take_while(|read| read.started >= killed);
        first
            .filter(|read| read.status == 200)
            .map(|read| read.started + read.took - killed)
            .min()
            .ok_or_else(|| "none is".to_owned())
    })
    .await;
    stop(arena, drive).await?;
    let note = summary(arena);
    if longest > BOUND {
        return Err(Stop::from(format!(
            "all readers killed: a read was answered after {:.1} s",
            longest.as_secs_f64()
        )));
    }
    arena.judge(Seen::recovered(longest).note(note)).await
}

async fn rolling(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(READING);
    more_reads(arena, 200).await;
    for _ in 0..arena.rounds(2, 6) {
        for name in ["reader-a", "reader-b"] {
            arena.system.process(name).restart().await?;
            more_reads(arena, 200).await;
        }
        let nginx = arena.system.process("nginx").pid().and_then(Identity::of);
        nginx
            .ok_or_else(|| Stop::from("nginx does not run".to_owned()))?
            .signal(rustix::process::Signal::HUP);
        more_reads(arena, 400).await;
    }
    stop(arena, drive).await?;
    no_read_failed(arena)?;
    let note = summary(arena);
    arena.judge(Seen::default().note(note)).await
}

async fn hang_ups(arena: &mut Arena) -> Result<Seen, Stop> {
    let before = backends(arena).await?;
    let times = arena.rounds(1_000, 10_000);
    let product = arena.product().id;
    let mut addresses = arena.system.reader_urls();
    addresses.push(arena.system.url());
    let mut clients = JoinSet::new();
    for number in 0..16 {
        let address = addresses[number % addresses.len()].trim_start_matches("http://").to_owned();
        let mut random = Random::seeded(arena.random.below(usize::MAX) as u64);
        clients.spawn(async move {
            let request = format!("GET /reviews?product_id={product}&count=1000 HTTP/1.1\r\nHost: x\r\n\r\n");
            for _ in 0..times / 16 {
                let Ok(mut stream) = TcpStream::connect(&address).await else {
                    continue;
                };
                let sent = random.below(request.len() + 200).min(request.len());
                // A server that closes first has hung up itself.
                let _sent_or_not = stream.write_all(&request.as_bytes()[..sent]).await;
                tokio::time::sleep(Duration::from_micros(random.below(3_000) as u64)).await;
            }
        });
    }
    while clients.join_next().await.is_some() {}
    let after = eventually("the readers' sessions are as they were", within(30), async || {
        let now = backends(arena).await.map_err(|stop| format!("{stop:?}"))?;
        let grown = now.iter().zip(&before).any(|((sessions, open), (were, _))| *open > 0 || sessions > were);
        if grown { Err(format!("{before:?} before, {now:?} now")) } else { Ok(now) }
    })
    .await;
    let drive = arena.drive(READING);
    more_reads(arena, 500).await;
    stop(arena, drive).await?;
    no_read_failed(arena)?;
    let note = format!("{times} times; sessions and open transactions of each replica: {after:?}");
    arena.judge(Seen::default().note(note)).await
}

/// Sessions of readers, and those in a transaction, of each replica.
async fn backends(arena: &Arena) -> Result<Vec<(i64, i64)>, Stop> {
    let mut all = Vec::new();
    for replica in arena.system.replicas() {
        let read = async {
            let mut connection = tables::connect(&arena.system, replica).await?;
            let row = sqlx::query(BACKENDS).fetch_one(&mut connection).await?;
            Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))
        };
        all.push(read.await.map_err(|error| error.to_string())?);
    }
    Ok(all)
}

async fn more_reads(arena: &Arena, more: usize) {
    let before = arena.history.lock().reads.len();
    eventually(&format!("{more} more reads are answered"), within(60), async || {
        let now = arena.history.lock().reads.len() - before;
        if now >= more { Ok(()) } else { Err(format!("{now} are")) }
    })
    .await;
}

async fn stop(arena: &Arena, drive: Drive) -> Result<(), Stop> {
    more_reads(arena, 100).await;
    drive.stop().await;
    Ok(())
}
