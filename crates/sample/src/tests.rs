//! The promises of the generator, on catalogues small enough to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Dirt, Options, Progress, Summary, generate};

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sample-{}-{name}", std::process::id()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn make(products: u64, seed: u64, folder: &Path) -> Summary {
    generate(&Options { products, seed }, folder, &mut |_| ()).unwrap()
}

fn hash(folder: &Path) -> String {
    let names: BTreeSet<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(fs::read(name).unwrap());
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// The README and the front ends' examples show what is in the catalogue of seed 1: changing the generator
/// changes this line, and them.
#[test]
fn the_same_options_give_the_same_bytes_for_ever() {
    let (first, second, other) = (Folder::new("first"), Folder::new("second"), Folder::new("other"));
    assert_eq!(make(60, 1, &first.0), make(60, 1, &second.0));
    make(60, 2, &other.0);
    assert_eq!(hash(&first.0), hash(&second.0));
    assert_eq!(hash(&first.0), "62bfe08a7cd365602da0c2b5fecddc1e1d4389c14ed9c4be618e1b6369699673");
    assert_ne!(hash(&first.0), hash(&other.0));
}

/// Rows of each file at full size.
const FULL: [(&str, f64); 13] = [
    ("product.csv", 1_000_011.0),
    ("features.csv", 2_219_279.0),
    ("styles.csv", 1_958_102.0),
    ("skus.csv", 11_323_917.0),
    ("photos.csv", 5_655_656.0),
    ("related.csv", 4_508_263.0),
    ("reviews.csv", 5_774_952.0),
    ("reviews_photos.csv", 2_742_540.0),
    ("characteristics.csv", 3_347_679.0),
    ("characteristic_reviews.csv", 19_327_575.0),
    ("questions.csv", 3_518_963.0),
    ("answers.csv", 6_879_306.0),
    ("answers_photos.csv", 2_063_759.0),
];

fn check_proportions(summary: &Summary, products: f64, within: f64) {
    for (name, full) in FULL {
        #[expect(clippy::cast_precision_loss)]
        let ratio = summary.file(name).unwrap().rows as f64 / (full / 1_000_011.0 * products);
        assert!((ratio - 1.0).abs() < within, "{name}: {ratio}");
    }
    assert_eq!(summary.files.len(), 14);
}

/// A fiftieth of the full size varies more than the full size does.
#[test]
fn proportions_are_those_of_the_legacy_export() {
    let folder = Folder::new("proportions");
    check_proportions(&make(20_000, 3, &folder.0), 20_000.0, 0.015);
}

#[test]
fn all_kinds_of_dirt_occur_in_a_thousand_products() {
    let folder = Folder::new("dirt");
    let summary = make(1_000, 1, &folder.0);
    for kind in Dirt::ALL {
        assert!(summary.files.iter().any(|file| file.dirty(kind) > 0), "{}", kind.name());
    }
    for file in &summary.files {
        assert!(file.dirty(Dirt::DuplicateId) > 0, "{}", file.name);
        assert!(file.name == "product.csv" || file.dirty(Dirt::MissingParent) > 0, "{}", file.name);
    }
    assert!(summary.files.iter().any(|file| file.header_spaces));
}

#[test]
fn an_independent_reader_finds_what_the_summary_says() {
    let folder = Folder::new("reader");
    let summary = make(300, 5, &folder.0);
    for file in &summary.files {
        if file.name == "photos.csv" {
            // Its runaway quotes are what such a reader cannot read; its rows are its lines.
            let lines = fs::read_to_string(folder.0.join(file.name)).unwrap().lines().count() as u64;
            assert_eq!(lines, file.rows + 1);
            continue;
        }
        let mut reader = csv::ReaderBuilder::new().from_path(folder.0.join(file.name)).unwrap();
        let spaced = reader.headers().unwrap().iter().any(|column| column.starts_with(' '));
        assert_eq!(spaced, file.header_spaces, "{}", file.name);
        let (mut rows, mut last, mut duplicates) = (0, 0, 0);
        for record in reader.records() {
            let id: u64 = record.unwrap()[0].parse().unwrap();
            assert!(id >= last, "{}: {id} after {last}", file.name);
            duplicates += u64::from(id == last);
            last = id;
            rows += 1;
        }
        assert_eq!(rows, file.rows, "{}", file.name);
        assert_eq!(duplicates, file.dirty(Dirt::DuplicateId), "{}", file.name);
    }
}

#[test]
fn a_few_products_have_most_reviews() {
    let folder = Folder::new("popular");
    make(5_000, 1, &folder.0);
    let mut reviews = BTreeMap::<u64, u64>::new();
    let mut reader = csv::Reader::from_path(folder.0.join("reviews.csv")).unwrap();
    for record in reader.records() {
        *reviews.entry(record.unwrap()[1].parse().unwrap()).or_default() += 1;
    }
    let mut counts: Vec<u64> = reviews.into_values().collect();
    counts.sort_unstable();
    assert!(counts[counts.len() / 2] <= 6, "median {}", counts[counts.len() / 2]);
    assert!(counts[counts.len() - 1] >= 100, "highest {}", counts[counts.len() - 1]);
}

#[test]
fn progress_ends_at_what_was_expected() {
    let folder = Folder::new("progress");
    let mut reports = Vec::<Progress>::new();
    let options = Options { products: 500, seed: 1 };
    let summary = generate(&options, &folder.0, &mut |progress| reports.push(progress)).unwrap();
    let last = reports.last().unwrap();
    assert_eq!((last.rows_written, last.rows_expected), (summary.rows(), summary.rows()));
    assert!(reports.len() > 3);
    assert!(reports.windows(2).all(|pair| pair[0].rows_written <= pair[1].rows_written));
}
