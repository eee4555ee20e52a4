//! Wires the command line to the reader.

use std::process::ExitCode;

use clap::Parser;
use reader::{CommandLine, Settings, Verb};
use service::config::EXIT_USAGE;
use service::telemetry;

fn main() -> ExitCode {
    let Verb::Run(arguments) = match CommandLine::try_parse() {
        Ok(line) => line.verb,
        Err(error) => {
            let _nobody_reads_it = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let settings = match Settings::load(&arguments) {
        Ok(settings) => settings,
        Err(mistakes) => {
            telemetry::say(&format!("reader: {mistakes}"));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    telemetry::start();
    let runtime = tokio::runtime::Runtime::new().expect("a process may start threads");
    match runtime.block_on(reader::run(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
