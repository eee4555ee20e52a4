//! `cargo xtask run`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;
use local::binaries;

use crate::SystemArguments;
use crate::error::Error;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    system: SystemArguments,
    /// projector, writer, reader or importer
    binary: String,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let data = arguments.system.data();
    let name = arguments.binary.as_str();
    if !binaries::SERVICES.contains(&name) {
        return Err(Error::said(format!(
            "there is no binary {name}; there are {}",
            binaries::SERVICES.join(", ")
        )));
    }
    // The binary that the system runs, where it has one.
    let program = [data.binaries(), binaries::beside_us()]
        .map(|folder| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| Error::said(format!("{name} is not built; run cargo build --release")))?;
    let error = Command::new(&program).args(&arguments.arguments).env("ATELIER_CONFIG", data.config()).exec();
    Err(Error::said(format!("{} does not run: {error}", program.display())))
}
