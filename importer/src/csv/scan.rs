//! Finds the end of one record in a buffer, and its values.

use memchr::{memchr, memchr2};

use super::Record;

/// What lies at the beginning of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// A record of this many bytes, the end of its line included.
    Complete {
        length: usize,
        /// The first value, if any, in which text follows a closing quote.
        after_quote: Option<AfterQuote>,
        /// Whether the last value stands in quotes.
        last_quoted: bool,
    },
    /// More input could change the answer.
    Incomplete,
    /// The input is all there is, and ends within quotes; the values so far are in the record.
    OpenQuote,
}

/// Text behind a closing quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AfterQuote {
    column: usize,
    /// Nothing stands between the quotes: perhaps the opening one is doubled.
    empty_before: bool,
}

/// Scans one record. `all`: nothing follows the input.
pub(super) fn scan(input: &[u8], all: bool, record: &mut Record) -> Scan {
    let mut at = 0;
    let mut after_quote = None;
    loop {
        let text_start = record.text.len();
        let spaces = input[at..].iter().take_while(|byte| **byte == b' ').count();
        let quoted = match input.get(at + spaces) {
            Some(b'"') => true,
            None if !all => return Scan::Incomplete,
            _ => false,
        };
        if quoted {
            at += spaces + 1;
            loop {
                let Some(length) = memchr(b'"', &input[at..]) else {
                    if !all {
                        return Scan::Incomplete;
                    }
                    record.text.extend_from_slice(without_line_end(&input[at..]));
                    record.ends.push(record.text.len());
                    return Scan::OpenQuote;
                };
                record.text.extend_from_slice(&input[at..at + length]);
                at += length + 1;
                match input.get(at) {
                    Some(b'"') => {
                        record.text.push(b'"');
                        at += 1;
                    }
                    None if !all => return Scan::Incomplete,
                    _ => break,
                }
            }
        }
        let (length, delimiter) = match memchr2(b',', b'\n', &input[at..]) {
            Some(length) => (length, Some(input[at + length])),
            None if all => (input.len() - at, None),
            None => return Scan::Incomplete,
        };
        let mut rest = &input[at..at + length];
        if delimiter != Some(b',') {
            rest = without_line_end(rest);
        }
        if !quoted {
            record.text.extend_from_slice(rest);
        } else if !rest.iter().all(|byte| *byte == b' ') {
            let empty_before = record.text.len() == text_start;
            after_quote = after_quote.or(Some(AfterQuote { column: record.ends.len(), empty_before }));
            record.text.extend_from_slice(rest);
        }
        record.ends.push(record.text.len());
        at += length + usize::from(delimiter.is_some());
        if delimiter != Some(b',') {
            return Scan::Complete { length: at, after_quote, last_quoted: quoted };
        }
    }
}

impl Scan {
    /// Mends the last value of a line that is a record: no value goes on in the next line, so a quote that is
    /// missing at one of its ends, or doubled there, can be told from the text.
    pub(super) fn within_a_line(self, input: &[u8], record: &mut Record) -> Self {
        let Some(last) = record.ends.len().checked_sub(1) else {
            return self;
        };
        let start = if last == 0 { 0 } else { record.ends[last - 1] };
        let stray = match self {
            Self::OpenQuote => true,
            Self::Complete { after_quote: Some(after), .. } => after.column == last && after.empty_before,
            Self::Complete { last_quoted, .. } => !last_quoted && record.text.last() == Some(&b'"'),
            Self::Incomplete => false,
        };
        if !stray {
            return self;
        }
        while record.text.len() > start && record.text.last() == Some(&b'"') {
            record.text.pop();
        }
        record.ends[last] = record.text.len();
        record.mended = true;
        Self::Complete { length: input.len(), after_quote: None, last_quoted: true }
    }
}

fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}
