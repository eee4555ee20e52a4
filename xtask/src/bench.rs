//! `cargo xtask bench`.

use std::ffi::OsString;

use local::components::Components;
use local::{SystemOptions, components::Sources};

use crate::cargo::{self, Rest};
use crate::checkout;
use crate::error::Error;

pub(crate) fn run(rest: &Rest) -> Result<(), Error> {
    let sources = Sources {
        folder: checkout::components(),
        ..SystemOptions::new(&checkout::default_data()).components
    };
    Components::get(&sources)?;
    cargo::build()?;
    let mut arguments: Vec<OsString> =
        ["run", "--quiet", "--release", "--bin", "bench", "--"].map(OsString::from).into();
    arguments.extend(rest.arguments.iter().cloned());
    cargo::run(&arguments, &[("ATELIER_COMPONENTS", checkout::components().as_os_str())])
}
