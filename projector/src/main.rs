//! `projector`: applies the stream to a replica (`run`), and the operator's verbs.

// Whoever reads what a verb says may have gone (`| head`), which must not stop its work, as std's would.
#[macro_use(print, println)]
extern crate anstream;

mod add;
mod address;
mod announcer;
mod apply;
mod audit;
mod batch;
mod config;
mod doctor;
mod drop;
mod failpoint;
mod failure;
mod folder;
mod generation;
mod importing;
mod init;
mod keys;
mod members;
mod ownership;
mod parked;
mod parking;
mod probe;
mod prune;
mod rebuild;
mod record;
mod recover;
mod rejected;
mod resources;
mod rollback;
mod run;
mod secrets;
mod snapshot;
mod status;
mod stream_backup;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use service::config::EXIT_USAGE;
use service::telemetry::{say, with_causes};

use crate::config::{Arguments, Snapshot, SnapshotVerb, StreamVerb, Verb};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.verb {
        Verb::Run { .. } => service::telemetry::start(),
        Verb::Init { .. }
        | Verb::Status { .. }
        | Verb::Doctor { .. }
        | Verb::Verify { .. }
        | Verb::Rejected(_)
        | Verb::Parked(_)
        | Verb::Keys { .. }
        | Verb::Address { .. }
        | Verb::Rebuild { .. }
        | Verb::Rollback { .. }
        | Verb::Prune { .. }
        | Verb::Add { .. }
        | Verb::Drop { .. }
        | Verb::Audit(_)
        | Verb::Snapshot(_)
        | Verb::Restore { .. }
        | Verb::Stream(_)
        | Verb::Recover { .. }
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
    let file = arguments.verb.config().config.clone();
    let done = match arguments.verb {
        Verb::Init { .. } => init::init(&config).await,
        Verb::Run { replica, operations, .. } => run::run(config, &replica, operations).await,
        Verb::Keys { json, .. } => keys::keys(&config, json).await,
        Verb::Address { kind, id, .. } => address::address(&config, kind, id).await,
        Verb::Status { watch, json, .. } => status::status(&config, watch, json).await,
        Verb::Doctor { json, strict, .. } => doctor::doctor(&config, json, strict).await,
        Verb::Verify { json, .. } => verify::verify(&config, json).await,
        Verb::Rejected(verb) => rejected::rejected(&config, verb).await,
        Verb::Parked(verb) => parked::parked(&config, verb).await,
        Verb::Rebuild { replica, from, max_rate, accept_differences, dry_run, json, .. } => {
            let options =
                rebuild::Options { replica, from, max_rate, accept_differences, fresh: false, dry_run, json };
            rebuild::rebuild(&config, options).await
        }
        Verb::Rollback { replica, dry_run, json, .. } => {
            rollback::rollback(&config, &replica, dry_run, json).await
        }
        Verb::Prune { replica, dry_run, json, .. } => prune::prune(&config, &replica, dry_run, json).await,
        Verb::Add { replica, database_url: url, passwords, from, max_rate, wait, dry_run, json, .. } => {
            let wait = wait.bound();
            let options = add::Options { replica, url, passwords, from, max_rate, wait, dry_run, json };
            add::add(&config, &file, options).await
        }
        Verb::Drop { replica, with_data, wait, dry_run, json, .. } => {
            let options = drop::Options { replica, with_data, wait: wait.bound(), dry_run, json };
            drop::drop(&config, &file, options).await
        }
        // Its exit code says what was found.
        Verb::Audit(arguments) => return audit::audit(&config, arguments.into()).await,
        Verb::Snapshot(Snapshot { verb: Some(SnapshotVerb::Verify(proof)), .. }) => {
            snapshot::verify(&config, proof).await
        }
        Verb::Snapshot(Snapshot { replica, out, dry_run, json, .. }) => {
            let (replica, out) = replica.zip(out).expect("the command line requires both");
            snapshot::snapshot(&config, &replica, &out, dry_run, json).await
        }
        Verb::Restore { replica, from, max_rate, accept_differences, dry_run, json, .. } => {
            let options = rebuild::Options {
                replica,
                from: None,
                max_rate,
                accept_differences,
                fresh: false,
                dry_run,
                json,
            };
            snapshot::restore(&config, &from, options).await
        }
        Verb::Stream(StreamVerb::Backup { out, dry_run, json, .. }) => {
            stream_backup::backup(&config, &out, dry_run, json).await
        }
        Verb::Stream(StreamVerb::Restore { from, dry_run, json, .. }) => {
            stream_backup::restore(&config, &from, dry_run, json).await
        }
        Verb::Recover { yes, out, base, without, without_files, json, .. } => {
            let options = recover::Options { yes, out, base, without, without_files, json };
            recover::recover(&config, &file, options).await
        }
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
