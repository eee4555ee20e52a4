//! What was decided, in a file: with it, a recovery that is killed goes on, and never begins a second life of the stream.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use contract::control::EpochOpened;
use contract::{Epoch, Position};
use serde::{Deserialize, Serialize};

use crate::folder::{self, failed};

const FILE: &str = "recovery.json";
const SCHEMA_VERSION: u32 = 1;

/// The life that begins. From when this is on disk, the one before does not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decision {
    pub(super) schema_version: u32,
    /// When, as in `2026-11-29T22:10:00.000Z`.
    pub(super) decided: String,
    /// The life that begins.
    pub(super) epoch: Epoch,
    /// Its stream's first position.
    pub(super) first: Position,
    /// The replica from which everything goes on.
    pub(super) replica: String,
    /// The event at its checkpoint, hexadecimal; empty before any.
    pub(super) event_hash: String,
    /// Replicas that are left as they are.
    pub(super) without: Vec<String>,
    pub(super) max_bytes: i64,
    pub(super) duplicate_window_ms: u64,
    /// On how many servers the stream lies.
    pub(super) servers: usize,
    /// The last position of the stream that was saved; none when there was no stream.
    pub(super) saved_up_to: Option<Position>,
    /// The stream's first event.
    pub(super) opened: EpochOpened,
    /// When all was done.
    pub(super) ended: Option<String>,
}

/// The one that was not ended, if there is any below a folder.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub(super) fn unfinished(below: &Path) -> Result<Option<(PathBuf, Decision)>, folder::Error> {
    let entries = match fs::read_dir(below) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(failed(below, "read"))?,
    };
    for entry in entries {
        let place = entry.map_err(failed(below, "read"))?.path();
        if let Some(decision) = read(&place)?.filter(|decision| decision.ended.is_none()) {
            return Ok(Some((place, decision)));
        }
    }
    Ok(None)
}

/// The decision in a recovery's folder, if it was made.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(place: &Path) -> Result<Option<Decision>, folder::Error> {
    let path = place.join(FILE);
    let text = match fs::read(&path) {
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        text => text.map_err(failed(&path, "read"))?,
    };
    let decision = serde_json::from_slice(&text).map_err(|error| failed(&path, "read")(error.into()))?;
    Ok(Some(decision))
}

impl Decision {
    /// The form that this binary writes.
    pub(super) const SCHEMA_VERSION: u32 = SCHEMA_VERSION;

    /// Puts it on disk, whole or not at all.
    ///
    /// # Errors
    /// When it could not be written and synced.
    pub(super) fn write(&self, place: &Path) -> Result<(), folder::Error> {
        let (path, beside) = (place.join(FILE), place.join(format!("{FILE}.new")));
        let text = serde_json::to_string_pretty(self).expect("a decision is plain data");
        let written = || {
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(place)?.sync_all()
        };
        written().map_err(failed(&path, "written"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_is_found_again_until_it_is_done() {
        let below = std::env::temp_dir().join(format!("atelier-decision-{}", std::process::id()));
        let place = below.join("abcdefgh2345");
        assert_eq!(unfinished(&below).unwrap(), None);
        fs::create_dir_all(&place).unwrap();
        fs::write(below.join("a-file"), "x").unwrap();
        assert_eq!(unfinished(&below).unwrap(), None);
        let mut decision = Decision {
            schema_version: SCHEMA_VERSION,
            decided: "2026-11-29T22:10:00.000Z".into(),
            epoch: "zzzzzzzz2345".parse().unwrap(),
            first: Position(1_001_000_042),
            replica: "a".into(),
            event_hash: "00ff".into(),
            without: vec![],
            max_bytes: -1,
            duplicate_window_ms: 120_000,
            servers: 1,
            saved_up_to: None,
            opened: EpochOpened {
                previous: "abcdefgh2345".parse().unwrap(),
                base: Position(1_000_000_042),
                audit_hash: "d4f3d725f3d58daa".into(),
                snapshot: "/x/snapshot".into(),
                counted: [("review.created".to_owned(), 3)].into(),
                sender: "an operator".into(),
            },
            ended: None,
        };
        decision.write(&place).unwrap();
        assert_eq!(unfinished(&below).unwrap(), Some((place.clone(), decision.clone())));
        decision.ended = Some("2026-11-29T22:11:00.000Z".into());
        decision.write(&place).unwrap();
        assert_eq!(unfinished(&below).unwrap(), None);
        assert_eq!(read(&place).unwrap(), Some(decision));
        fs::remove_dir_all(&below).unwrap();
    }
}
