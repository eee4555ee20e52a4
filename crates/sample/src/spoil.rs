//! Broken lines and byte-level garbage put into a catalogue's files, each of which an import must set aside, and nothing
//! else with it.

mod columns;

use std::fs;
use std::path::Path;

use crate::Error;
use crate::random::Random;

use columns::{FILES, Fault, File, Kind};

/// Rows that belong to nothing refer to ids from here on, and no row has such an id.
const MISSING_FROM: u64 = 900_000_000;
/// Ids of broken lines whose id is not what is broken: no other row has them.
const FREE_FROM: u64 = 800_000_000;

/// A line that an import must set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoiltLine {
    /// For example `product.csv`.
    pub file: &'static str,
    /// Its number in the file; the header's is 1.
    pub line: u64,
    /// Parts of the reasons of which one must be given.
    pub reasons: Vec<&'static str>,
}

impl SpoiltLine {
    /// Whether a reason that was given is one of those that may be.
    #[must_use]
    pub fn is_explained_by(&self, given: &str) -> bool {
        self.reasons.iter().any(|reason| given.contains(reason))
    }
}

/// Puts broken lines of every kind between the rows of a catalogue that [`crate::generate`] made, so many for each
/// hundred rows; mixes the ends of lines, puts blank lines in, and truncates the last line. Equal seeds spoil equally.
///
/// # Errors
///
/// [`Error::Write`] when the disk refuses, also for reading.
pub fn spoil(directory: &Path, per_hundred: u64, seed: u64) -> Result<Vec<SpoiltLine>, Error> {
    let mut spoilt = Vec::new();
    let mut good = Vec::new();
    for (index, file) in FILES.iter().enumerate() {
        let path = directory.join(file.name);
        let failed = |source| Error::Write { path: path.clone(), source };
        let bytes = fs::read(&path).map_err(failed)?;
        good.push((file.name, good_ids(file, &bytes)));
        let mut random = Random::new(seed, index as u64);
        let mut spoiler =
            Spoiler { file, good: &good, random: &mut random, next_id: FREE_FROM, kind: 0, last_good: 0 };
        let text = spoiler.spoil(&bytes, per_hundred, &mut spoilt);
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(spoilt)
}

/// Ids of rows that are imported.
type Good = [(&'static str, Vec<u64>)];

struct Spoiler<'a> {
    file: &'static File,
    good: &'a Good,
    random: &'a mut Random,
    next_id: u64,
    /// Faults take turns, so that a small catalogue has all of them.
    kind: usize,
    /// Id of the last row before that is imported; 0 before the first.
    last_good: u64,
}

impl Spoiler<'_> {
    fn spoil(&mut self, bytes: &[u8], per_hundred: u64, spoilt: &mut Vec<SpoiltLine>) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() * 11 / 10);
        let mut lines = 0;
        for (index, record) in records(self.file, bytes).enumerate() {
            if index > 0 && self.random.below(100) < per_hundred {
                let (line, reasons) = self.broken();
                lines += 1;
                spoilt.push(SpoiltLine { file: self.file.name, line: lines, reasons });
                out.extend_from_slice(&line);
                self.end(&mut out);
            }
            if index > 0 && self.random.below(200) == 0 {
                lines += 1;
                self.end(&mut out);
            }
            self.last_good = good_id(self.file, record).unwrap_or(self.last_good);
            lines += 1 + record.iter().filter(|byte| **byte == b'\n').count() as u64;
            out.extend_from_slice(record);
            self.end(&mut out);
        }
        // Whoever copied the file ran out of disk.
        self.next_id += 1;
        out.extend_from_slice(format!("{},\"12", self.next_id).as_bytes());
        let reasons = vec![if self.file.by_line { "columns instead of" } else { "a quote is not closed" }];
        spoilt.push(SpoiltLine { file: self.file.name, line: lines + 1, reasons });
        out
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.random.percent(30) { b"\r\n" } else { b"\n" });
    }

    /// A line with one fault.
    fn broken(&mut self) -> (Vec<u8>, Vec<&'static str>) {
        let faults = self.file.faults();
        let (column, fault) = faults[self.kind % faults.len()];
        self.kind += 1;
        self.next_id += 1;
        let mut fields: Vec<Vec<u8>> = Vec::new();
        for kind in self.file.fields {
            fields.push(self.value(*kind).into_bytes());
        }
        let reasons = match fault {
            Fault::Value(value, reason) => {
                fields[column] = value.to_vec();
                vec![reason]
            }
            Fault::KnownId => {
                fields[column] = self.last_good.to_string().into_bytes();
                vec![if self.last_good == 0 { "id is not within" } else { "id occurred before" }]
            }
            Fault::MissingColumn => {
                fields.pop();
                vec!["columns instead of"]
            }
            Fault::OneMore => {
                fields.push(b"more".to_vec());
                vec!["columns instead of"]
            }
            Fault::TextBehindQuote => {
                fields[column] = b"\"a \"b\" c\"".to_vec();
                vec!["text stands between"]
            }
            Fault::OpenQuote => {
                fields[column] = b"\"a".to_vec();
                match self.file.by_line {
                    // It swallows the commas behind it, or ends at the quote of a field behind it.
                    true => vec!["columns instead of", "text stands between"],
                    // What comes next decides which of the two it is.
                    false => vec!["text stands between", "a quote is not closed"],
                }
            }
        };
        (fields.join(&b','), reasons)
    }

    fn value(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Id => self.next_id.to_string(),
            Kind::Of(file) => self.good_of(file).to_string(),
            Kind::Text | Kind::Optional => "\"as it should be\"".to_owned(),
            Kind::Price => "140".to_owned(),
            Kind::Boolean => "true".to_owned(),
            Kind::Date => "2019-04-14T00:00:00.000Z".to_owned(),
            Kind::Number => "4".to_owned(),
        }
    }

    fn good_of(&mut self, file: &str) -> u64 {
        let ids = self.good.iter().find(|(name, _)| *name == file).map(|(_, ids)| ids.as_slice());
        let ids = ids.filter(|ids| !ids.is_empty()).unwrap_or(&[1]);
        ids[usize::try_from(self.random.below(ids.len() as u64)).unwrap_or(0)]
    }
}

/// Whole records without the ends of their last lines, the header first.
fn records<'a>(file: &File, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let by_line = file.by_line;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut quoted = false;
        let end = rest.iter().position(|byte| {
            quoted ^= *byte == b'"' && !by_line;
            *byte == b'\n' && !quoted
        });
        let (record, behind) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = behind;
        Some(record.strip_suffix(b"\r").unwrap_or(record))
    })
}

fn good_ids(file: &File, bytes: &[u8]) -> Vec<u64> {
    records(file, bytes).filter_map(|record| good_id(file, record)).collect()
}

/// The id of a row that is imported, as far as the numbers before its texts tell. A header has none; nothing belongs to
/// a cart's line, and whether one is imported is not told by itself.
fn good_id(file: &File, record: &[u8]) -> Option<u64> {
    if file.name == "cart.csv" {
        return None;
    }
    let number =
        |field: &[u8]| std::str::from_utf8(field).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let numbers: Vec<Option<u64>> = record.split(|byte| *byte == b',').take(3).map(number).collect();
    let of = |column: usize| matches!(file.fields.get(column), Some(Kind::Of(_)));
    let missing = |number: &Option<u64>| number.is_none_or(|number| number == 0 || number >= MISSING_FROM);
    let orphan = numbers.iter().enumerate().any(|(column, number)| of(column) && missing(number));
    let itself = of(1) && of(2) && file.fields.len() == 3 && numbers.get(1) == numbers.get(2);
    if orphan || itself { None } else { *numbers.first()? }
}
