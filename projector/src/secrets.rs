//! Files that only their owner may read: made when absent, never changed.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE32_NOPAD, HEXLOWER};

/// A secret file could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the secret file {} cannot be made", .path.display())]
pub(crate) struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Makes a file of 32 random bytes in hexadecimal, mode 0600, unless it is there. Says whether it was made.
pub(crate) fn ensure(path: &Path) -> Result<bool, Error> {
    let failed = |source| Error { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(format!("{}\n", HEXLOWER.encode(&random::<32>())).as_bytes()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// A new epoch: 12 lower-case base32 characters.
pub(crate) fn new_epoch() -> contract::Epoch {
    let text = BASE32_NOPAD.encode(&random::<8>()).to_ascii_lowercase();
    text[..contract::Epoch::LENGTH].parse().expect("base32 characters make an epoch")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
