//! The ids imported so far: what belongs to an unknown row is quarantined, and so is an id that occurs twice.

use contract::catalogue::Table;
use roaring::RoaringBitmap;

/// A bitmap for each table: one bit an id, some 10 MB in all at full size.
#[derive(Debug, Default)]
pub(crate) struct Known {
    tables: [RoaringBitmap; Table::ALL.len()],
}

impl Known {
    pub(crate) fn contains(&self, table: Table, id: u32) -> bool {
        self.tables[table as usize].contains(id)
    }

    pub(crate) fn insert(&mut self, table: Table, id: u32) {
        self.tables[table as usize].insert(id);
    }

    /// Rows known of a table.
    pub(crate) fn rows(&self, table: Table) -> u64 {
        self.tables[table as usize].len()
    }
}
