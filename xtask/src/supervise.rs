//! `xtask supervise`: what `up --detach` leaves behind. It tells its stages over stdout, one JSON text a line.

use std::io::Write;

use local::{Stage, System};
use serde::{Deserialize, Serialize};

use crate::error::{self, Error};
use crate::up::{SystemChoice, signals};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// A stage has begun.
    Began(String),
    /// It is over, after so many seconds.
    Ended(String, f64),
    /// All is ready at this address.
    Ready(String),
    /// It failed, and nothing is left running.
    Failed(error::Told),
}

pub(crate) async fn run(choice: SystemChoice) -> Result<(), Error> {
    // A session of its own: it outlives the terminal. It fails only for a leader, which has one already.
    let _ = rustix::process::setsid();
    let mut stop = signals::Stop::listen()?;
    let mut report = |stage| match stage {
        Stage::Began(name) => tell(&Told::Began(name)),
        Stage::Ended(name, took) => tell(&Told::Ended(name, took.as_secs_f64())),
    };
    let started = tokio::select! {
        started = System::start(choice.options(), &mut report) => started.map_err(Error::from),
        () = stop.asked() => Err(Error::said("stopped while it was starting; nothing is left running")),
    };
    let system = match started {
        Ok(system) => system,
        Err(error) => {
            tell(&Told::Failed(error.told()));
            return Err(error);
        }
    };
    tell(&Told::Ready(system.url()));
    stop.asked().await;
    system.stop().await;
    Ok(())
}

/// Whoever started us may be gone: then nobody listens, and the system runs all the same.
fn tell(told: &Told) {
    if let Ok(mut line) = serde_json::to_string(told) {
        line.push('\n');
        let _ = std::io::stdout().lock().write_all(line.as_bytes()).and_then(|()| std::io::stdout().flush());
    }
}
