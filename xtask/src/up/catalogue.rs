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
use crate::stages::say;
use crate::status::replicas;

/// The seed of the sample, so that the documents' examples hold.
const SEED: u64 = 1;
const PRODUCTS: u64 = 1000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Between two lines on how far the replicas are.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// The importer's exit status when the stream's catalogue is whole already.
const IMPORTED_ALREADY: i32 = 3;
/// Replicas that come no nearer to the head for so long are stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// And those that import, where one step may take minutes more than was expected of it.
const IMPORT_PATIENCE: Duration = Duration::from_secs(20 * 60);

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Catalogue {
    Nothing,
    Sample(u64),
    Folder(PathBuf),
}

/// catalogue.json in the data folder.
#[derive(Serialize, Deserialize)]
struct Remembered {
    what: String,
    complete: bool,
    /// What an import goes on with.
    #[serde(default)]
    catalogue: Option<Catalogue>,
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
                return known.go_on(data, asked, system).map(Some);
            }
            if asked.empty || asked.import.is_some() || asked.sample != PRODUCTS {
                println!(
                    "note: this system was filled at its first start with {}; nothing is imported now",
                    known.what
                );
            }
            return Ok(None);
        }
        match asked.catalogue() {
            Self::Folder(folder) if !folder.join("product.csv").is_file() => Err(Error::said(format!(
                "there is no product.csv in {}; name the folder of the legacy CSV files",
                folder.display()
            ))),
            catalogue => Ok(Some(catalogue)),
        }
    }

    /// Imports it and waits until every replica has applied it.
    pub(crate) async fn import(&self, data: &Data, system: &SystemArguments) -> Result<(), Error> {
        match self {
            Self::Nothing => self.remember(data, true),
            Self::Folder(folder) => self.import_from(data, folder, system, Told::Here).await,
            Self::Sample(products) => {
                let folder = data.root().join("sample");
                tokio::task::block_in_place(|| sample::write(*products, SEED, &folder))?;
                self.import_from(data, &folder, system, Told::InItsLog).await?;
                // It can be made again, byte for byte.
                fs::remove_dir_all(&folder)
                    .map_err(|error| Error::said(format!("remove {}: {error}", folder.display())))
            }
        }
    }

    /// Runs the importer, which goes on where an earlier one stopped.
    async fn import_from(
        &self,
        data: &Data,
        folder: &Path,
        system: &SystemArguments,
        told: Told,
    ) -> Result<(), Error> {
        self.remember(data, false)?;
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
        if status.code() == Some(IMPORTED_ALREADY) {
            say("the catalogue is in the stream already, whole: only the replicas were not done with it");
        } else if !status.success() {
            let said = match told {
                Told::Here => "mend what it says above".to_owned(),
                Told::InItsLog => format!("{} says why", log.display()),
            };
            let typed = system.as_typed();
            return Err(Error::said(format!(
                "the importer failed ({status}) on {}; {said}, then run the same command again: it goes on where it \
                 stopped (or remove everything with cargo xtask reset{typed} --yes)",
                self.what()
            )));
        }
        applied(data).await?;
        self.remember(data, true)
    }

    fn what(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Sample(products) => format!("a sample of {products} products"),
            Self::Folder(folder) => format!("the files in {}", folder.display()),
        }
    }

    fn remember(&self, data: &Data, complete: bool) -> Result<(), Error> {
        let remembered = Remembered { what: self.what(), complete, catalogue: Some(self.clone()) };
        let text = serde_json::json!(remembered).to_string();
        Ok(layout::write_atomically(&data.catalogue(), &text, 0o644)?)
    }
}

impl Arguments {
    fn catalogue(&self) -> Catalogue {
        match &self.import {
            _ if self.empty => Catalogue::Nothing,
            Some(folder) => Catalogue::Folder(std::path::absolute(folder).unwrap_or_else(|_| folder.clone())),
            None => Catalogue::Sample(self.sample),
        }
    }

    /// Whether nothing was said about what to import.
    fn is_silent(&self) -> bool {
        !self.empty && self.import.is_none() && self.sample == PRODUCTS
    }
}

impl Remembered {
    /// An import that did not end goes on, and nothing else is imported instead.
    fn go_on(self, data: &Data, asked: &Arguments, system: &SystemArguments) -> Result<Catalogue, Error> {
        match self.catalogue {
            Some(begun) if asked.is_silent() || asked.catalogue() == begun => {
                say(&format!("going on with the import of {}", self.what));
                Ok(begun)
            }
            _ => Err(Error::said(format!(
                "the import of {} into {} did not end: go on with it by cargo xtask up{typed}, or remove it with cargo \
                 xtask reset{typed} --yes",
                self.what,
                data.root().display(),
                typed = system.as_typed()
            ))),
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

/// Waits until every replica stands at the head of the stream, and tells how far those are that import.
async fn applied(data: &Data) -> Result<(), Error> {
    let mut last = None;
    let (mut moved, mut told) = (Instant::now(), Instant::now());
    let mut patience = PATIENCE;
    loop {
        if let Ok(status) = replicas::read(data).await {
            if status.all_at_the_head() {
                return Ok(());
            }
            let now = status.places();
            if last.as_ref() != Some(&now) {
                (last, moved) = (Some(now), Instant::now());
            }
            patience = if status.importing().next().is_some() { IMPORT_PATIENCE } else { PATIENCE };
            if told.elapsed() > BETWEEN_LINES {
                told = Instant::now();
                for replica in status.importing() {
                    say(&format!("replica {}: {}", replica.name, replica.why));
                }
            }
        }
        if moved.elapsed() > patience {
            return Err(Error::said(format!(
                "the replicas have not applied the import and stand still for {} s; look into the logs of the projectors in {}",
                patience.as_secs(),
                data.logs().display()
            )));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
