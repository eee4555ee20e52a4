//! Runs rows, one after another, and tells how each ended.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::arena::Arena;
use crate::leavings;
use crate::row::{Row, Seen, Stop};
use crate::table::{End, Line, Table};

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

/// Runs rows; each is told of on the standard error when it ends, and all together make the table.
pub(crate) async fn run(rows: &[&Row], seed: u64, quick: bool) -> Table {
    let began = Instant::now();
    let mut table = Table::default();
    for row in rows {
        let started = Instant::now();
        let ended = one(row, seed.wrapping_add(u64::from(row.number)), quick).await;
        let (end, recovered, notes) = match ended {
            Ok(seen) => (End::Pass, seen.recovered, seen.notes),
            Err(Stop::Skipped(reason)) => (End::Skipped, None, vec![reason]),
            Err(Stop::Failed(faults)) => (End::Fail, None, faults),
        };
        let took = Some(started.elapsed());
        let line = Line { number: row.number, end, took, recovered, title: row.title, notes };
        eprintln!("{line}");
        table.add(line);
    }
    table.took = began.elapsed();
    table
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
