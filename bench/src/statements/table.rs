//! The two tables, and what is judged by them.

use std::fmt;

use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

use crate::error::Error;
use crate::figures::percentile;
use crate::statements::target::BIG;

/// Milliseconds that a statement's median stays under.
const MEDIAN: f64 = 1.0;
/// And its p99.9.
const SLOWEST: f64 = 10.0;
/// And the median of a whole page.
const PAGE: f64 = 20.0;

/// A whole run.
pub(crate) struct Table {
    /// The machine's cores, shared by everything.
    pub(crate) cores: usize,
    /// What the data lies on.
    pub(crate) file_system: String,
    /// Products in the catalogue.
    pub(crate) products: i64,
    /// Counted runs of each statement.
    pub(crate) runs: u32,
    /// The statements.
    pub(crate) statements: Vec<StatementRow>,
    /// Whose pages these are.
    pub(crate) product: i64,
    /// How many it has.
    pub(crate) reviews: i64,
    /// Its pages.
    pub(crate) pages: Vec<PageRow>,
}

/// A statement that was measured.
pub(crate) struct StatementRow {
    /// Its name.
    pub(crate) name: &'static str,
    /// How long it took.
    pub(crate) figures: Figures,
    /// Pages that it looked at, in the median.
    pub(crate) buffers: f64,
    /// And at most.
    pub(crate) most_buffers: f64,
}

/// A page that was measured.
pub(crate) struct PageRow {
    /// The query, but for the product.
    pub(crate) query: &'static str,
    /// Of the answer.
    pub(crate) bytes: usize,
    /// How long it took.
    pub(crate) figures: Figures,
}

/// Milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    median: f64,
    p99: f64,
    p999: f64,
    most: f64,
}

impl Figures {
    /// Sorts them.
    pub(crate) fn of(milliseconds: &mut [f64]) -> Figures {
        let [median, p99, p999, most] = [0.5, 0.99, 0.999, 1.0].map(|share| percentile(milliseconds, share));
        Figures { median, p99, p999, most }
    }
}

impl Table {
    /// Fails when a bound is broken.
    pub(crate) fn judge(&self) -> Result<(), Error> {
        let slow = |row: &&StatementRow| row.figures.median >= MEDIAN || row.figures.p999 >= SLOWEST;
        let statements = self.statements.iter().filter(slow).map(|row| row.name);
        let pages = self.pages.iter().filter(|row| row.figures.median > PAGE).map(|row| row.query);
        let broken: Vec<&str> = statements.chain(pages).collect();
        if !broken.is_empty() {
            return Err(Error::said(format!("not within the bounds: {}", broken.join("; "))));
        }
        if self.reviews < BIG {
            return Err(Error::said(format!("no product has {BIG} reviews: its pages were not measured")));
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cores for everything, the bench included; data on {}; {} products; ids at random from the last tenth; {} runs of each \
             statement, one after another on one connection; bounds: median under {MEDIAN} ms, p99.9 under {SLOWEST} ms\n",
            self.cores, self.file_system, self.products, self.runs
        )?;
        let mut table =
            empty(&["statement", "median ms", "p99 ms", "p99.9 ms", "most ms", "buffers", "most buffers"]);
        for row in &self.statements {
            let Figures { median, p99, p999, most } = row.figures;
            let figures = [median, p99, p999, most].map(milliseconds);
            let buffers = [row.buffers, row.most_buffers].map(|buffers| format!("{buffers:.0}"));
            table.add_row(cells(row.name, figures.into_iter().chain(buffers)));
        }
        writeln!(
            f,
            "{table}\n\nGET /reviews of product {}, which has {} reviews, through the reader, from the request to the last byte; bound: \
             median within {PAGE} ms\n",
            self.product, self.reviews
        )?;
        let mut table = empty(&["page", "median ms", "p99 ms", "most ms", "kB"]);
        for row in &self.pages {
            let Figures { median, p99, most, .. } = row.figures;
            let figures = [median, p99, most].map(milliseconds);
            table.add_row(cells(row.query, figures.into_iter().chain([(row.bytes / 1000).to_string()])));
        }
        write!(f, "{table}")
    }
}

impl fmt::Display for StatementRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {:.0} buffers at most", self.name, self.figures, self.most_buffers)
    }
}

impl fmt::Display for PageRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.query, self.figures)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, p999] = [self.median, self.p999].map(milliseconds);
        write!(f, "median {median} ms, p99.9 {p999} ms")
    }
}

fn empty(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().copied());
    table
}

fn cells(name: &str, figures: impl Iterator<Item = String>) -> Vec<Cell> {
    let figures = figures.map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
    std::iter::once(Cell::new(name)).chain(figures).collect()
}

fn milliseconds(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.2}") } else { format!("{figure:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(milliseconds: &mut [f64], page: f64, reviews: i64) -> Table {
        Table {
            cores: 2,
            file_system: "ext4".into(),
            products: 1,
            runs: 1000,
            statements: vec![StatementRow {
                name: "reviews/newest",
                figures: Figures::of(milliseconds),
                buffers: 5.0,
                most_buffers: 9.0,
            }],
            product: 1,
            reviews,
            pages: vec![PageRow { query: "count=10000", bytes: 2_000, figures: Figures::of(&mut [page]) }],
        }
    }

    #[test]
    fn a_bound_that_is_broken_is_named() {
        let quick = || vec![0.2; 1000];
        assert!(table(&mut quick(), 20.0, BIG).judge().is_ok());
        let two_slow: Vec<f64> = quick().into_iter().skip(2).chain([10.0, 10.0]).collect();
        for (mut figures, page, reviews, named) in [
            (vec![1.0; 1000], 20.0, BIG, "reviews/newest"),
            (two_slow, 20.0, BIG, "reviews/newest"),
            (quick(), 20.1, BIG, "count=10000"),
            (quick(), 20.0, BIG - 1, "no product has"),
        ] {
            let said = table(&mut figures, page, reviews).judge().unwrap_err().to_string();
            assert!(said.contains(named), "{said}");
        }
    }

    #[test]
    fn the_table_is_markdown() {
        let shown = table(&mut [0.25], 12.34, BIG).to_string();
        assert!(shown.contains("| reviews/newest |      0.25 |"), "{shown}");
        assert!(shown.contains("|      12.3 |"), "{shown}");
    }
}
