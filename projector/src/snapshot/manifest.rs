//! What a snapshot's folder says of itself.

use std::path::Path;

use contract::{Epoch, Millis, Position};
use data_encoding::HEXLOWER;
use replica::Checkpoint;
use serde::{Deserialize, Serialize};

use super::Error;

/// Its file.
pub(crate) const MANIFEST: &str = "manifest.json";
/// What it is, for whoever finds the folder.
pub(super) const KIND: &str = "atelier snapshot of a replica";
/// The form that this binary writes, and reads.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// A snapshot: where it stands, by what it was written, and its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(super) schema_version: u32,
    pub(super) kind: String,
    /// Whose data it is.
    pub(crate) replica: String,
    /// When, as in `2026-11-29T22:10:00.000Z`.
    pub(crate) taken: String,
    /// The last event that is in it.
    pub(crate) position: Position,
    /// The life of the stream that the position belongs to.
    pub(crate) epoch: Epoch,
    /// SHA-256 of the event there, hexadecimal; empty before any.
    pub(crate) event_hash: String,
    /// The stream clock in milliseconds since 1970; none before any event.
    pub(crate) clock: Option<i64>,
    /// The version of the projection that wrote the rows.
    pub(crate) projection_version: i32,
    /// The tables' migrations.
    pub(crate) migrations: Vec<i64>,
    /// The public name of the key under which sessions and writes are named in it.
    pub(crate) hashing_key: String,
    /// The server that it was read from.
    pub(super) postgres: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// The audit hash of everything, as audits and rebuilds tell it.
    pub(crate) audit_hash: String,
    pub(crate) tables: Vec<TableFile>,
}

/// A table's rows, one file in the text form of COPY.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableFile {
    pub(crate) name: String,
    pub(crate) file: String,
    /// In the order of the file's.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    /// The audit hash of the table alone.
    pub(crate) audit_hash: String,
    /// What its indexes took where it was read: tells how long they take to make.
    pub(crate) index_bytes: u64,
}

impl Manifest {
    /// Reads a manifest whose bytes are known to be those that were written.
    pub(super) fn read(place: &Path) -> Result<Manifest, Error> {
        let wrong = |reason: String| Error::Manifest { place: place.to_owned(), reason };
        let text = std::fs::read(place.join(MANIFEST)).map_err(|error| wrong(error.to_string()))?;
        let json: serde_json::Value =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if json["kind"] != KIND {
            return Err(wrong(format!("it says that it is {}, not {KIND:?}", json["kind"])));
        }
        if json["schema_version"] != SCHEMA_VERSION {
            let found = json["schema_version"].to_string();
            return Err(Error::Form { place: place.to_owned(), found });
        }
        serde_json::from_value(json).map_err(|error| wrong(error.to_string()))
    }

    /// Where a generation stands that holds exactly this.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            position: self.position,
            epoch: self.epoch.clone(),
            event_hash: self.event_hash(),
            fence: 0,
            step: 0,
            clock: self.clock.map(Millis),
            version: self.projection_version,
            importing: false,
        }
    }

    pub(super) fn event_hash(&self) -> Vec<u8> {
        HEXLOWER.decode(self.event_hash.as_bytes()).unwrap_or_default()
    }
}
