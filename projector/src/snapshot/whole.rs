//! A snapshot that is whole, and that fits this system: everything that can be checked before anything is touched.

use std::path::{Path, PathBuf};

use contract::PROJECTION_VERSION;
use service::{Config, keys};
use stream::{Link, Remembered};

use super::Error;
use super::manifest::{MANIFEST, Manifest};
use crate::folder::{self, place_of};
use crate::rebuild::progress::{Phase, Progress};
use crate::{generation, rebuild};

/// A snapshot whose files are all as they were written.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) place: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Whole {
    /// Reads all files of a snapshot, and compares them with their checksums.
    ///
    /// # Errors
    /// What is missing or damaged, by its name.
    pub(crate) async fn open(place: &Path, progress: &Progress) -> Result<Whole, Error> {
        let place = place_of(place)?;
        let shown = progress.clone();
        progress.phase(Phase::Check);
        let reading = tokio::task::spawn_blocking(move || {
            let total = size(&place);
            let done = std::cell::Cell::new(0_u64);
            let told = |bytes: u64| {
                done.set(done.get() + bytes);
                shown.moved(done.get(), total);
            };
            let sums = folder::check(&place, &told)?;
            let damaged = |file: &str, why: &str| {
                Error::from(folder::Error::Damaged {
                    place: place.clone(),
                    file: file.to_owned(),
                    why: why.to_owned(),
                })
            };
            if !sums.contains_key(MANIFEST) {
                return Err(damaged(MANIFEST, "is not among those with checksums"));
            }
            let manifest = Manifest::read(&place)?;
            for table in &manifest.tables {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if !table.name.chars().all(plain) {
                    return Err(damaged(MANIFEST, "names a table that cannot be one"));
                }
                let same = sums.get(&table.file).is_some_and(|sum| {
                    (sum.bytes, sum.sha256.as_str()) == (table.bytes, table.sha256.as_str())
                });
                if !same {
                    return Err(damaged(&table.file, "is not the one that manifest.json speaks of"));
                }
            }
            Ok(Whole { place, manifest })
        });
        reading.await.expect("checking files does not panic")
    }

    /// Checks that this binary's tables take it.
    ///
    /// # Errors
    /// What it is instead.
    pub(crate) fn readable(&self) -> Result<(), Error> {
        let Whole { place, manifest } = self;
        let place = place.clone();
        let ours = PROJECTION_VERSION;
        if manifest.projection_version != ours {
            return Err(Error::Version { place, found: manifest.projection_version, ours });
        }
        let migrations: Vec<i64> = generation::migrations().map(|migration| migration.version).collect();
        if manifest.migrations != migrations {
            let last = |of: &[i64]| of.last().copied().unwrap_or_default();
            let (found, ours) = (last(&manifest.migrations), last(&migrations));
            return Err(Error::Migrations { place, found, ours });
        }
        Ok(())
    }

    /// Checks that it is a part of this stream's history, and that this binary's tables take it.
    ///
    /// # Errors
    /// What it is instead.
    pub(crate) async fn fits(&self, config: &Config, link: &Link) -> Result<(), rebuild::Error> {
        self.readable()?;
        let Whole { place, manifest } = self;
        let place = place.clone();
        let key = keys::hashing(&config.keys).map_err(Error::from)?;
        if manifest.hashing_key != key.id() {
            let (found, ours) = (manifest.hashing_key.clone(), key.id());
            return Err(Error::HashingKey { place, found, ours }.into());
        }
        if manifest.epoch != *link.epoch() {
            let (found, stream) = (manifest.epoch.clone(), link.epoch().clone());
            return Err(Error::Epoch { place, found, stream }.into());
        }
        let head = link.head().await?;
        if manifest.position > head {
            return Err(Error::Ahead { place, position: manifest.position, head }.into());
        }
        let remembered = Remembered {
            epoch: manifest.epoch.clone(),
            position: manifest.position,
            event_hash: manifest.event_hash(),
            heard: None,
        };
        match link.verify_identity(&remembered).await {
            Err(stream::Error::Rewritten { position }) => Err(Error::Rewritten { place, position }.into()),
            verified => Ok(verified.map(drop)?),
        }
    }
}

/// Bytes of all files, as far as can be said.
fn size(place: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(place) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(file) if file.is_dir() => size(&entry.path()),
        Ok(file) => file.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}
