//! `writer`: turns HTTP writes into events in the stream. Holds no state but what is in flight.

mod answer;
mod app;
mod arguments;
mod commit;
mod idempotency;
mod outcome;
mod references;
mod resources;
mod visibility;
mod write;

use std::process::ExitCode;

use clap::Parser;
use service::config::EXIT_USAGE;
use service::telemetry::say;

use crate::arguments::{Arguments, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    let Verb::Run(arguments) = Arguments::parse().verb;
    service::telemetry::start();
    let config = match service::Config::load(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match app::run(config, &arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("writer: {error}"));
            ExitCode::FAILURE
        }
    }
}
