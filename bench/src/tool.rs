//! The load generator: oha, compiled once and kept.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::error::Error;

const VERSION: &str = "1.16.0";

/// oha's binary. Compiles it when it is not there: some minutes, the first time.
pub(crate) async fn oha() -> Result<PathBuf, Error> {
    let folder = std::env::var_os("ATELIER_TOOLS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.atelier/tools")),
        PathBuf::from,
    );
    let binary = folder.join("bin").join("oha");
    if !answers(&binary).await {
        install(&folder).await?;
        if !answers(&binary).await {
            return Err(Error::said(format!(
                "{} is not oha {VERSION}; remove it and run this again",
                binary.display()
            )));
        }
    }
    Ok(binary)
}

async fn answers(binary: &Path) -> bool {
    let output = Command::new(binary).arg("--version").stdin(Stdio::null()).output().await;
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == format!("oha {VERSION}"))
}

async fn install(folder: &Path) -> Result<(), Error> {
    eprintln!("compiling the load generator, oha {VERSION}, into {}: some minutes, once", folder.display());
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        // TLS is of no use here, but this version does not compile without it.
        .args(["install", "--quiet", "--locked", "oha", "--version", VERSION, "--root"])
        .arg(folder)
        // Its own profile optimises for hours of load, ours runs for seconds.
        .envs([
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| Error::said(format!("cargo does not run: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::said(format!(
            "`cargo install oha --version {VERSION}` failed ({status}); it needs the package registry and a C linker"
        )))
    }
}
