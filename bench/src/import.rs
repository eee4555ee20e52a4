//! `bench import`: the legacy files into the stream and into replicas that serve, beside plain `\copy` into one Postgres.

mod cleaned;
mod ours;
mod reference;
mod table;
mod usage;

use std::path::{Path, PathBuf};

use clap::Args;
use local::{Stage, System, SystemOptions, TemporaryFolder};

use crate::disk;
use crate::error::Error;
use crate::unless_interrupted;

use ours::Ours;
use table::Outcome;

/// The seed of the made-up catalogue.
const SEED: u64 = 1;
/// Products of the full catalogue.
const FULL: u64 = 1_000_000;
/// Bytes of disk that a product needs at the highest point of a run, with one replica and with two: files, stream,
/// replicas with their write-ahead logs, and cleaned files or the reference.
const SPACE_PER_PRODUCT: [u64; 2] = [42_000, 55_000];
/// And what does not grow with them: two clusters with their write-ahead logs.
const SPACE: u64 = 6_000_000_000;

/// Measure an import, from the files to replicas that serve, beside plain `\copy` of the same cleaned rows into one
/// Postgres of the same settings: two jobs, then primary keys and an index for each foreign key
///
/// Everything runs one after another on this machine, in temporary folders (TMPDIR): the import, the reference, and with
/// --replicas 2 the import once more into two replicas. Run it on a machine that does nothing else.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// Products of the made-up catalogue; about 71 rows belong to each
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(20..=FULL))]
    products: u64,
    /// A million products: some 71 million rows. Takes 45 GB of disk with one replica, 61 GB with two
    #[arg(long, conflicts_with = "products")]
    full: bool,
    /// 2: measure the import into two replicas as well
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=2))]
    replicas: u16,
    /// Write all figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the data and logs of the last system where they are, and say where
    #[arg(long)]
    keep: bool,
}

/// Measures, prints the tables.
pub(crate) async fn run(arguments: &ImportArguments) -> Result<(), Error> {
    let outcome = unless_interrupted(measure(arguments)).await?;
    println!("{}", outcome.for_people());
    match &arguments.json {
        Some(path) => outcome.write(path),
        None => Ok(()),
    }
}

async fn measure(arguments: &ImportArguments) -> Result<Outcome, Error> {
    let products = if arguments.full { FULL } else { arguments.products };
    let files = TemporaryFolder::new("catalogue")?;
    let needed = SPACE + products * SPACE_PER_PRODUCT[usize::from(arguments.replicas) - 1];
    let free = usage::free(files.path())?;
    if free < needed {
        return Err(Error::said(format!(
            "{} has {:.0} GB free, and {:.0} GB are needed; name another folder by TMPDIR",
            files.path().display(),
            free as f64 / 1e9,
            needed as f64 / 1e9
        )));
    }
    say("making the catalogue");
    let made = tokio::task::block_in_place(|| {
        sample::generate(&sample::Options { products, seed: SEED }, files.path(), &mut |_| {})
    })
    .map_err(|error| Error::failed("make the sample")(error.into()))?;
    let csv = usage::bytes_in(files.path())?;

    let cleaned = TemporaryFolder::new("cleaned")?;
    let keep = arguments.keep && arguments.replicas == 1;
    let one = with_system(1, keep, async |system, folder| {
        let one = ours::measure(system, files.path(), folder).await?;
        cleaned::export(system, cleaned.path()).await?;
        Ok(one)
    })
    .await?;
    let reference =
        with_system(1, false, async |system, _| reference::measure(system, cleaned.path()).await).await?;
    drop(cleaned);
    let two = if arguments.replicas == 2 {
        let measure =
            async |system: &System, folder: &Path| ours::measure(system, files.path(), folder).await;
        Some(with_system(2, arguments.keep, measure).await?)
    } else {
        None
    };
    Ok(Outcome {
        schema_version: 1,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: disk::file_system(files.path()),
        products,
        rows: made.rows(),
        csv_bytes: csv,
        ours: [Some(one), two].into_iter().flatten().collect::<Vec<Ours>>(),
        reference,
    })
}

/// Runs `work` on an empty system of its own, which is stopped and removed whatever happens.
async fn with_system<T>(
    replicas: u16,
    keep: bool,
    work: impl AsyncFnOnce(&System, &Path) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut folder = TemporaryFolder::new("bench")?;
    if keep {
        folder.keep();
        say(&format!("data and logs: {}", folder.path().display()));
    }
    let mut options = SystemOptions::new(folder.path());
    options.replicas.truncate(usize::from(replicas));
    let system = System::start(options, &mut |_: Stage| {}).await?;
    let done = work(&system, folder.path()).await;
    system.stop().await;
    done
}

/// For the person who waits.
fn say(line: &str) {
    eprintln!("{line}");
}

/// What is measured, for the reference's figures too.
type Seconds = f64;
