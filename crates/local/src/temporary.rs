//! A folder for one test or one bench, removed at its end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::layout::Data;

/// A new folder of the machine's temporary folder. Other accounts may enter it, because as root Postgres runs as one.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
    kept: bool,
}

impl TemporaryFolder {
    /// A folder that nobody else uses; `name` is for people who look.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn new(name: &str) -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("atelier-{name}-{}", random_name()?));
        fs::create_dir(&path).map_err(Error::io(format!("make {}", path.display())))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(Error::io(format!("open {}", path.display())))?;
        Ok(Self { path, kept: false })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps it, for a look at the logs after a failure.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if !self.kept {
            // A system's data may partly lie elsewhere.
            let _ = Data::new(&self.path).remove();
        }
    }
}

/// Eight random characters that may stand in a file name.
///
/// # Errors
///
/// [`Error::Options`] when the kernel gives no random bytes.
pub fn random_name() -> Result<String, Error> {
    let mut bytes = [0_u8; 5];
    fill_random(&mut bytes)?;
    Ok(data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase())
}

/// Random bytes from the kernel.
///
/// # Errors
///
/// [`Error::Options`] when it gives none.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| Error::Options(format!("the kernel gives no random bytes: {error}")))
}
