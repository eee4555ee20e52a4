//! The developer's and the operator's local commands: `cargo xtask --help`.

// A command line tool prints for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cargo;
mod check;
mod checkout;
mod down;
mod error;
mod faults;
mod openapi;
mod postgres;
mod reset;
mod run;
mod sample;
mod schemathesis;
mod stages;
mod status;
mod supervise;
mod test;
mod tidy;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use local::Data;

/// Brings Atelier up on this machine, looks after it, and checks the code.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build, fetch the servers, start everything, fill it with sample data the first time
    Up(up::Arguments),
    /// Stop a running system in order
    Down(SystemArguments),
    /// Show each process and each replica
    Status(status::Arguments),
    /// Run one more Postgres in a running system, for a replica that is to be added
    Postgres(postgres::Arguments),
    /// Remove a system's data
    Reset(reset::Arguments),
    /// Run one of our binaries with a system's configuration
    Run(run::Arguments),
    /// Write a made-up legacy catalogue as CSV files
    Sample(sample::Arguments),
    /// Run every test, on real servers, and the quick rows of the fault suite; with arguments only the tests that they name
    Test(cargo::Rest),
    /// Check everything that needs no running system
    Check,
    /// Write docs/openapi.json, the copy of the contract that the code holds
    Openapi,
    /// Let schemathesis look for answers that the contract does not allow
    Schemathesis(schemathesis::Arguments),
    /// Measure, each row beside its reference
    Bench(cargo::Rest),
    /// Inject faults into a private system, one a row, and judge what became of every write
    Faults(cargo::Rest),
    /// Watch over a system for `up --detach`
    #[command(hide = true)]
    Supervise(up::SystemChoice),
}

/// Which system.
#[derive(Args, Clone)]
struct SystemArguments {
    /// The system's data folder; several systems run side by side in several folders
    #[arg(long, value_name = "DIR", env = "ATELIER_DATA", default_value_os_t = checkout::default_data())]
    data: PathBuf,
}

impl SystemArguments {
    fn data(&self) -> Data {
        Data::new(&self.data)
    }

    /// ` --data DIR`, where that is not the default: for commands that are shown to people.
    fn as_typed(&self) -> String {
        if self.data == checkout::default_data() {
            String::new()
        } else {
            format!(" --data {}", self.data.display())
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Command::parse().verb {
        Verb::Up(arguments) => up::run(arguments).await,
        Verb::Down(arguments) => down::run(&arguments),
        Verb::Status(arguments) => status::run(&arguments).await,
        Verb::Postgres(arguments) => postgres::run(&arguments).await,
        Verb::Reset(arguments) => reset::run(&arguments),
        Verb::Run(arguments) => run::run(&arguments),
        Verb::Sample(arguments) => sample::run(&arguments),
        Verb::Test(rest) => test::run(&rest),
        Verb::Check => check::run(),
        Verb::Openapi => openapi::write(),
        Verb::Schemathesis(arguments) => schemathesis::run(&arguments).await,
        Verb::Bench(rest) => bench::run(&rest),
        Verb::Faults(rest) => faults::run(&rest),
        Verb::Supervise(choice) => supervise::run(choice).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print();
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Command::command().debug_assert();
    }
}
