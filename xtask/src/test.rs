//! `cargo xtask test`.

use std::env;
use std::ffi::OsString;

use local::binaries;
use local::components::{Components, Sources};

use crate::cargo::{self, Rest};
use crate::checkout;
use crate::error::Error;
use crate::faults;
use crate::stages::Stages;

/// How many tests run at a time, if nobody says otherwise: most wait for timers and for other processes, so that one a core
/// leaves two cores idle.
const AT_A_TIME: &str = "4";

pub(crate) fn run(rest: &Rest) -> Result<(), Error> {
    let sources = Sources { folder: checkout::components(), ..Sources::default() };
    let mut stages = Stages::default();
    stages.run("components", || Ok(Components::get(&sources)?))?;
    // The tests start our binaries, which `cargo test` does not build by itself.
    stages.run("build", cargo::build)?;
    let mut arguments: Vec<OsString> =
        ["test", "--release", "--workspace", "--no-fail-fast"].map(OsString::from).into();
    arguments.extend(rest.arguments.iter().cloned());
    let at_a_time = env::var_os("RUST_TEST_THREADS").unwrap_or_else(|| AT_A_TIME.into());
    let tests = cargo::run(
        &arguments,
        &[
            ("ATELIER_COMPONENTS", checkout::components().as_os_str()),
            ("ATELIER_BINARIES", binaries::beside_us().as_os_str()),
            ("RUST_TEST_THREADS", &at_a_time),
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
