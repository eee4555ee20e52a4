//! Brings the legacy catalogue into the stream: CSV files become cleaned rows, rows become chunks in COPY text,
//! chunks become events. What cannot be saved goes to the quarantine.

// Whoever reads the summary may have gone (`| head`).
#[macro_use(println)]
extern crate anstream;

mod arguments;
mod chunk;
mod clean;
mod copy;
mod csv;
mod import;
mod inventory;
mod keys;
mod known;
mod lowest_skus;
mod pass;
mod progress;
mod publish;
mod quarantine;
mod report;
mod resources;
mod resume;
mod row;
mod summary;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use service::Config;
use service::config::EXIT_USAGE;
use service::telemetry::{say, with_causes};
use stream::Connection;

use arguments::Arguments;
use import::{Import, Imported};
use keys::Keys;

/// The exit status when the stream's catalogue is whole already.
const EXIT_CLOSED: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    service::telemetry::start_for_command();
    let (config, keys) = match configuration(&arguments) {
        Ok(parts) => parts,
        Err(message) => {
            say(&format!("importer: {message}"));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match run(arguments, &config, keys).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("importer: {}", with_causes(error.as_ref())));
            let closed =
                matches!(error.downcast_ref(), Some(import::Error::Publish(publish::Error::Closed(_))));
            if closed { ExitCode::from(EXIT_CLOSED) } else { ExitCode::FAILURE }
        }
    }
}

fn configuration(arguments: &Arguments) -> Result<(Config, Keys), String> {
    let config = Config::load(&arguments.service).map_err(|mistakes| mistakes.to_string())?;
    let keys = Keys::read(&config.keys).map_err(|error| error.to_string())?;
    Ok((config, keys))
}

async fn run(arguments: Arguments, config: &Config, keys: Keys) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let stop = service::shutdown::on_signal()?;
    // Under another key than the stream's every imported cart would be a stranger's, for good.
    let settings = stream::Settings { hashing_key: Some(keys.hashing_id()), ..config.stream_settings() };
    let import = Import {
        quarantine_folder: arguments.quarantine_folder(),
        folder: arguments.folder,
        keys,
        connection: Connection::open(settings, "importer", stop.clone()),
        time: service::time::now(),
    };
    let Imported { counts, quarantine, closed } = tokio::select! {
        imported = import.run() => imported?,
        () = stop.cancelled() => {
            // The thread that reads files must not keep the process.
            say(&format!(
                "importer: stopped by a signal; if events were published already, the catalogue is incomplete: {}",
                publish::AGAIN
            ));
            std::process::exit(1);
        }
    };
    report::print(&counts, &quarantine, closed, started.elapsed());
    Ok(())
}
