//! Where our own binaries are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::layout::make_folder;

/// The binaries that a system runs.
pub const SERVICES: [&str; 4] = ["projector", "writer", "reader", "importer"];

/// The folder of the running binary, or, for a test, the one above it, where the build puts the binaries.
#[must_use]
pub fn beside_us() -> PathBuf {
    let folder =
        std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)).unwrap_or_default();
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().map(Path::to_owned).unwrap_or_default(),
        _ => folder,
    }
}

/// Fails when one is missing.
///
/// # Errors
///
/// [`Error::Options`] naming it.
pub fn check(folder: &Path) -> Result<(), Error> {
    match SERVICES.iter().find(|name| !folder.join(name).is_file()) {
        Some(missing) => Err(Error::Options(format!(
            "there is no {missing} in {}; build all with cargo build --release",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// Copies binaries, so that a rebuild does not touch a running system. Each is moved to its place whole.
///
/// # Errors
///
/// [`Error::Io`].
pub fn copy(names: &[&str], from: &Path, to: &Path) -> Result<(), Error> {
    make_folder(to)?;
    for name in names {
        let (source, target, beside) = (from.join(name), to.join(name), to.join(format!("{name}.new")));
        fs::copy(&source, &beside).and_then(|_| fs::rename(&beside, &target)).map_err(Error::io(format!(
            "copy {} to {}",
            source.display(),
            target.display()
        )))?;
    }
    Ok(())
}
