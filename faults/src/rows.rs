//! The rows, each under its number in the fault matrix.

mod answers;
mod clocks;
mod configuration;
mod content;
mod corpus;
pub(crate) mod damage;
mod generations;
mod hostile;
mod import;
mod injection;
mod nats;
mod once;
mod overload;
mod poison;
mod power;
mod projector;
mod readers;
mod replica;
mod snapshots;
mod storage;
mod writer;

use std::path::Path;
use std::time::{Duration, Instant};

use ::tests::{Shopper, within};

use crate::arena::Arena;
use crate::arguments::Arguments;
use crate::drive::Drive;
use crate::drive::client::attempt;
use crate::history::{Operation, Outcome};
use crate::row::{Row, Stop};

/// All rows, in the order of their numbers.
pub(crate) fn all() -> Vec<&'static Row> {
    let groups: &[&'static [Row]] = &[
        &nats::ROWS,
        &power::ROWS,
        &storage::ROWS,
        &once::ROWS,
        &writer::ROWS,
        &projector::ROWS,
        &replica::ROWS,
        &poison::ROWS,
        &corpus::ROWS,
        &damage::ROWS,
        &snapshots::ROWS,
        &answers::ROWS,
        &readers::ROWS,
        &clocks::ROWS,
        &generations::ROWS,
        &overload::ROWS,
        &hostile::ROWS,
        &content::ROWS,
        &injection::ROWS,
        &import::ROWS,
        &configuration::ROWS,
    ];
    let mut rows: Vec<&'static Row> = groups.iter().copied().flatten().collect();
    rows.sort_by_key(|row| row.number);
    rows
}

/// Those that the command line names; without any the quick ones.
///
/// # Errors
/// For a number that is none of a row.
pub(crate) fn chosen(arguments: &Arguments) -> Result<Vec<&'static Row>, String> {
    let all = all();
    if let Some(unknown) = arguments.rows.iter().find(|number| all.iter().all(|row| row.number != **number)) {
        return Err(format!("there is no row {unknown}; `faults --list` shows those that there are"));
    }
    Ok(all
        .into_iter()
        .filter(|row| match arguments.rows.as_slice() {
            [] => arguments.all || row.quick,
            named => named.contains(&row.number),
        })
        .collect())
}

/// How long it took after kills, at the longest.
#[derive(Clone, Copy, Default)]
struct Longest {
    /// From the kill. A supervisor pauses the longer the more often a process dies, up to a second.
    killed: Duration,
    /// From when the process was ready again.
    ready: Duration,
}

impl Longest {
    fn add(&mut self, killed: Instant, ready: Instant) {
        self.killed = self.killed.max(killed.elapsed());
        self.ready = self.ready.max(ready.elapsed());
    }

    /// The longest time from the kill, in words.
    fn since_the_kill(&self) -> String {
        format!(
            "{:.1} s from a kill at the longest, the supervisor's growing pause included",
            self.killed.as_secs_f64()
        )
    }

    /// The longest time from when it was ready again, in words.
    fn since_ready(&self) -> String {
        format!(
            "from the kill, the supervisor's growing pause included; {:.1} s at the longest from when it was ready again",
            self.ready.as_secs_f64()
        )
    }
}

/// Kills a process as a crash would, again and again under writes; how long it took until a write was acknowledged.
async fn killed_again_and_again(
    arena: &mut Arena,
    drive: &Drive,
    victims: &[&str],
    rounds: usize,
) -> Result<Longest, Stop> {
    let mut longest = Longest::default();
    for round in 0..rounds {
        drive.more(30, within(60)).await;
        // Any moment is as good as another.
        tokio::time::sleep(Duration::from_millis(arena.random.below(150) as u64)).await;
        let process = arena.system.process(victims[round % victims.len()]).clone();
        process.kill9().await;
        let killed = Instant::now();
        process.wait_ready(within(60)).await?;
        let ready = Instant::now();
        drive.recovered(killed, within(60)).await;
        longest.add(killed, ready);
    }
    Ok(longest)
}

/// A fault unless it recovered in time.
fn in_time(longest: Duration, bound: Duration) -> Result<(), Stop> {
    if longest <= bound {
        return Ok(());
    }
    let (longest, bound) = (longest.as_secs_f64(), bound.as_secs_f64());
    Err(Stop::from(format!(
        "it took {longest:.1} s until a write was acknowledged again; {bound} s are allowed"
    )))
}

/// Sends many writes at once, each once; what each was told.
async fn volley(shopper: &Shopper, writes: &[(Operation, String)]) -> Vec<Outcome> {
    let sent = writes.iter().map(|(operation, key)| {
        let (shopper, operation, key) = (shopper.clone(), operation.clone(), key.clone());
        tokio::spawn(async move { attempt(&shopper, &operation, Some(&key), None).await })
    });
    let mut told = Vec::new();
    for sent in futures::future::join_all(sent).await {
        told.push(sent.unwrap_or_else(|error| Outcome::Unknown(error.to_string())));
    }
    told
}

/// How often a log says something.
fn said(log: &Path, words: &str) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches(words).count()
}

/// What writers say of batches only to those who want to know everything.
const TELLING: &[(&str, &str, &str)] = &[("writer", "ATELIER_LOG", "info,writer=debug")];
/// One of its events was there already.
const BATCH_REFUSED: &str = "a batch was refused";
/// Nobody knows whether it was stored.
const BATCH_UNANSWERED: &str = "a batch was not acknowledged";

/// How often all writers together said something.
fn said_by_writers(arena: &Arena, words: &str) -> usize {
    let writers = arena.system.processes().iter().filter(|process| process.name().starts_with("writer"));
    writers.map(|writer| said(writer.log(), words)).sum()
}

/// In a few words: how many were acknowledged, refused, left in doubt, and how reads went.
pub(crate) fn summary(arena: &Arena) -> String {
    let history = arena.history.lock();
    let count = |of: fn(&Outcome) -> bool| history.writes.iter().filter(|record| of(&record.outcome)).count();
    let failed = history.reads.iter().filter(|read| read.status != 200).count();
    format!(
        "{} writes acknowledged, {} refused, {} in doubt; {} reads, {failed} failed{}",
        count(|outcome| matches!(outcome, Outcome::Stored { .. })),
        count(|outcome| matches!(outcome, Outcome::Failed(_) | Outcome::Rejected(_))),
        count(|outcome| matches!(outcome, Outcome::Unknown(_))),
        history.reads.len(),
        if arena.tokens { ", each with a token" } else { "; tokens are not honoured yet and not judged" }
    )
}

/// A fault when a read failed: with one replica or reader left none may.
fn no_read_failed(arena: &Arena) -> Result<(), Stop> {
    let history = arena.history.lock();
    let failed: Vec<u16> =
        history.reads.iter().map(|read| read.status).filter(|status| *status != 200).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Stop::from(format!("{} of {} reads failed, with {failed:?}", failed.len(), history.reads.len())))
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn each_row_has_a_number_of_its_own_and_a_dozen_are_quick() {
        let rows = all();
        assert!(rows.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!((10..=14).contains(&rows.iter().filter(|row| row.quick).count()));
    }
}
