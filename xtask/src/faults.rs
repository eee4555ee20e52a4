//! `cargo xtask faults`.

use std::ffi::OsString;

use local::binaries;
use local::components::{Components, Sources};

use crate::cargo::{self, Rest};
use crate::checkout;
use crate::error::Error;

pub(crate) fn run(rest: &Rest) -> Result<(), Error> {
    let sources = Sources { folder: checkout::components(), ..Sources::default() };
    Components::get(&sources)?;
    cargo::build()?;
    built(&rest.arguments)
}

/// The quick dozen, when everything is built and fetched.
pub(crate) fn quick() -> Result<(), Error> {
    built(&[])
}

fn built(rest: &[OsString]) -> Result<(), Error> {
    let mut arguments: Vec<OsString> =
        ["run", "--quiet", "--release", "--bin", "faults", "--"].map(OsString::from).into();
    arguments.extend(rest.iter().cloned());
    cargo::run(
        &arguments,
        &[
            ("ATELIER_COMPONENTS", checkout::components().as_os_str()),
            ("ATELIER_BINARIES", binaries::beside_us().as_os_str()),
        ],
    )
}
