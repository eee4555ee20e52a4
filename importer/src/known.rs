//! What was imported so far, as far as later rows refer to it: what belongs to an unknown row is quarantined, and so
//! is an id that occurs twice.

use contract::catalogue::Table;
use roaring::RoaringBitmap;

use crate::lowest_skus::LowestSkus;

/// A bitmap for each table, one bit an id, some 10 MB in all at full size; and the products' lowest skus.
#[derive(Debug, Default)]
pub(crate) struct Known {
    tables: [RoaringBitmap; Table::ALL.len()],
    lowest_skus: LowestSkus,
}

impl Known {
    pub(crate) fn contains(&self, table: Table, id: u32) -> bool {
        self.tables[table as usize].contains(id)
    }

    /// A product's lowest sku; of use once all skus were read.
    pub(crate) fn lowest_sku(&self, product: u32) -> Option<u32> {
        self.lowest_skus.of(product)
    }

    /// A row was imported; `parent` is what it belongs to in the first place.
    pub(crate) fn insert(&mut self, table: Table, id: u32, parent: u32) {
        self.tables[table as usize].insert(id);
        match table {
            Table::Styles => self.lowest_skus.style(id, parent),
            Table::Skus => self.lowest_skus.sku(id, parent),
            _ => {}
        }
    }

    /// All rows of a table were read.
    pub(crate) fn ended(&mut self, table: Table) {
        match table {
            Table::Styles => self.lowest_skus.styles_ended(),
            Table::Skus => self.lowest_skus.skus_ended(),
            _ => {}
        }
    }

    /// Rows known of a table.
    pub(crate) fn rows(&self, table: Table) -> u64 {
        self.tables[table as usize].len()
    }
}
