//! The file of rows that could not be saved: file, line, reason, raw text.
//!
//! The raw text may hold e-mail addresses, so the file's mode is 0600, and it is the only place they go to. Somebody may
//! open it in a spreadsheet, so a text that one would take for a formula begins with an apostrophe there.

use std::borrow::Cow;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufWriter};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::row::Reason;

/// The file's name in the quarantine folder.
const NAME: &str = "quarantine.csv";
/// Bytes of a row's text that are kept; only an endless line is longer.
const LONGEST_TEXT: usize = 256 * 1024;

/// The quarantine, open for writing.
#[derive(Debug)]
pub(crate) struct Quarantine {
    path: PathBuf,
    writer: ::csv::Writer<BufWriter<File>>,
}

/// The quarantine could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the quarantine {} could not be written", path.display())]
pub(crate) struct Error {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Quarantine {
    /// Starts an empty file in `folder`, which is made if it is missing. What an earlier import left there is
    /// replaced.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        Self::open(folder, &path)
            .map_err(|source| Error { path: path.clone(), source })
            .map(|writer| Self { path, writer })
    }

    fn open(folder: &Path, path: &Path) -> io::Result<::csv::Writer<BufWriter<File>>> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        // Held as long as the file is open: a second importer would write into the first one's rows.
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another importer is writing it"),
            TryLockError::Error(error) => error,
        })?;
        file.set_len(0)?;
        // A file that was already there keeps its mode otherwise.
        file.set_permissions(Permissions::from_mode(0o600))?;
        let mut writer = ::csv::Writer::from_writer(BufWriter::new(file));
        writer.write_record(["file", "line", "reason", "text"])?;
        Ok(writer)
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, file: &str, line: u64, reason: &Reason, raw: &[u8]) -> Result<(), Error> {
        let (line, reason) = (line.to_string(), reason.to_string());
        let raw = &raw[..raw.len().min(LONGEST_TEXT)];
        self.writer
            .write_record([file.as_bytes(), line.as_bytes(), reason.as_bytes(), &as_text(raw)])
            .map_err(|error| Error { path: self.path.clone(), source: error.into() })
    }

    /// Writes what is buffered.
    pub(crate) fn finish(mut self) -> Result<PathBuf, Error> {
        match self.writer.flush() {
            Ok(()) => Ok(self.path),
            Err(source) => Err(Error { path: self.path, source }),
        }
    }
}

/// What a spreadsheet would compute, which may open addresses and start programs, becomes a text to it.
fn as_text(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.first().is_some_and(|first| b"=+-@\t\r".contains(first)) {
        Cow::Owned([b"'", raw].concat())
    } else {
        Cow::Borrowed(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::as_text;

    #[test]
    fn what_a_spreadsheet_would_compute_is_a_text() {
        for (raw, text) in [
            ("=1+1,2", "'=1+1,2"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("1,=2", "1,=2"),
            ("", ""),
        ] {
            assert_eq!(&*as_text(raw.as_bytes()), text.as_bytes());
        }
    }
}
