//! Wires the command line to the writer.

use std::process::ExitCode;

use clap::Parser;
use service::config::EXIT_USAGE;
use service::telemetry::say;
use writer::{Arguments, Verb};

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
    match writer::run(config, &arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("writer: {error}"));
            ExitCode::FAILURE
        }
    }
}
