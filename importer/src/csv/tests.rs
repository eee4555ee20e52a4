//! Clean files read as the `csv` crate reads them; broken records cost no more than themselves.

use proptest::prelude::*;

use super::{Broken, Framing, Reader, Record};

/// Gives a few bytes at a time, so that records lie across reads.
struct Trickle<'a>(&'a [u8], usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

type Row = Vec<Vec<u8>>;
/// A record: its line, its values or the reason why there are none, its raw text.
type Found = (u64, Result<Row, Broken>, Vec<u8>);

/// All records, and how many lines there are in the file.
fn read(text: &[u8], framing: Framing, columns: usize, step: usize) -> (Vec<Found>, u64) {
    let mut reader = Reader::new(Trickle(text, step), framing, columns);
    let mut record = Record::default();
    let mut rows = Vec::new();
    while let Some(outcome) = reader.next(&mut record).unwrap() {
        let row = outcome.map(|()| (0..record.len()).map(|column| record.value(column).to_vec()).collect());
        rows.push((record.line, row, reader.raw(&record).to_vec()));
    }
    assert_eq!(reader.bytes(), text.len() as u64);
    (rows, reader.lines())
}

fn values(text: &str, framing: Framing, columns: usize) -> Vec<(u64, Result<Vec<String>, Broken>)> {
    let (rows, _) = read(text.as_bytes(), framing, columns, 7);
    rows.into_iter()
        .map(|(line, row, _)| {
            (line, row.map(|row| row.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()))
        })
        .collect()
}

fn row(values: &[&str]) -> Result<Vec<String>, Broken> {
    Ok(values.iter().map(|value| (*value).to_owned()).collect())
}

fn write(rows: &[Row], terminator: ::csv::Terminator, always: bool) -> Vec<u8> {
    let style = if always { ::csv::QuoteStyle::Always } else { ::csv::QuoteStyle::Necessary };
    let mut writer =
        ::csv::WriterBuilder::new().terminator(terminator).quote_style(style).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

fn rows(alphabet: &'static str) -> impl Strategy<Value = Vec<Row>> {
    let value = proptest::collection::vec(proptest::sample::select(alphabet.as_bytes()), 0..12);
    proptest::collection::vec(proptest::collection::vec(value, 3), 0..12)
}

proptest! {
    #[test]
    fn clean_files_read_as_they_were_written(
        rows in rows("ab, \"\n\r;é0"), crlf: bool, always: bool, cut: bool, step in 1_usize..40
    ) {
        let terminator = if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
        let mut text = write(&rows, terminator, always);
        if cut && text.ends_with(b"\n") {
            text.pop();
        }
        let (found, lines) = read(&text, Framing::Quotes, 3, step);
        let found: Vec<Row> = found.into_iter().map(|(_, row, _)| row.unwrap()).collect();
        prop_assert_eq!(&found, &rows);
        prop_assert_eq!(lines, String::from_utf8_lossy(&text).lines().count() as u64);
        let mut reference = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
        let reference: Vec<Row> =
            reference.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
        prop_assert_eq!(found, reference);
    }

    #[test]
    fn clean_lines_read_as_they_were_written(rows in rows("ab, \";é0"), always: bool, step in 1_usize..40) {
        let text = write(&rows, ::csv::Terminator::CRLF, always);
        let (found, _) = read(&text, Framing::Lines, 3, step);
        let found: Vec<Row> = found.into_iter().map(|(_, row, _)| row.unwrap()).collect();
        prop_assert_eq!(found, rows);
    }

    #[test]
    fn no_byte_of_any_file_is_lost(text: Vec<u8>, step in 1_usize..40, lines: bool) {
        let framing = if lines { Framing::Lines } else { Framing::Quotes };
        let (found, lines) = read(&text, framing, 3, step);
        // Every line is in a record or blank; line numbers ascend.
        prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert!(found.last().is_none_or(|last| last.0 <= lines));
        let written: usize = found.iter().map(|(_, _, raw)| raw.len()).sum();
        let blank = text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        prop_assert!(text.len() <= written + blank);
    }

    #[test]
    fn a_runaway_quote_costs_its_line_alone(at in 0_usize..5) {
        let text: String = (0..5)
            .map(|index| if index == at { "1,\"a,\"b\"\n".to_owned() } else { format!("{index},\"x\",\"y\"\n") })
            .collect();
        let found = values(&text, Framing::Quotes, 3);
        prop_assert_eq!(found.len(), 5);
        for (index, (line, row)) in found.iter().enumerate() {
            prop_assert_eq!(*line, index as u64 + 1);
            prop_assert_eq!(row.is_err(), index == at);
        }
    }
}

#[test]
fn thumbnails_with_stray_quotes_are_mended_and_the_next_row_is_kept() {
    let text =
        "1,\"u\",\"t\n2,\"u\",\"t\"\"\r\n3,\"u\",\"\"t\"\n4,\"u\",t\"\n5,\"u\",\"t\"\n6,\"u\",\"a\"\"\"\n";
    let expected: Vec<_> = ["t", "t", "t", "t", "t", "a\""]
        .iter()
        .enumerate()
        .map(|(index, last)| (index as u64 + 1, row(&[&(index + 1).to_string(), "u", last])))
        .collect();
    assert_eq!(values(text, Framing::Lines, 3), expected);
}

#[test]
fn a_record_of_several_lines_is_numbered_by_its_first() {
    let text = "1,\"a\nb\n\",x\r\n\n2,c,y\n\r\n3,\"\",z";
    assert_eq!(
        values(text, Framing::Quotes, 3),
        [(1, row(&["1", "a\nb\n", "x"])), (5, row(&["2", "c", "y"])), (7, row(&["3", "", "z"]))]
    );
}

#[test]
fn wrong_numbers_of_columns_are_reported_line_by_line() {
    let text = "1,a\n2,a,b,c\n3,a,b\n";
    let found = values(text, Framing::Quotes, 3);
    assert_eq!(found[0], (1, Err(Broken::Columns { found: 2, expected: 3 })));
    assert_eq!(found[1], (2, Err(Broken::Columns { found: 4, expected: 3 })));
    assert_eq!(found[2], (3, row(&["3", "a", "b"])));
}

#[test]
fn text_behind_a_closing_quote_is_broken_but_spaces_are_not() {
    let found = values("1,\"a \"b\" c\",d\n2, \"a\" ,d\n", Framing::Quotes, 3);
    assert_eq!(found[0], (1, Err(Broken::AfterQuote)));
    assert_eq!(found[1], (2, row(&["2", "a", "d"])));
}

#[test]
fn a_truncated_last_line_is_reported_with_its_raw_text() {
    let (found, lines) = read(b"1,a,b\n2,\"tru", Framing::Quotes, 3, 5);
    assert_eq!((found[1].0, &found[1].1, lines), (2, &Err(Broken::OpenQuote), 2));
    assert_eq!(found[1].2, b"2,\"tru");
}

#[test]
fn an_endless_line_is_passed_over_in_bounded_memory() {
    let mut text = b"1,a,b\n2,".to_vec();
    text.resize(text.len() + 5_000_000, b'x');
    text.extend_from_slice(b"\n3,a,b\n");
    let mut reader = Reader::new(text.as_slice(), Framing::Quotes, 3);
    let mut record = Record::default();
    assert_eq!(reader.next(&mut record).unwrap(), Some(Ok(())));
    assert_eq!(reader.next(&mut record).unwrap(), Some(Err(Broken::Endless)));
    assert!(reader.raw(&record).len() < 3_000_000);
    assert_eq!(reader.next(&mut record).unwrap(), Some(Ok(())));
    assert_eq!((record.value(0), record.line), (b"3".as_slice(), 3));
    assert_eq!(reader.next(&mut record).unwrap(), None);
    assert!(reader.buffer.len() < 4_000_000);
}
