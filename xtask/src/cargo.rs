//! Runs cargo.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use clap::Args;

use crate::checkout;
use crate::error::Error;

/// Arguments that are passed on.
#[derive(Args)]
pub(crate) struct Rest {
    /// Passed on as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<OsString>,
}

/// Builds all binaries; what cargo says is shown when it fails.
pub(crate) fn build() -> Result<(), Error> {
    let output = command(&["build", "--release", "--workspace"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::said(format!("cargo does not run: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::said("the build failed; mend what cargo says above"))
}

/// Runs cargo to its end, its output shown.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: &[S], environment: &[(&str, &OsStr)]) -> Result<(), Error> {
    let mut command = command(arguments);
    command.envs(environment.iter().copied());
    let status = command.status().map_err(|error| Error::said(format!("cargo does not run: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let words: Vec<_> = arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    Err(Error::said(format!("`cargo {}` failed ({status})", words.join(" "))))
}

/// Runs cargo to its end and answers its output; what it says on the way is shown.
pub(crate) fn output(arguments: &[&str]) -> Result<Vec<u8>, Error> {
    let output = command(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::said(format!("cargo does not run: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::said(format!("`cargo {}` failed ({})", arguments.join(" "), output.status)))
}

fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(checkout::root());
    // What cargo tells a program of the package it runs for, as `cargo xtask` or a test: a build script that looks at it
    // (ring's does) would run anew for each who asks, and half of all dependencies with it.
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| told(name))
    {
        command.env_remove(name);
    }
    command
}
