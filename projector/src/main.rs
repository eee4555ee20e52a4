//! `projector`: applies the stream to a replica (`run`), and the operator's verbs.
#![allow(clippy::print_stdout, reason = "the verbs answer people and programs on standard output")]

mod address;
mod announcer;
mod apply;
mod audit;
mod batch;
mod config;
mod doctor;
mod failpoint;
mod failure;
mod generation;
mod importing;
mod init;
mod keys;
mod ownership;
mod probe;
mod prune;
mod rebuild;
mod record;
mod resources;
mod rollback;
mod run;
mod secrets;
mod status;

use std::process::ExitCode;

use clap::Parser;
use service::config::EXIT_USAGE;
use service::telemetry::{say, with_causes};

use crate::config::{Arguments, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.verb {
        Verb::Run { .. } => service::telemetry::start(),
        Verb::Init { .. }
        | Verb::Status { .. }
        | Verb::Doctor { .. }
        | Verb::Keys { .. }
        | Verb::Address { .. }
        | Verb::Rebuild { .. }
        | Verb::Rollback { .. }
        | Verb::Prune { .. }
        | Verb::Probe { .. } => service::telemetry::start_for_command(),
    }
    let config = match service::Config::load(arguments.verb.config()) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    if let Verb::Run { replica, .. } = &arguments.verb
        && let Err(mistake) = config.replica(replica)
    {
        say(&format!("projector: {mistake}"));
        return ExitCode::from(EXIT_USAGE);
    }
    let done = match arguments.verb {
        Verb::Init { .. } => init::init(&config).await,
        Verb::Run { replica, operations, .. } => run::run(config, &replica, operations).await,
        Verb::Keys { json, .. } => keys::keys(&config, json).await,
        Verb::Address { kind, id, .. } => address::address(&config, kind, id).await,
        Verb::Status { json, .. } => status::status(&config, json).await,
        Verb::Doctor { json, strict, .. } => doctor::doctor(&config, json, strict).await,
        Verb::Rebuild { replica, from, max_rate, accept_differences, dry_run, json, .. } => {
            let options = rebuild::Options { replica, from, max_rate, accept_differences, dry_run, json };
            rebuild::rebuild(&config, options).await
        }
        Verb::Rollback { replica, dry_run, json, .. } => {
            rollback::rollback(&config, &replica, dry_run, json).await
        }
        Verb::Prune { replica, dry_run, json, .. } => prune::prune(&config, &replica, dry_run, json).await,
        Verb::Probe { json, .. } => probe::probe(&config, json).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("projector: {}", with_causes(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
