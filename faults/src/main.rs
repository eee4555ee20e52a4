//! `faults`: rows of the fault matrix on real processes, each judged by checkers that have been seen to fail.

// A command line tool prints for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arena;
mod arguments;
mod beside;
mod checkers;
mod controls;
mod damages;
mod disk;
mod drive;
mod history;
mod leavings;
mod log;
mod model;
mod panics;
mod proxy;
mod replica;
mod row;
mod rows;
mod run;
mod soak;
mod store;
mod synced;
mod table;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;

use crate::arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        for row in rows::all() {
            println!("{:>3} {} {}", row.number, if row.quick { "quick" } else { "     " }, row.title);
        }
        return ExitCode::SUCCESS;
    }
    let chosen = match rows::chosen(&arguments) {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(64);
        }
    };
    let seed = arguments.seed.unwrap_or_else(|| {
        SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_millis() as u64 % 1_000_000_007)
    });
    eprintln!("seed {seed}");
    run::catch_panics();
    let well = if let Some(minutes) = arguments.soak {
        soak::run(seed, Duration::from_secs(60 * minutes.max(1))).await
    } else if let Some(number) = arguments.damages {
        damages::run(seed, number).await
    } else if arguments.controls {
        controls::run(seed).await.print()
    } else {
        let quick = !arguments.all && arguments.rows.is_empty();
        let mut table = run::run(&chosen, seed, quick).await;
        if arguments.all {
            table.add_those_apart();
        }
        // A checker that was not seen to fail counts for nothing, so all rows come with all controls.
        let controls = if arguments.all { Some(controls::run(seed).await) } else { None };
        println!("seed {seed}");
        let passed = table.print();
        controls.is_none_or(controls::Controls::print) && passed
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
