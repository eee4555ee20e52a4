//! Tables that are worked on side by side, the heaviest first, so that none is left over at the end.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::progress::Progress;

/// So many at once, as with two jobs of pg_dump.
pub(crate) const LANES: usize = 2;

/// A table of a generation.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// As last counted.
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) index_bytes: u64,
}

impl Table {
    /// About how many rows are so many bytes.
    pub(crate) fn rows_of(&self, bytes: f64) -> usize {
        (bytes / self.bytes.max(1) as f64 * self.rows as f64) as usize
    }
}

/// What is left to do, and how far it is.
pub(crate) struct Lanes {
    waiting: Mutex<VecDeque<Table>>,
    /// Of tables that are done.
    rows: AtomicU64,
    rows_total: u64,
    weight: Mutex<f64>,
    total: f64,
}

impl Lanes {
    /// `weigh` says how much work a table is.
    pub(crate) fn new(mut tables: Vec<Table>, weigh: impl Fn(&Table) -> f64) -> Lanes {
        tables.sort_by(|one, other| weigh(other).total_cmp(&weigh(one)));
        Lanes {
            rows: AtomicU64::new(0),
            rows_total: tables.iter().map(|table| table.rows).sum(),
            weight: Mutex::new(0.0),
            total: tables.iter().map(weigh).sum(),
            waiting: Mutex::new(tables.into()),
        }
    }

    /// The next table, for one lane alone.
    pub(crate) fn next(&self) -> Option<Table> {
        self.waiting.lock().expect("no holder of this lock panics").pop_front()
    }

    /// So much of the work is done.
    pub(crate) fn add(&self, weight: f64) {
        *self.weight.lock().expect("no holder of this lock panics") += weight;
    }

    /// So many rows more are done.
    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows that are done.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Shows how far it is, with rows of tables that are not done.
    pub(crate) fn tell(&self, more: u64, progress: &Progress) {
        let done = *self.weight.lock().expect("no holder of this lock panics");
        progress.copied(done.min(self.total), self.total, self.rows() + more, self.rows_total);
    }
}
