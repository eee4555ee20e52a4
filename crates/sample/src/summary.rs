//! What a generated catalogue contains, for comparison with what an import made of it.

use crate::dirt::{Dirt, Fate};

/// One entry for each file, in the order of the legacy documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The fourteen files.
    pub files: Vec<FileSummary>,
}

/// What one file contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// For example `product.csv`.
    pub name: &'static str,
    /// Rows, without the header; a review with line breaks in it is one row.
    pub rows: u64,
    /// Whether the header has spaces after its commas.
    pub header_spaces: bool,
    /// Rows of each kind of dirt, in the order of [`Dirt::ALL`].
    ///
    /// A row that is dropped or quarantined is counted under that one kind only; a row that is repaired is
    /// counted once under each kind that it has.
    dirty: [u64; Dirt::ALL.len()],
}

impl Summary {
    /// Rows of all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileSummary> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl FileSummary {
    pub(crate) const fn new(
        name: &'static str,
        rows: u64,
        header_spaces: bool,
        dirty: [u64; Dirt::ALL.len()],
    ) -> Self {
        Self { name, rows, header_spaces, dirty }
    }

    /// Rows of this kind of dirt.
    #[must_use]
    pub const fn dirty(&self, kind: Dirt) -> u64 {
        self.dirty[kind as usize]
    }

    /// Rows that an import drops.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lost(Fate::Dropped)
    }

    /// Rows that an import sets aside.
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        self.lost(Fate::Quarantined)
    }

    /// Rows that an import takes.
    #[must_use]
    pub fn imported(&self) -> u64 {
        self.rows - self.dropped() - self.quarantined()
    }

    fn lost(&self, fate: Fate) -> u64 {
        Dirt::ALL.iter().filter(|kind| kind.fate() == fate).map(|kind| self.dirty(*kind)).sum()
    }
}
