//! `bench`: rows of the bench table, each measured beside its reference in the same run.

// A command line tool prints for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod audit;
mod commits;
mod constant;
mod contestant;
mod disk;
mod error;
mod figures;
mod follow;
mod import;
mod load;
mod overload;
mod private;
mod reading;
mod rebuild;
mod report;
mod row;
mod rows;
mod statements;
mod tool;
mod visible;

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures::FutureExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Other};
use crate::error::Error;
use crate::private::Private;
use crate::report::Report;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.other {
        Some(Other::Statements(statements)) => statements::run(statements).await,
        Some(Other::Import(arguments)) => import::run(arguments).await,
        Some(Other::Commits(arguments)) => commits::run(arguments).await,
        Some(Other::Follow(arguments)) => follow::run(arguments).await,
        Some(Other::Visible(arguments)) => visible::run(arguments).await,
        Some(Other::Overload(arguments)) => overload::run(arguments).await,
        Some(Other::Audit(arguments)) => audit::run(arguments).await,
        Some(Other::Rebuild(arguments)) => rebuild::run(arguments).await,
        None => run(&arguments).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.whole());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Error> {
    let started = async {
        let oha = tool::oha().await?;
        Ok((oha, Private::start(arguments.products, arguments.keep).await?))
    };
    let (oha, private) = unless_interrupted(started).await?;
    // Whatever happens, a panic too, the private system is stopped.
    let measured = AssertUnwindSafe(unless_interrupted(measure(arguments, &private, &oha)));
    stop_and_report(measured.catch_unwind().await, private, arguments.json.as_deref()).await
}

async fn stop_and_report(
    measured: std::thread::Result<Result<Report, Error>>,
    private: Private,
    json: Option<&Path>,
) -> Result<(), Error> {
    private.stop().await;
    let report = measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))?;
    println!("{}", report.table());
    match json {
        Some(path) => report.write(path),
        None => Ok(()),
    }
}

async fn measure(arguments: &Arguments, private: &Private, oha: &Path) -> Result<Report, Error> {
    let chosen =
        rows::ALL.into_iter().filter(|row| arguments.rows.is_empty() || arguments.rows.contains(row));
    let mut outcomes = Vec::new();
    for name in chosen {
        let row = rows::prepare(name, private, oha).await?;
        eprintln!("{}: {}", row.name, row.about);
        outcomes.push(row.measure(private, arguments.rounds, Duration::from_secs(arguments.seconds)).await?);
    }
    Ok(Report {
        schema_version: 1,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(private.folder.path()),
        products: arguments.products,
        seconds: arguments.seconds,
        rounds: arguments.rounds,
        rows: outcomes,
    })
}

async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let failed = |error: std::io::Error| Error::failed("listen for signals")(error.into());
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
    tokio::select! {
        outcome = work => outcome,
        _ = hang_up.recv() => Err(Error::Interrupted),
        _ = interrupt.recv() => Err(Error::Interrupted),
        _ = terminate.recv() => Err(Error::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_explains_each_row() {
        super::Arguments::command().debug_assert();
        let help = super::Arguments::command().render_long_help().to_string();
        for row in super::rows::ALL {
            assert!(help.contains(&format!("\n  {}  ", row.name())), "{help}");
        }
    }
}
