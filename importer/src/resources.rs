//! The files of the legacy catalogue, parents first.

mod cart;
mod products;
mod questions;
mod reviews;

use contract::catalogue::Table;

use crate::csv::Framing;
use crate::row::{Refusal, Row};

/// A file of the legacy catalogue and what its rows become.
#[derive(Debug)]
pub(crate) struct Source {
    /// For example `product.csv`.
    pub(crate) name: &'static str,
    /// As in its header; in the order of the table's columns, but for a cart's lines.
    pub(crate) columns: &'static [&'static str],
    pub(crate) framing: Framing,
    pub(crate) table: Table,
    /// Reads all columns of one row.
    pub(crate) clean: fn(&mut Row<'_>) -> Result<(), Refusal>,
}

/// Longest text of a product, in characters: names, slogans, sizes and the like.
const SHORT_TEXT: usize = 1_000;
/// Longest description of a product, and longest response to a review, in characters.
const LONG_TEXT: usize = 10_000;
/// Longest address of a picture, in characters.
const URL: usize = 2_000;
/// Longest name of who wrote something, in characters.
const NAME: usize = 100;
/// Longest e-mail address, in characters.
const EMAIL: usize = 254;
/// Postgres's largest integer, for counts.
const HIGHEST_COUNT: u32 = 2_147_483_647;

/// All files, in the order in which they are imported.
pub(crate) fn sources() -> impl Iterator<Item = &'static Source> {
    products::SOURCES.iter().chain(&reviews::SOURCES).chain(&questions::SOURCES).chain(&cart::SOURCES)
}

#[cfg(test)]
mod tests {
    use contract::catalogue::Table;

    #[test]
    fn every_table_has_its_file_in_order_and_every_column_its_place() {
        let tables: Vec<Table> = super::sources().map(|source| source.table).collect();
        assert_eq!(tables, Table::ALL);
        for source in super::sources().filter(|source| source.table != Table::LegacyCartLines) {
            assert_eq!(source.columns.len(), source.table.columns().split(", ").count(), "{}", source.name);
        }
    }
}
