//! A made-up legacy catalogue: all fourteen CSV files, with the proportions and every kind of dirt of the real
//! export, from a seed.
//!
//! `cargo xtask up` fills a new system with it and tests compare what went in (the [`Summary`]) with what came
//! out. Everything about one product is written before the next product begins, into all files at once, so
//! memory does not grow with the catalogue and ids ascend in every file.

mod dates;
mod dirt;
mod popularity;
mod random;
mod resources;
mod sheet;
mod spoil;
mod summary;
mod text;

use std::io;
use std::path::{Path, PathBuf};

pub use dirt::{Dirt, Fate};
pub use spoil::{SpoiltLine, spoil};
pub use summary::{FileSummary, Summary};

use resources::Catalogue;

/// Rows for each product, over all files; the first guess of a progress bar's length.
const ROWS_PER_PRODUCT: f64 = 71.3;
/// Rows between two calls of the caller's progress function.
const ROWS_BETWEEN_REPORTS: u64 = 4_096;
/// Legacy ids end here, and characteristic ratings, the largest file, number 20 for each product.
const MOST_PRODUCTS: u64 = 40_000_000;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Products; the full legacy catalogue has a million. 1 to 40,000,000.
    pub products: u64,
    /// Another seed gives other contents in the same shape.
    pub seed: u64,
}

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows written so far, over all files.
    pub rows_written: u64,
    /// Rows that there will be, within a few per cent; exact in the last report.
    pub rows_expected: u64,
}

/// Why no catalogue was made. What was written before stays in the folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The number of products cannot be numbered with legacy ids.
    #[error("a catalogue of {0} products cannot be made: ask for 1 to 40000000")]
    Products(u64),
    /// The folder or a file in it.
    #[error("{} could not be written", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes the fourteen files into `directory`, which is made if it is missing; files of these names are
/// replaced. Equal options give equal bytes.
///
/// # Errors
///
/// [`Error::Write`] when the disk refuses; the files are then incomplete.
pub fn generate(
    options: &Options,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, Error> {
    if options.products == 0 || options.products > MOST_PRODUCTS {
        return Err(Error::Products(options.products));
    }
    std::fs::create_dir_all(directory)
        .map_err(|source| Error::Write { path: directory.to_owned(), source })?;
    let mut catalogue = Catalogue::create(options, directory)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate of at most 3 * 10^9"
    )]
    let expected = (options.products as f64 * ROWS_PER_PRODUCT) as u64;
    let mut next_report = 0;
    for product in 1..=options.products {
        catalogue.write_product(product)?;
        let rows_written = catalogue.rows();
        if rows_written >= next_report {
            progress(Progress { rows_written, rows_expected: expected.max(rows_written) });
            next_report = rows_written + ROWS_BETWEEN_REPORTS;
        }
    }
    let summary = catalogue.finish()?;
    let rows = summary.rows();
    progress(Progress { rows_written: rows, rows_expected: rows });
    Ok(summary)
}

#[cfg(test)]
mod tests;
