//! One CSV file as it is written: fields, rows, ids, and the dirt that every file has.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::dirt::{Dirt, Fate};
use crate::random::{Occasional, Random};
use crate::summary::FileSummary;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 * 1024;
/// One row in so many is followed by a copy of itself.
const DUPLICATE_EVERY: u64 = 450;
/// One row in so many belongs to nothing.
const ORPHAN_EVERY: u64 = 500;
/// No row has an id as high as this, so nothing can belong to one.
const MISSING_FROM: u64 = 900_000_000;

/// How a file looks beside its rows.
#[derive(Debug)]
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// Spaces after the commas of the header.
    pub(crate) header_spaces: bool,
    /// `\r\n` instead of `\n`.
    pub(crate) carriage_returns: bool,
    /// Whether the last line ends like the others.
    pub(crate) last_line_ends: bool,
}

/// A file being written. A row is begun, given its fields from left to right, and ended.
#[derive(Debug)]
pub(crate) struct Sheet {
    format: &'static Format,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Where the row being written begins in the buffer, line end of its predecessor included.
    row_start: usize,
    rows: u64,
    next_id: u64,
    row_dirt: u16,
    dirty: [u64; Dirt::ALL.len()],
    duplicates: Occasional,
    orphans: Occasional,
}

impl Sheet {
    pub(crate) fn create(
        format: &'static Format,
        directory: &Path,
        random: &mut Random,
    ) -> Result<Self, Error> {
        let path = directory.join(format.name);
        let file = File::create(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
        let separator = if format.header_spaces { ", " } else { "," };
        let buffer = format.columns.join(separator).into_bytes();
        Ok(Self {
            format,
            path,
            file,
            buffer,
            row_start: 0,
            rows: 0,
            next_id: 1,
            row_dirt: 0,
            dirty: [0; Dirt::ALL.len()],
            duplicates: Occasional::new(DUPLICATE_EVERY, random),
            orphans: Occasional::new(ORPHAN_EVERY, random),
        })
    }

    /// Begins a row with the next id, which it answers.
    pub(crate) fn begin(&mut self) -> u64 {
        self.row_start = self.buffer.len();
        self.row_dirt = 0;
        self.end_line();
        let id = self.next_id;
        self.next_id += 1;
        push_number(&mut self.buffer, id);
        id
    }

    /// The id of what the row belongs to; now and then of something that does not exist.
    pub(crate) fn parent(&mut self, id: u64, random: &mut Random) -> &mut Self {
        if self.orphans.due() {
            self.mark(Dirt::MissingParent);
            self.number(MISSING_FROM + random.below(99_000_000))
        } else {
            self.number(id)
        }
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.buffer.push(b',');
        push_number(&mut self.buffer, number);
        self
    }

    /// A text in quotes, its own quotes doubled.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.buffer.extend_from_slice(b",\"");
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                self.buffer.extend_from_slice(b"\"\"");
            }
            self.buffer.extend_from_slice(part.as_bytes());
        }
        self.buffer.push(b'"');
        self
    }

    /// A field exactly as given.
    pub(crate) fn raw(&mut self, field: &str) -> &mut Self {
        self.buffer.push(b',');
        self.buffer.extend_from_slice(field.as_bytes());
        self
    }

    /// The text `null`.
    pub(crate) fn null(&mut self, random: &mut Random) -> &mut Self {
        self.mark(Dirt::NullText);
        self.raw(if random.percent(70) { "null" } else { "\"null\"" })
    }

    pub(crate) fn boolean(&mut self, value: bool, random: &mut Random) -> &mut Self {
        if random.percent(70) {
            self.raw(if value { "true" } else { "false" })
        } else {
            self.mark(Dirt::BooleanForm);
            self.raw(if value { "1" } else { "0" })
        }
    }

    /// A price in whole units, in one of its forms.
    pub(crate) fn price(&mut self, units: u64, random: &mut Random) -> &mut Self {
        let form = random.below(100);
        if form >= 80 {
            self.mark(Dirt::PriceForm);
        }
        let field = match form {
            0..50 => format!("{units}"),
            50..65 => format!("{units}.00"),
            65..80 => format!("\"{units}.00\""),
            80..88 => format!("${units}.00"),
            88..92 => format!("\"$ {units}\""),
            92..96 => format!(" {units} "),
            _ => format!("\" ${units}.00 \""),
        };
        self.raw(&field)
    }

    pub(crate) fn mark(&mut self, dirt: Dirt) {
        self.row_dirt |= 1 << dirt as u16;
    }

    /// Ends the row, sometimes followed by a copy of itself. Answers whether it can be imported: nothing may
    /// belong to one that cannot.
    pub(crate) fn end(&mut self) -> Result<bool, Error> {
        let kinds = Dirt::ALL.into_iter().filter(|kind| self.row_dirt & (1 << *kind as u16) != 0);
        let fatal = kinds.clone().find(|kind| kind.fate() != Fate::Repaired);
        match fatal {
            Some(kind) => self.dirty[kind as usize] += 1,
            None => kinds.for_each(|kind| self.dirty[kind as usize] += 1),
        }
        self.rows += 1;
        // A copy of a row that is not imported would not be a duplicate of anything.
        if fatal.is_none() && self.duplicates.due() {
            self.buffer.extend_from_within(self.row_start..);
            self.dirty[Dirt::DuplicateId as usize] += 1;
            self.rows += 1;
        }
        if self.buffer.len() >= BUFFER {
            self.write_buffer()?;
        }
        Ok(fatal.is_none())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn finish(mut self) -> Result<FileSummary, Error> {
        if self.format.last_line_ends {
            self.end_line();
        }
        self.write_buffer()?;
        Ok(FileSummary::new(self.format.name, self.rows, self.format.header_spaces, self.dirty))
    }

    /// Line ends are written before rows, not after them, so that the last line may lack its own.
    fn end_line(&mut self) {
        self.buffer.extend_from_slice(if self.format.carriage_returns { b"\r\n" } else { b"\n" });
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        self.file
            .write_all(&self.buffer)
            .map_err(|source| Error::Write { path: self.path.clone(), source })?;
        self.buffer.clear();
        Ok(())
    }
}

fn push_number(buffer: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789"[(number % 10) as usize];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[first..]);
}
