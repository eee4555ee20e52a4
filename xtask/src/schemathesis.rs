//! `cargo xtask schemathesis`: a property tester that nobody here wrote, on a live system through nginx.

mod tool;

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use clap::Args;
use local::{Data, Stage, System, SystemOptions, TemporaryFolder, binaries};
use tokio::process::Command;

use crate::error::Error;
use crate::stages::Stages;
use crate::up::catalogue::Catalogue;
use crate::{SystemArguments, cargo, checkout};

/// Products of a private system: enough that each has its neighbours.
const PRODUCTS: u64 = 50;
/// As many as a minute or two are enough for.
const EXAMPLES: u32 = 200;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The most cases for each operation, in each phase that makes them up
    #[arg(long, value_name = "N", default_value_t = EXAMPLES, value_parser = clap::value_parser!(u32).range(1..))]
    max_examples: u32,
    /// Test this running system (it is written to) instead of a private one
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Passed on to schemathesis, as in --seed 7 --include-path /cart
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    more: Vec<OsString>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut stages = Stages::default();
    let tool = stages.run("schemathesis", tool::get)?;
    let place = TemporaryFolder::new("schemathesis")?;
    if let Some(url) = &arguments.url {
        return test(&tool, url, place.path(), arguments).await;
    }
    stages.run("build", cargo::build)?;
    let mut folder = TemporaryFolder::new("schemathesis-system")?;
    let outcome = test_private(&tool, &folder, place.path(), arguments, &mut stages).await;
    if outcome.is_err() {
        folder.keep();
        eprintln!("the system's data and logs are kept for a look: {}", folder.path().display());
    }
    outcome
}

async fn test_private(
    tool: &Path,
    folder: &TemporaryFolder,
    place: &Path,
    arguments: &Arguments,
    stages: &mut Stages,
) -> Result<(), Error> {
    let system = start(folder.path(), stages).await?;
    let outcome = test(tool, &system.url(), place, arguments).await;
    system.stop().await;
    outcome
}

/// A private system with a made-up catalogue.
async fn start(folder: &Path, stages: &mut Stages) -> Result<System, Error> {
    let data = Data::new(folder);
    // As in every system, tools find our binaries in its own folder.
    binaries::copy(&binaries::SERVICES, &binaries::beside_us(), &data.binaries())?;
    let system = System::start(SystemOptions::new(folder), &mut |stage| match stage {
        Stage::Began(name) => stages.began(&name),
        Stage::Ended(name, took) => stages.ended(&name, took),
    })
    .await?;
    let imported =
        Catalogue::Sample(PRODUCTS).import(&data, &SystemArguments { data: folder.to_owned() }).await;
    match imported {
        Ok(()) => Ok(system),
        Err(error) => {
            system.stop().await;
            Err(error)
        }
    }
}

/// Runs it; what it says is shown as it comes.
async fn test(tool: &Path, url: &str, place: &Path, arguments: &Arguments) -> Result<(), Error> {
    let tests = checkout::root().join("tests/schemathesis");
    let status = Command::new("python3")
        .arg(tool.join("bin/schemathesis"))
        .arg("--config-file")
        .arg(tests.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{url}/openapi.json"))
        .args(["--url", url, "--max-examples", &arguments.max_examples.to_string()])
        .args(&arguments.more)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", std::env::join_paths([tool, &tests]).unwrap_or_default())
        // It leaves what it learned where it runs.
        .current_dir(place)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| Error::said(format!("python3 does not run: {error}; install it")))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::said(format!(
        "schemathesis found failures ({status}); each says above how to repeat it by curl"
    )))
}
