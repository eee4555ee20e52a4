//! `cargo xtask postgres`.

use std::time::Duration;

use clap::Args;
use local::{Record, servers};

use crate::SystemArguments;
use crate::error::Error;

/// Making a cluster takes about a second; on a busy machine more.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    system: SystemArguments,
    /// The replica that it is for: lower-case letters and digits
    replica: String,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Error> {
    let (data, typed) = (arguments.system.data(), arguments.system.as_typed());
    if !Record::read(&data).is_some_and(|record| record.is_running()) {
        return Err(Error::said(format!(
            "nothing runs in {}; start it with cargo xtask up{typed}",
            data.root().display()
        )));
    }
    let replica = &arguments.replica;
    let address = servers::ask(&data, replica, PATIENCE).await?;
    println!(
        "postgres-{replica} runs, and comes again with each start of this system; to make a replica of it:\n\n\
         \x20 cargo xtask run{typed} projector add --replica {replica} --database-url {address}"
    );
    Ok(())
}
