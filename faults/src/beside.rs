//! Good shoppers beside clients who mean no good: they are answered as before, and whoever serves both takes no more
//! memory, dies of nothing, and goes on.

use std::time::{Duration, Instant};

use load::memory::{self, Memory, Watch};
use tests::within;

use crate::arena::Arena;
use crate::drive::{Drive, Plan};
use crate::history::Outcome;
use crate::row::Stop;

const GOOD: Plan = Plan { keyed: 1, plain: 1, readers: 2 };
/// Of so many answers a p99 is worth something: reads, writes.
const ENOUGH: (usize, usize) = (300, 100);
/// So many times what is usual a good shopper's p99 may be.
const SLOWER: u32 = 2;
/// What chance alone may add on a busy machine.
const CHANCE: Duration = Duration::from_millis(25);
/// A machine that is busy with something else for a moment is not slowed down by these clients.
const TRIES: usize = 4;
/// How long enough answers may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest that any good shopper may wait.
const LONGEST: Duration = Duration::from_secs(5);

/// Good shoppers at work, and a look at all processes.
pub(crate) struct Beside {
    drive: Drive,
    rest: Memory,
    watch: Watch,
    restarts: Vec<(String, u32)>,
}

/// The p99 of good shoppers.
#[derive(Clone, Copy, Debug)]
struct Waits {
    reads: Duration,
    writes: Duration,
}

impl Beside {
    /// Good shoppers begin, and have been answered for a while.
    pub(crate) async fn start(arena: &mut Arena) -> Beside {
        let (rest, watch) = (memory::now(&arena.system), Watch::start(&arena.system));
        let restarts = restarts(arena);
        let drive = arena.drive(GOOD);
        drive.more(50, within(60)).await;
        Beside { drive, rest, watch, restarts }
    }

    /// Does something bad until good shoppers were answered often enough meanwhile, and compares how long they waited with
    /// how long they did right before; in words.
    pub(crate) async fn unharmed(
        &self,
        arena: &Arena,
        bad: impl AsyncFn() -> Result<(), Stop>,
    ) -> Result<String, Stop> {
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            let usual = waits(arena, nothing).await?;
            let now = waits(arena, &bad).await?;
            let words = format!(
                "p99 of good reads {} ms, usually {}; of good writes {} ms, usually {}",
                now.reads.as_millis(),
                usual.reads.as_millis(),
                now.writes.as_millis(),
                usual.writes.as_millis()
            );
            let bounded = |now: Duration, usual: Duration| now <= usual * SLOWER + CHANCE;
            if bounded(now.reads, usual.reads) && bounded(now.writes, usual.writes) {
                return Ok(words);
            }
            seen.push(words);
        }
        Err(Stop::Failed(seen))
    }

    /// Good shoppers finish; what was wrong with them or with processes all the time.
    pub(crate) async fn end(self, arena: &Arena) -> Result<(), Stop> {
        self.drive.more(20, within(60)).await;
        self.drive.stop().await;
        let mut faults = memory::beyond(&self.rest, &self.watch.stop());
        for ((name, before), (_, after)) in self.restarts.iter().zip(restarts(arena)) {
            if after > *before {
                faults.push(format!("{name} died {} times", after - before));
            }
        }
        let history = arena.history.lock();
        let refused =
            history.writes.iter().filter(|record| !matches!(record.outcome, Outcome::Stored { .. }));
        faults.extend(refused.take(3).map(|record| format!("a good write: {:?}", record.outcome)));
        let failed = history.reads.iter().filter(|read| read.status != 200);
        faults.extend(failed.take(3).map(|read| format!("a good read: {}", read.status)));
        let reads = history.reads.iter().map(|read| read.took);
        let slowest =
            history.writes.iter().map(|record| record.slowest).chain(reads).max().unwrap_or_default();
        if slowest > LONGEST {
            faults.push(format!("a good shopper waited {slowest:?}"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Stop::Failed(faults)) }
    }
}

async fn nothing() -> Result<(), Stop> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

fn restarts(arena: &Arena) -> Vec<(String, u32)> {
    arena.system.processes().iter().map(|process| (process.name().to_owned(), process.restarts())).collect()
}

/// The p99 of all that was asked while something was done, again and again until enough was answered.
async fn waits(arena: &Arena, what: impl AsyncFn() -> Result<(), Stop>) -> Result<Waits, Stop> {
    let from = Instant::now();
    loop {
        what().await?;
        let history = arena.history.lock();
        let reads = history.reads.iter().filter(|read| read.started >= from).map(|read| read.took);
        let writes =
            history.writes.iter().filter(|record| record.started >= from).map(|record| record.slowest);
        let (reads, writes): (Vec<_>, Vec<_>) = (reads.collect(), writes.collect());
        if reads.len() >= ENOUGH.0 && writes.len() >= ENOUGH.1 {
            return Ok(Waits { reads: p99(reads), writes: p99(writes) });
        }
        if from.elapsed() > PATIENCE {
            let (reads, writes, seconds) = (reads.len(), writes.len(), PATIENCE.as_secs());
            return Err(Stop::from(format!(
                "in {seconds} s only {reads} good reads and {writes} writes were answered"
            )));
        }
    }
}

fn p99(mut of: Vec<Duration>) -> Duration {
    of.sort_unstable();
    of.get(of.len() * 99 / 100).copied().unwrap_or_default()
}
