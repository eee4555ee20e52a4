//! What became of each file's rows.

use std::collections::BTreeMap;

use crate::row::{Reason, Repair};

/// Counts of one file. Every row is imported, dropped or quarantined; a broken record counts as one row for each of
/// its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileCounts {
    pub(crate) name: &'static str,
    /// Lines, header and blank ones included.
    pub(crate) lines: u64,
    pub(crate) blank_lines: u64,
    pub(crate) rows: u64,
    pub(crate) imported: u64,
    /// Imported rows in which something was repaired.
    pub(crate) repaired: u64,
    /// Imported rows by what was repaired, in the order of [`Repair::ALL`]; a row may count under several.
    pub(crate) repairs: [u64; Repair::ALL.len()],
    /// By reason.
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    /// By kind of reason.
    pub(crate) quarantined: BTreeMap<String, u64>,
}

impl FileCounts {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    pub(crate) fn imported(&mut self, repairs: u8) {
        self.rows += 1;
        self.imported += 1;
        if repairs != 0 {
            self.repaired += 1;
            for (index, count) in self.repairs.iter_mut().enumerate() {
                *count += u64::from(repairs >> index & 1);
            }
        }
    }

    pub(crate) fn dropped(&mut self, reason: &'static str) {
        self.rows += 1;
        *self.dropped.entry(reason).or_default() += 1;
    }

    pub(crate) fn quarantined(&mut self, reason: &Reason) {
        self.rows += 1;
        *self.quarantined.entry(reason.kind()).or_default() += 1;
    }

    pub(crate) fn all_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    pub(crate) fn all_quarantined(&self) -> u64 {
        self.quarantined.values().sum()
    }
}
