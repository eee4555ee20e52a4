//! A load for long, with an outage each minute of what our processes depend on: their memory must not grow.
//!
//! Row 46 of the fault matrix. None of the processes that are watched is ever killed, so what they gather shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::tests::within;
use local::kernel::memory_bytes;

use crate::arena::Arena;
use crate::drive::{Drive, Plan};
use crate::leavings;
use crate::row::{Seen, Setup, Stop};
use crate::run::caught_within;

/// What a shop bears without effort.
const NOMINAL: Plan = Plan { keyed: 2, plain: 2, readers: 2 };
const BETWEEN_OUTAGES: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// How long something hangs.
const HANGS: Duration = Duration::from_secs(5);
/// How much more memory a process may have in the last quarter of the time than in the second: bytes, and parts of a
/// hundred. The first quarter fills pools and caches.
const MORE: (u64, u64) = (8 << 20, 15);
const WATCHED: [&str; 3] = ["writer", "projector", "reader"];

/// Memory of each process, with when it was looked at.
type Looks = BTreeMap<String, Vec<(Duration, u64)>>;

/// Runs it and prints what was seen; whether all was well.
pub(crate) async fn run(seed: u64, length: Duration) -> bool {
    let patience = length + Duration::from_secs(600);
    match caught_within(patience, soak(seed, length)).await {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            println!("soak passed; seed {seed}");
            true
        }
        Err(Stop::Skipped(reason)) => {
            println!("skipped: {reason}");
            true
        }
        Err(Stop::Failed(faults)) => {
            faults.iter().for_each(|line| println!("{line}"));
            println!("soak FAILED; seed {seed}");
            false
        }
    }
}

async fn soak(seed: u64, length: Duration) -> Result<Vec<String>, Stop> {
    let mut arena = Arena::start("soak", &Setup::USUAL, seed, false).await?;
    let drive = arena.drive(NOMINAL);
    let began = Instant::now();
    let mut looks = Looks::new();
    let (mut outages, mut longest) = (0, Duration::ZERO);
    while began.elapsed() < length {
        let until = began + BETWEEN_OUTAGES * (outages + 1);
        // The last look is at a system that is well.
        while Instant::now() < until.min(began + length) {
            look(&arena, began, &mut looks);
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        if began.elapsed() < length {
            longest = longest.max(outage(&arena, &drive, outages).await?);
            outages += 1;
        }
    }
    let mut lines = vec![
        format!(
            "{outages} outages in {:.0} min; a write was acknowledged again {:.1} s after each at the latest",
            length.as_secs_f64() / 60.0,
            longest.as_secs_f64()
        ),
        crate::rows::summary(&arena),
        format!(
            "{:14} {:>8} {:>8} {:>9} {:>8} {:>12}",
            "memory in MB", "first", "early", "late", "highest", "kB/min"
        ),
    ];
    let mut faults = Vec::new();
    for (name, looks) in &looks {
        let growth = Growth::of(looks, length);
        lines.push(growth.line(name));
        faults.extend(growth.fault(name));
    }
    drive.stop().await;
    if let Err(Stop::Failed(more)) = arena.judge(Seen::default()).await {
        faults.extend(more);
    }
    if faults.is_empty() {
        return Ok(lines);
    }
    lines.append(&mut faults);
    lines.push(leavings::leave(&arena, "soak", &lines).await);
    Err(Stop::Failed(lines))
}

/// One outage, each time another; how long it then took until a write was acknowledged.
async fn outage(arena: &Arena, drive: &Drive, number: u32) -> Result<Duration, Stop> {
    let victim = ["nats", "postgres-a", "nats", "postgres-b"][number as usize % 4];
    let process = arena.system.process(victim).clone();
    if (number / 4).is_multiple_of(2) {
        process.kill9().await;
    } else {
        process.pause();
        tokio::time::sleep(HANGS).await;
        process.resume();
    }
    process.wait_ready(within(60)).await?;
    Ok(drive.recovered(Instant::now(), within(60)).await)
}

fn look(arena: &Arena, began: Instant, looks: &mut Looks) {
    for process in arena.system.processes() {
        if !WATCHED.iter().any(|kind| process.name().starts_with(kind)) {
            continue;
        }
        if let Some(bytes) = process.pid().and_then(memory_bytes) {
            looks.entry(process.name().to_owned()).or_default().push((began.elapsed(), bytes));
        }
    }
}

/// What became of a process's memory.
struct Growth {
    first: u64,
    /// Medians of the second quarter and of the last one.
    early: u64,
    late: u64,
    highest: u64,
    /// Bytes a minute, behind the first quarter.
    slope: f64,
}

impl Growth {
    fn of(looks: &[(Duration, u64)], length: Duration) -> Growth {
        let quarter = length / 4;
        let between = |from: Duration, to: Duration| -> Vec<u64> {
            looks.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, bytes)| *bytes).collect()
        };
        let behind: Vec<(f64, f64)> = looks
            .iter()
            .filter(|(at, _)| *at >= quarter)
            .map(|(at, bytes)| (at.as_secs_f64() / 60.0, *bytes as f64))
            .collect();
        Growth {
            first: looks.first().map_or(0, |(_, bytes)| *bytes),
            early: median(between(quarter, quarter * 2)),
            late: median(between(quarter * 3, Duration::MAX)),
            highest: looks.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default(),
            slope: slope(&behind),
        }
    }

    fn line(&self, name: &str) -> String {
        let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1_048_576.0);
        let (first, early, late, highest) = (mb(self.first), mb(self.early), mb(self.late), mb(self.highest));
        format!("{name:14} {first:>8} {early:>8} {late:>9} {highest:>8} {:>12.0}", self.slope / 1024.0)
    }

    fn fault(&self, name: &str) -> Option<String> {
        let allowed = self.early + MORE.0 + self.early * MORE.1 / 100;
        (self.late > allowed).then(|| {
            format!(
                "the memory of {name} grew from {} to {} bytes, {allowed} are allowed",
                self.early, self.late
            )
        })
    }
}

fn median(mut of: Vec<u64>) -> u64 {
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or_default()
}

/// Of the straight line nearest to these points.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(by: u64) -> Growth {
        let looks: Vec<_> =
            (0..100).map(|second| (Duration::from_secs(second), (50 << 20) + second * by)).collect();
        Growth::of(&looks, Duration::from_secs(100))
    }

    #[test]
    fn memory_that_grows_all_the_time_is_a_fault_and_memory_that_does_not_is_none() {
        let steady = growing(0);
        assert_eq!((steady.fault("a"), steady.slope), (None, 0.0));
        let leaking = growing(1 << 20);
        assert!(leaking.fault("a").is_some());
        assert!((leaking.slope - 60.0 * 1_048_576.0).abs() < 1.0, "{}", leaking.slope);
    }
}
