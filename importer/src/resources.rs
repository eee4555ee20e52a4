//! The files that are imported, parents first, and those that are left for later.

mod products;
mod reviews;

use contract::catalogue::Table;

use crate::csv::Framing;
use crate::row::{Refusal, Row};

/// A file of the legacy catalogue and what its rows become.
#[derive(Debug)]
pub(crate) struct Source {
    /// For example `product.csv`.
    pub(crate) name: &'static str,
    /// As in its header; in the order of the table's columns.
    pub(crate) columns: &'static [&'static str],
    pub(crate) framing: Framing,
    pub(crate) table: Table,
    /// Reads all columns of one row.
    pub(crate) clean: fn(&mut Row<'_>) -> Result<(), Refusal>,
}

/// Files that this version does not import.
pub(crate) const LEFT_FOR_LATER: [&str; 4] =
    ["cart.csv", "questions.csv", "answers.csv", "answers_photos.csv"];

/// Longest text of a product, in characters: names, slogans, sizes and the like.
const SHORT_TEXT: usize = 1_000;
/// Longest description of a product, and longest response to a review, in characters.
const LONG_TEXT: usize = 10_000;
/// Longest address of a picture, in characters.
const URL: usize = 2_000;
/// Postgres's largest integer, for counts.
const HIGHEST_COUNT: u32 = 2_147_483_647;

/// All files that are imported, in the order in which they are.
pub(crate) fn sources() -> impl Iterator<Item = &'static Source> {
    products::SOURCES.iter().chain(&reviews::SOURCES)
}

#[cfg(test)]
mod tests {
    use contract::catalogue::Table;

    #[test]
    fn every_table_has_its_file_in_order_and_every_column_its_place() {
        let tables: Vec<Table> = super::sources().map(|source| source.table).collect();
        assert_eq!(tables, Table::ALL);
        for source in super::sources() {
            assert_eq!(source.columns.len(), source.table.columns().split(", ").count(), "{}", source.name);
        }
    }
}
