//! Key files that processes share.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use contract::keyed_hash::{KEY_BYTES, UnreadableKey, parse_key};

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is missing or may not be read.
    #[error("the key file {} cannot be read: {source}. `projector init` makes it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the key file {} can be read by others (mode {mode:o}): run chmod 600 on it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("the key file {} cannot be used: {source}. Restore it from your backup", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, without repeating it.
        source: UnreadableKey,
    },
}

/// Reads a key of 32 bytes.
///
/// # Errors
/// When the file cannot be read, others may read it, or it holds something else.
pub fn read(path: &Path) -> Result<[u8; KEY_BYTES], Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_owned(), mode });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    parse_key(&text).map_err(|source| Error::Content { path: path.to_owned(), source })
}
