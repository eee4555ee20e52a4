//! Reads a legacy CSV file record by record, and finds its way back after a record that is broken.
//!
//! The `csv` crate reads the same from clean files (a property test compares them), but it swallows the rest of a
//! file behind a quote that never closes, and it forgets the raw text that a quarantine must keep.

mod scan;
#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use scan::{Scan, scan};

/// Bytes asked for at once.
const READ: usize = 1024 * 1024;
/// Longest record. The longest that could be imported is a review of 22,000 characters, some 200 kB when each is
/// written in the longest way.
const LONGEST: usize = 256 * 1024;

/// Where records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// At each line's end. For files whose values cannot hold line breaks: a quote that is not closed then harms
    /// its own line alone, and one in the last column does no harm at all.
    Lines,
    /// At a line's end outside quotes.
    Quotes,
}

/// Why a record has no columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("{found} columns instead of {expected}")]
    Columns { found: usize, expected: usize },
    #[error("text stands between a closing quote and the next comma")]
    AfterQuote,
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("the record does not end within 256 KiB")]
    Endless,
}

/// One record, reused for the next.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The values, quotes resolved, one after another.
    text: Vec<u8>,
    /// Where each value ends in `text`.
    ends: Vec<usize>,
    /// The number of its first line in the file; the header's is 1.
    pub(crate) line: u64,
    /// Where its raw text lies in the reader's buffer.
    raw: Range<usize>,
    /// Whether a stray quote in the last column was taken out.
    pub(crate) mended: bool,
}

impl Record {
    /// A value by its column's index.
    pub(crate) fn value(&self, column: usize) -> &[u8] {
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        &self.text[start..self.ends[column]]
    }

    /// Values in this record.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.mended = false;
    }
}

/// Reads records from bytes.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    source: R,
    framing: Framing,
    columns: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Behind the first part of an endless line: the rest of it is passed over.
    passing_over: bool,
    lines: u64,
    blank_lines: u64,
    bytes: u64,
}

impl<R: Read> Reader<R> {
    /// A reader of records of this many columns.
    pub(crate) fn new(source: R, framing: Framing, columns: usize) -> Self {
        Self {
            source,
            framing,
            columns,
            buffer: vec![0; READ],
            start: 0,
            end: 0,
            at_end: false,
            passing_over: false,
            lines: 0,
            blank_lines: 0,
            bytes: 0,
        }
    }

    /// The next record, or why it is broken, or nothing at the end of the file.
    ///
    /// A broken record is one line: reading goes on behind it, so that a quote that ran away costs its own line and
    /// not the file.
    pub(crate) fn next(&mut self, record: &mut Record) -> io::Result<Option<Result<(), Broken>>> {
        if self.passing_over {
            self.pass_over()?;
        }
        loop {
            record.clear();
            record.line = self.lines + 1;
            let input = &self.buffer[self.start..self.end];
            if input.is_empty() && self.at_end {
                return Ok(None);
            }
            let found = match self.framing {
                Framing::Quotes => scan(input, self.at_end, record),
                Framing::Lines => match memchr(b'\n', input) {
                    Some(end) => {
                        let line = &input[..=end];
                        scan(line, true, record).within_a_line(line, record)
                    }
                    None if self.at_end => scan(input, true, record).within_a_line(input, record),
                    None => Scan::Incomplete,
                },
            };
            let outcome = match found {
                Scan::Incomplete if input.len() < LONGEST => {
                    self.fill()?;
                    continue;
                }
                Scan::Complete { length, .. } if is_blank(&input[..length]) => {
                    self.take(record, length);
                    self.blank_lines += 1;
                    continue;
                }
                Scan::Complete { length, after_quote: None, .. } if record.len() == self.columns => {
                    self.take(record, length);
                    return Ok(Some(Ok(())));
                }
                Scan::Complete { after_quote: Some(_), .. } => Broken::AfterQuote,
                Scan::Complete { .. } => Broken::Columns { found: record.len(), expected: self.columns },
                Scan::OpenQuote => Broken::OpenQuote,
                Scan::Incomplete => Broken::Endless,
            };
            self.take_line(record);
            return Ok(Some(Err(outcome)));
        }
    }

    /// The record's text as it stands in the file, without the end of its last line; until the next one is read.
    pub(crate) fn raw(&self, record: &Record) -> &[u8] {
        let raw = &self.buffer[record.raw.clone()];
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        raw.strip_suffix(b"\r").unwrap_or(raw)
    }

    /// Lines read so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines without anything in them, which are no records.
    pub(crate) fn blank_lines(&self) -> u64 {
        self.blank_lines
    }

    /// Bytes of the file that were read as records so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn take(&mut self, record: &mut Record, length: usize) {
        record.raw = self.start..self.start + length;
        let raw = &self.buffer[record.raw.clone()];
        let ended = memchr::memchr_iter(b'\n', raw).count() as u64;
        // The last line of a file may lack its end.
        self.lines += ended + u64::from(!raw.ends_with(b"\n"));
        self.start += length;
        self.bytes += length as u64;
    }

    /// Takes the first line, or the first part of an endless one.
    fn take_line(&mut self, record: &mut Record) {
        let input = &self.buffer[self.start..self.end];
        match memchr(b'\n', input) {
            Some(end) => self.take(record, end + 1),
            None if self.at_end => self.take(record, input.len()),
            None => {
                let length = input.len();
                self.take(record, length);
                self.passing_over = true;
            }
        }
    }

    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            let input = &self.buffer[self.start..self.end];
            let length = memchr(b'\n', input).map_or(input.len(), |end| end + 1);
            let ended = length > 0 && input[length - 1] == b'\n';
            self.start += length;
            self.bytes += length as u64;
            if ended || self.at_end {
                self.passing_over = false;
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads on behind what is there.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + READ {
            self.buffer.resize(self.end + READ, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n" | b"\r")
}
