//! `projector`: applies the stream to a replica (`run`), and the operator's verbs.
#![allow(clippy::print_stdout, reason = "the verbs answer people and programs on standard output")]

mod announcer;
mod apply;
mod batch;
mod config;
mod failure;
mod init;
mod ownership;
mod probe;
mod resources;
mod run;
mod secrets;
mod status;

use std::process::ExitCode;

use clap::Parser;
use service::config::EXIT_USAGE;

use crate::config::{Arguments, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    service::telemetry::start();
    let config = match service::Config::load(arguments.verb.config()) {
        Ok(config) => config,
        Err(mistakes) => {
            eprintln(&mistakes.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    if let Verb::Run { replica, .. } = &arguments.verb
        && let Err(mistake) = config.replica(replica)
    {
        eprintln(&format!("projector: {mistake}"));
        return ExitCode::from(EXIT_USAGE);
    }
    let done = match arguments.verb {
        Verb::Init { .. } => init::init(&config).await,
        Verb::Run { replica, operations, .. } => run::run(config, &replica, operations).await,
        Verb::Status { json, .. } => status::status(&config, json).await,
        Verb::Probe { json, .. } => probe::probe(&config, json).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln(&format!("projector: {}", with_causes(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a failed command is for whoever typed it")]
fn eprintln(text: &str) {
    std::eprintln!("{text}");
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = error.source();
    }
    text
}
