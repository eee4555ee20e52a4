//! Files that only their owner may read: made when absent, never changed.

use std::fs::{File, OpenOptions};
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
    if path.exists() {
        return Ok(false);
    }
    // Written aside and linked into place: a kill in between leaves no empty file that would count as the secret.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let made = write(&beside).and_then(|()| std::fs::hard_link(&beside, path));
    let removed = std::fs::remove_file(&beside);
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    removed.map_err(failed)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(true)
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(format!("{}\n", HEXLOWER.encode(&random::<32>())).as_bytes())?;
    file.sync_all()
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
