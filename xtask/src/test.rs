//! `cargo xtask test`.

use std::ffi::OsString;

use local::binaries;
use local::components::{Components, Sources};

use crate::cargo::{self, Rest};
use crate::checkout;
use crate::error::Error;
use crate::faults;
use crate::stages::Stages;

pub(crate) fn run(rest: &Rest) -> Result<(), Error> {
    let sources = Sources { folder: checkout::components(), ..Sources::default() };
    let mut stages = Stages::default();
    stages.run("components", || Ok(Components::get(&sources)?))?;
    // The tests start our binaries, which `cargo test` does not build by itself.
    stages.run("build", cargo::build)?;
    let mut arguments: Vec<OsString> =
        ["test", "--release", "--workspace", "--no-fail-fast"].map(OsString::from).into();
    arguments.extend(rest.arguments.iter().cloned());
    let tests = cargo::run(
        &arguments,
        &[
            ("ATELIER_COMPONENTS", checkout::components().as_os_str()),
            ("ATELIER_BINARIES", binaries::beside_us().as_os_str()),
        ],
    );
    // Whoever names tests wants those alone.
    if !rest.arguments.is_empty() {
        return tests;
    }
    // Both run, so that one run tells everything that is wrong.
    match (tests, faults::quick()) {
        (Err(tests), Err(faults)) => Err(Error::said(format!("{tests}; {faults}"))),
        (tests, faults) => tests.and(faults),
    }
}
