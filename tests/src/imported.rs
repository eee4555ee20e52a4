//! What became of a legacy catalogue that was imported.

use std::collections::BTreeMap;

use local::System;

/// Each file with the table into which its rows go.
pub const FILES: [(&str, &str); 14] = [
    ("product.csv", "products"),
    ("features.csv", "features"),
    ("styles.csv", "styles"),
    ("skus.csv", "skus"),
    ("photos.csv", "style_photos"),
    ("related.csv", "related_products"),
    ("reviews.csv", "reviews"),
    ("reviews_photos.csv", "review_photos"),
    ("characteristics.csv", "characteristics"),
    ("characteristic_reviews.csv", "characteristic_ratings"),
    ("questions.csv", "questions"),
    ("answers.csv", "answers"),
    ("answers_photos.csv", "answer_photos"),
    ("cart.csv", "legacy_cart_lines"),
];

/// A row that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// For example `product.csv`.
    pub file: String,
    /// Its number in the file; the header's is 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// The row's text.
    pub text: String,
}

/// What a system's last import set aside.
///
/// # Panics
/// When the quarantine cannot be read.
#[must_use]
pub fn quarantined(system: &System) -> Vec<Quarantined> {
    let quarantine = system.data().root().join("quarantine").join("quarantine.csv");
    let quarantine = csv::Reader::from_path(quarantine).expect("an import leaves a quarantine");
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    quarantine
        .into_byte_records()
        .map(|record| {
            let record = record.expect("the quarantine is a CSV file");
            Quarantined {
                file: text(&record[0]),
                line: text(&record[1]).parse().expect("a line has a number"),
                reason: text(&record[2]),
                text: text(&record[3]),
            }
        })
        .collect()
}

/// The numbers in the importer's table behind a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Lines of the file.
    pub lines: u64,
    /// Lines that are no rows of their own.
    pub other: u64,
    /// Rows.
    pub rows: u64,
    /// Rows that were imported.
    pub imported: u64,
    /// Of those, rows in which something was put right.
    pub repaired: u64,
    /// Rows of which nothing is lost by leaving them out.
    pub dropped: u64,
    /// Rows that were set aside.
    pub quarantined: u64,
}

/// The importer's table, by the files' names.
#[must_use]
pub fn counted(said: &str) -> BTreeMap<String, Counted> {
    let counted = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let [lines, other, rows, imported, repaired, dropped, quarantined] = numbers[..] else { return None };
        Some((name, Counted { lines, other, rows, imported, repaired, dropped, quarantined }))
    };
    said.lines().filter_map(counted).collect()
}
