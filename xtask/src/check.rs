//! `cargo xtask check`: everything that needs no running system.

mod deploy;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::checkout;
use crate::error::Error;
use crate::openapi;
use crate::stages::Stages;
use crate::tidy;

/// A name and what it checks.
type Step = (&'static str, fn() -> Result<(), Error>);

pub(crate) fn run() -> Result<(), Error> {
    let mut stages = Stages::default();
    let mut failed = Vec::new();
    let steps: [Step; 7] = [
        ("format", || cargo::run(&["fmt", "--all", "--check"], &[])),
        ("clippy", clippy),
        ("documentation", documentation),
        ("tidy", tidied),
        ("contract", openapi::check),
        ("configurations", deploy::check),
        ("dependencies", dependencies),
    ];
    for (name, step) in steps {
        if let Err(error) = stages.run(name, step) {
            stages.clear();
            error.print();
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::said(format!("these checks failed: {}", failed.join(", "))))
}

fn clippy() -> Result<(), Error> {
    cargo::run(
        &["clippy", "--quiet", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"],
        &[],
    )
}

fn documentation() -> Result<(), Error> {
    cargo::run(
        &["doc", "--quiet", "--release", "--workspace", "--no-deps"],
        &[("RUSTDOCFLAGS", "-D warnings".as_ref())],
    )
}

fn tidied() -> Result<(), Error> {
    let faults = tidy::check(&checkout::root())?;
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    Err(Error::said(format!("{} faults of order", faults.len())))
}

/// Licences, bans and sources, by cargo-deny. It takes minutes to compile: installed once, kept.
fn dependencies() -> Result<(), Error> {
    let Some(deny) = cargo_deny() else {
        return Err(Error::said(
            "cargo-deny is not there and cannot be installed: licences, bans and sources were not checked; install it with cargo install --locked cargo-deny",
        ));
    };
    let status = Command::new(deny)
        .args(["--log-level", "error", "check", "licenses", "bans", "sources"])
        .current_dir(checkout::root())
        .status()
        .map_err(|error| Error::said(format!("cargo-deny does not run: {error}")))?;
    if status.success() { Ok(()) } else { Err(Error::said(format!("cargo-deny found faults ({status})"))) }
}

fn cargo_deny() -> Option<PathBuf> {
    let kept = checkout::tools().join("bin/cargo-deny");
    if kept.is_file() {
        return Some(kept);
    }
    let on_the_path =
        Command::new("cargo-deny").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if on_the_path.is_ok_and(|status| status.success()) {
        return Some(PathBuf::from("cargo-deny"));
    }
    println!("installing cargo-deny, once; this takes some minutes");
    let tools = checkout::tools();
    let root = tools.to_string_lossy();
    // It reads some files: making it fast takes longer than it ever saves.
    let quickly: [(&str, &OsStr); 2] =
        [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0".as_ref()), ("CARGO_PROFILE_RELEASE_LTO", "off".as_ref())];
    cargo::run(&["install", "--quiet", "--locked", "--root", &root, "cargo-deny"], &quickly)
        .inspect_err(Error::print)
        .ok()?;
    kept.is_file().then_some(kept)
}
