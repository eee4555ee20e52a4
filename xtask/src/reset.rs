//! `cargo xtask reset`.

use clap::Args;
use local::Record;

use crate::SystemArguments;
use crate::error::Error;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    system: SystemArguments,
    /// Without it nothing is removed
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let data = arguments.system.data();
    let (shown, typed) = (data.root().display(), arguments.system.as_typed());
    if Record::read(&data).is_some_and(|record| record.is_running()) {
        return Err(Error::said(format!(
            "the system in {shown} is running; stop it first with cargo xtask down{typed}"
        )));
    }
    if !data.root().exists() {
        println!("there is nothing in {shown}");
        return Ok(());
    }
    // A folder that never was a system's is not removed by a slip of --data.
    if !data.lock().exists() && !data.binaries().exists() && !data.catalogue().exists() {
        return Err(Error::said(format!("{shown} holds no system; remove it by hand if you mean it")));
    }
    if !arguments.yes {
        return Err(Error::said(format!(
            "this removes all data in {shown}; say so with cargo xtask reset{typed} --yes"
        )));
    }
    if let Some(record) = Record::read(&data) {
        let _ = local::leftovers::stop(&record);
    }
    data.remove()?;
    println!("removed {shown}");
    Ok(())
}
