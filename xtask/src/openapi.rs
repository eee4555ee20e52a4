//! `cargo xtask openapi`: the copy of the contract in docs/, which is what the code says.

use std::fs;
use std::path::PathBuf;

use crate::error::Error;
use crate::stages::say;
use crate::{cargo, checkout};

/// Writes the copy.
pub(crate) fn write() -> Result<(), Error> {
    let path = copy();
    fs::write(&path, generated()?)
        .map_err(|error| Error::said(format!("write {}: {error}", path.display())))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Compares the copy with the code.
pub(crate) fn check() -> Result<(), Error> {
    let path = copy();
    let copy = fs::read(&path).map_err(|error| Error::said(format!("read {}: {error}", path.display())))?;
    if copy == generated()? {
        return Ok(());
    }
    Err(Error::said("docs/openapi.json is not what the code says; write it with cargo xtask openapi"))
}

fn copy() -> PathBuf {
    checkout::root().join("docs/openapi.json")
}

/// What the code says. The generator is run and not linked: these commands need no web server to be built first.
fn generated() -> Result<Vec<u8>, Error> {
    cargo::output(&["run", "--quiet", "--release", "--bin", "openapi"])
}
