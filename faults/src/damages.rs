//! Many seeded damages of one real store, each judged by itself: everything at or below what a replica remembers must be
//! found before one wrong row.
//!
//! One system is filled once. Its replica `a` stands at the head; `b` lags: it has seen events that it has not applied,
//! and was stopped before the last ones came. Each damage begins with copies of the store and of the replicas.

mod harm;
mod prepared;
mod verdict;

use std::time::{Duration, Instant};

use tests::Random;

use crate::arena::Arena;
use crate::row::{Setup, Stop};
use crate::run::caught_within;
use harm::{Harm, Kind};
use prepared::Prepared;
use verdict::{Sight, Tally, Verdict};

/// How long a damage may take, whatever it does to nats-server.
const PATIENCE: Duration = Duration::from_secs(90);

/// Makes so many damages and prints a table; whether none was missed, and the control was.
pub(crate) async fn run(seed: u64, number: usize) -> bool {
    match damages(seed, number).await {
        Ok(well) => well,
        Err(Stop::Failed(faults)) => {
            println!("it did not get so far: {}", faults.join("; "));
            false
        }
        Err(Stop::Skipped(reason)) => {
            println!("skipped: {reason}");
            true
        }
    }
}

async fn damages(seed: u64, number: usize) -> Result<bool, Stop> {
    let began = Instant::now();
    let arena =
        caught_within(PATIENCE, async { Arena::start("damages", &Setup::USUAL, seed, true).await }).await?;
    let prepared = caught_within(2 * PATIENCE, Prepared::prepare(arena)).await?;
    println!("{prepared}");
    let mut random = Random::seeded(seed ^ 0x64);
    let mut tally = Tally::default();
    for index in 0..number {
        let harm = Harm::draw(&mut random);
        let replica = if index % 2 == 0 { "a" } else { "b" };
        let started = Instant::now();
        let seen = caught_within(PATIENCE, prepared.damage(&harm, replica, false)).await;
        let (sight, place) = seen?;
        let verdict = sight.judge();
        tally.add(harm.kind, verdict);
        println!(
            "{index:>3} {replica} {verdict:?} in {:.1} s: {harm}, {place}; {}",
            started.elapsed().as_secs_f64(),
            told(&sight)
        );
    }
    println!("\n{}", tally.table());
    let control = Harm::control();
    let (sight, place) = caught_within(PATIENCE, prepared.damage(&control, "b", true)).await?;
    let seen = sight.judge() == Verdict::Missed && !sight.wrong.is_empty() && control.kind == Kind::Refilled;
    println!(
        "control, a replica whose memory was wiped ({control}, {place}): {}; {}",
        if seen { "seen to be missed, with wrong rows" } else { "NOT SEEN" },
        told(&sight)
    );
    println!("{number} damages in {:.0} s; seed {seed}", began.elapsed().as_secs_f64());
    Ok(tally.is_clean() && seen)
}

fn told(sight: &Sight) -> String {
    let damaged = match (sight.damaged.first(), sight.damaged.last()) {
        (Some(first), Some(last)) => format!("{} events damaged, {first} to {last}", sight.damaged.len()),
        _ => "no event damaged".to_owned(),
    };
    let replaced = if sight.replaced { ", another stream or none" } else { "" };
    let refused = sight.refused.as_ref().map_or("not refused".to_owned(), |words| {
        format!("refused: {}", words.chars().take(160).collect::<String>())
    });
    let wrong = sight.wrong.first().map_or(String::new(), |first| {
        format!("; WRONG: {} differences, {}", sight.wrong.len(), first.chars().take(160).collect::<String>())
    });
    format!("{damaged}{replaced}; remembered {}; {refused}{wrong}", sight.remembered)
}
