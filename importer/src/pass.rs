//! One pass over all files: records become rows, chunks and quarantined lines. Deterministic: equal files and equal
//! keys give equal chunks.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use contract::catalogue::BytesRead;

use crate::chunk::{Cutter, Sink, Stopped};
use crate::csv::{Broken, Reader, Record};
use crate::keys::Keys;
use crate::known::Known;
use crate::quarantine::{self, Quarantine};
use crate::resources::{self, Source};
use crate::row::{Ended, Refusal, Row};
use crate::summary::FileCounts;

/// Rows between two reports of progress.
const ROWS_BETWEEN_REPORTS: u64 = 4_096;

/// How far a pass has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) file: &'static str,
    /// Rows of all files so far.
    pub(crate) rows: u64,
    /// Bytes of all files so far.
    pub(crate) bytes: u64,
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} could not be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the first line of {} must be {expected}; it has {found}: is it a file of the legacy catalogue?", path.display())]
    Header { path: PathBuf, found: String, expected: String },
    #[error(
        "the files had {expected} bytes when they were checked, and {found} when they were read: leave them alone until the import has ended"
    )]
    Changed { expected: u64, found: u64 },
    #[error(transparent)]
    Quarantine(#[from] quarantine::Error),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Reads all files in `folder`, which have so many `bytes`, parents first, and hands chunks to `sink`.
pub(crate) fn run(
    folder: &Path,
    bytes: u64,
    keys: &Keys,
    quarantine: &mut Quarantine,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Seen),
) -> Result<Vec<FileCounts>, Error> {
    let mut known = Known::default();
    let mut seen = Seen { file: "", rows: 0, bytes: 0 };
    let mut summary = Vec::new();
    for source in resources::sources() {
        let counts =
            read_file(folder, source, bytes, keys, &mut known, quarantine, sink, &mut seen, progress)?;
        summary.push(counts);
    }
    if seen.bytes != bytes {
        return Err(Error::Changed { expected: bytes, found: seen.bytes });
    }
    Ok(summary)
}

/// Opens a file and reads its header, whose names may have spaces around them.
pub(crate) fn open(folder: &Path, source: &Source) -> Result<Reader<File>, Error> {
    let path = folder.join(source.name);
    let file = File::open(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let mut reader = Reader::new(file, source.framing, source.columns.len());
    let mut header = Record::default();
    let outcome = reader.next(&mut header).map_err(|source| Error::Read { path: path.clone(), source })?;
    let names = (0..header.len()).map(|column| String::from_utf8_lossy(header.value(column)));
    let names: Vec<String> =
        names.map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    if outcome == Some(Ok(())) && names == source.columns {
        Ok(reader)
    } else {
        // Never the line itself: in a file without a header it is a row, perhaps with an e-mail address.
        let known = names.iter().filter(|name| source.columns.contains(&name.as_str())).count();
        let found = format!("{} columns, {known} of them of these names", names.len());
        Err(Error::Header { path, found, expected: source.columns.join(",") })
    }
}

#[expect(clippy::too_many_arguments, reason = "the state of the pass, used in this one place")]
fn read_file(
    folder: &Path,
    source: &'static Source,
    bytes: u64,
    keys: &Keys,
    known: &mut Known,
    quarantine: &mut Quarantine,
    sink: &mut dyn Sink,
    seen: &mut Seen,
    progress: &mut dyn FnMut(Seen),
) -> Result<FileCounts, Error> {
    let mut reader = open(folder, source)?;
    let mut record = Record::default();
    let mut cutter = Cutter::new(source.table);
    let mut counts = FileCounts::new(source.name);
    let before = *seen;
    seen.file = source.name;
    loop {
        let outcome = reader
            .next(&mut record)
            .map_err(|error| Error::Read { path: folder.join(source.name), source: error })?;
        let Some(outcome) = outcome else { break };
        match clean(source, outcome, &record, &mut cutter, known, keys) {
            Ok(Ended { id, parent, repairs }) => {
                known.insert(source.table, id, parent);
                counts.imported(repairs);
                cutter.row(sink, BytesRead { bytes: before.bytes + reader.bytes(), of: bytes })?;
            }
            Err(refusal) => {
                cutter.copy.abandon_row();
                match refusal {
                    Refusal::Dropped(reason) => counts.dropped(reason),
                    Refusal::Quarantined(reason) => {
                        quarantine.add(source.name, record.line, &reason, reader.raw(&record))?;
                        counts.quarantined(&reason);
                    }
                }
            }
        }
        if counts.rows.is_multiple_of(ROWS_BETWEEN_REPORTS) {
            progress(Seen {
                file: source.name,
                rows: before.rows + counts.rows,
                bytes: before.bytes + reader.bytes(),
            });
        }
    }
    cutter.flush(sink, BytesRead { bytes: before.bytes + reader.bytes(), of: bytes })?;
    known.ended(source.table);
    counts.lines = reader.lines();
    counts.blank_lines = reader.blank_lines();
    *seen = Seen { file: source.name, rows: before.rows + counts.rows, bytes: before.bytes + reader.bytes() };
    progress(*seen);
    debug_assert_eq!(known.rows(source.table), counts.imported);
    Ok(counts)
}

fn clean(
    source: &'static Source,
    outcome: Result<(), Broken>,
    record: &Record,
    cutter: &mut Cutter,
    known: &Known,
    keys: &Keys,
) -> Result<Ended, Refusal> {
    outcome.map_err(|broken| Refusal::Quarantined(broken.into()))?;
    let mut row = Row::new(record, source.columns, &mut cutter.copy, known, keys, source.table);
    (source.clean)(&mut row)?;
    Ok(row.end())
}

#[cfg(test)]
mod tests;
