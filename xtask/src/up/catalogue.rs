//! What a new system is filled with, and the import of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use local::{Data, layout};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::SystemArguments;
use crate::error::Error;
use crate::sample;
use crate::status::replicas;

/// The seed of the sample, so that the documents' examples hold.
const SEED: u64 = 1;
const PRODUCTS: u64 = 1000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Replicas that come no nearer to the head for so long are stuck.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct Arguments {
    /// On the first start import a made-up catalogue of so many products
    #[arg(
        long,
        value_name = "PRODUCTS",
        default_value_t = PRODUCTS,
        value_parser = clap::value_parser!(u64).range(1..),
        conflicts_with_all = ["import", "empty"]
    )]
    sample: u64,
    /// On the first start import the legacy CSV files in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "empty")]
    import: Option<PathBuf>,
    /// Import nothing
    #[arg(long)]
    empty: bool,
}

/// What the first start imports.
pub(super) enum Catalogue {
    Nothing,
    Sample(u64),
    Folder(PathBuf),
}

/// catalogue.json in the data folder.
#[derive(Serialize, Deserialize)]
struct Remembered {
    what: String,
    complete: bool,
}

impl Catalogue {
    /// None when nothing is to be imported.
    pub(super) fn decide(
        data: &Data,
        asked: &Arguments,
        system: &SystemArguments,
    ) -> Result<Option<Self>, Error> {
        let known = fs::read_to_string(data.catalogue())
            .ok()
            .and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
        if let Some(known) = known {
            if !known.complete {
                let typed = system.as_typed();
                return Err(Error::said(format!(
                    "the first import into {} ({}) did not end; remove it with cargo xtask reset{typed} --yes and start again",
                    data.root().display(),
                    known.what
                )));
            }
            if asked.empty || asked.import.is_some() || asked.sample != PRODUCTS {
                println!(
                    "note: this system was filled at its first start with {}; nothing is imported now",
                    known.what
                );
            }
            return Ok(None);
        }
        if asked.empty {
            return Ok(Some(Self::Nothing));
        }
        match &asked.import {
            Some(folder) if !folder.join("product.csv").is_file() => Err(Error::said(format!(
                "there is no product.csv in {}; name the folder of the legacy CSV files",
                folder.display()
            ))),
            Some(folder) => {
                Ok(Some(Self::Folder(std::path::absolute(folder).unwrap_or_else(|_| folder.clone()))))
            }
            None => Ok(Some(Self::Sample(asked.sample))),
        }
    }

    /// Imports it and waits until every replica has applied it.
    pub(super) async fn import(&self, data: &Data, system: &SystemArguments) -> Result<(), Error> {
        match self {
            Self::Nothing => remember(data, "nothing", true),
            Self::Folder(folder) => {
                import(data, folder, &format!("the files in {}", folder.display()), system, Told::Here).await
            }
            Self::Sample(products) => {
                let folder = data.root().join("sample");
                tokio::task::block_in_place(|| sample::write(*products, SEED, &folder))?;
                let what = format!("a sample of {products} products");
                import(data, &folder, &what, system, Told::InItsLog).await?;
                // It can be made again, byte for byte.
                fs::remove_dir_all(&folder)
                    .map_err(|error| Error::said(format!("remove {}: {error}", folder.display())))
            }
        }
    }
}

/// Where the importer's own words go: those on a shopkeeper's files are for whoever typed the command, those on the
/// sample's planted dirt only for whoever looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Here,
    InItsLog,
}

async fn import(
    data: &Data,
    folder: &Path,
    what: &str,
    system: &SystemArguments,
    told: Told,
) -> Result<(), Error> {
    remember(data, what, false)?;
    let mut importer = Command::new(data.binaries().join("importer"));
    importer.arg(folder).arg("--config").arg(data.config());
    importer.arg("--quarantine").arg(data.root().join("quarantine")).kill_on_drop(true);
    let log = data.log("importer");
    if told == Told::InItsLog {
        let named = |error| Error::said(format!("write {}: {error}", log.display()));
        let file = fs::File::create(&log).map_err(named)?;
        importer.stdout(file.try_clone().map_err(named)?).stderr(file);
    }
    let status = importer
        .status()
        .await
        .map_err(|error| Error::said(format!("the importer does not run: {error}")))?;
    if !status.success() {
        let typed = system.as_typed();
        let said = match told {
            Told::Here => "mend what it says above".to_owned(),
            Told::InItsLog => format!("{} says why", log.display()),
        };
        return Err(Error::said(format!(
            "the importer failed ({status}) on {what}; {said}, then start again after cargo xtask reset{typed} --yes"
        )));
    }
    applied(data).await?;
    remember(data, what, true)
}

/// Waits until every replica stands at the head of the stream.
async fn applied(data: &Data) -> Result<(), Error> {
    let mut last = None;
    let mut moved = Instant::now();
    loop {
        if let Ok(status) = replicas::read(data).await {
            if status.all_at_the_head() {
                return Ok(());
            }
            let now = status.positions();
            if last.as_ref() != Some(&now) {
                (last, moved) = (Some(now), Instant::now());
            }
        }
        if moved.elapsed() > PATIENCE {
            return Err(Error::said(format!(
                "the replicas have not applied the import and stand still for {} s; look into the logs of the projectors in {}",
                PATIENCE.as_secs(),
                data.logs().display()
            )));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn remember(data: &Data, what: &str, complete: bool) -> Result<(), Error> {
    let text = serde_json::json!(Remembered { what: what.to_owned(), complete }).to_string();
    Ok(layout::write_atomically(&data.catalogue(), &text, 0o644)?)
}
