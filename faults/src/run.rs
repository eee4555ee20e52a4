//! Runs rows, one after another, and tells how each ended.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::arena::Arena;
use crate::leavings;
use crate::row::{Row, Seen, Stop};

/// Longer than any row takes.
const PATIENCE: Duration = Duration::from_secs(600);
/// What the last panic said: a condition that did not come true, mostly.
static SAID: Mutex<Option<String>> = Mutex::new(None);

/// From now on a panic's words are kept for the table instead of being printed.
pub(crate) fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic.to_string());
    }));
}

/// Runs rows and prints the table; whether none failed.
pub(crate) async fn run(rows: &[&Row], seed: u64, quick: bool) -> bool {
    let began = Instant::now();
    println!("{:>3}  {:7}  {:>7}  {:>9}  fault", "row", "", "took", "recovered");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for row in rows {
        let started = Instant::now();
        let ended = one(row, seed.wrapping_add(u64::from(row.number)), quick).await;
        let took = format!("{:.1} s", started.elapsed().as_secs_f64());
        let (word, recovered, lines) = match ended {
            Ok(seen) => {
                passed += 1;
                let recovered =
                    seen.recovered.map_or(String::new(), |longest| format!("{:.1} s", longest.as_secs_f64()));
                ("pass", recovered, seen.notes)
            }
            Err(Stop::Skipped(reason)) => {
                skipped += 1;
                ("skipped", String::new(), vec![reason])
            }
            Err(Stop::Failed(faults)) => {
                failed += 1;
                ("FAIL", String::new(), faults)
            }
        };
        println!("{:>3}  {word:7}  {took:>7}  {recovered:>9}  {}", row.number, row.title);
        for line in lines {
            println!("{:33}{line}", "");
        }
    }
    println!(
        "{passed} passed, {failed} failed, {skipped} skipped in {:.0} s; seed {seed}",
        began.elapsed().as_secs_f64()
    );
    failed == 0
}

/// One row, its system taken down at the end whatever happened.
async fn one(row: &Row, seed: u64, quick: bool) -> Result<Seen, Stop> {
    let name = row.number.to_string();
    let starting = AssertUnwindSafe(Arena::start(&name, &row.setup, seed, quick)).catch_unwind();
    let mut arena = starting.await.unwrap_or_else(|_| Err(Stop::from(said())))?;
    let ended = caught((row.run)(&mut arena)).await;
    match ended {
        Err(Stop::Failed(mut faults)) => {
            // Whatever cannot be left is told; the fault is what counts.
            faults.push(leavings::leave(&arena, &name, &faults).await);
            Err(Stop::Failed(faults))
        }
        other => other,
    }
}

/// Runs to the end, a panic or the end of patience.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    caught_within(PATIENCE, work).await
}

/// The same with another patience.
pub(crate) async fn caught_within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    match tokio::time::timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(_)) => Err(Stop::from(said())),
        Err(_) => Err(Stop::from(format!("it did not end within {} s", patience.as_secs()))),
    }
}

fn said() -> String {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner).take();
    said.unwrap_or_else(|| "it panicked".to_owned())
}
