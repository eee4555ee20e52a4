//! What a stream begins with after a recovery: a snapshot, which its first event names. "From the stream" means that, and
//! everything behind that event.

use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::control::EpochOpened;
use contract::{Event, Position};
use replica::SCHEMA_BUILDING;
use service::config::Replica;
use stream::Link;

use super::building;
use super::pace::Pace;
use super::progress::{Phase, Progress};
use crate::rebuild;
use crate::snapshot::{self, Whole};

/// Why a generation cannot begin with what the stream begins with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its folder is not on this machine, or damaged.
    #[error(
        "the stream begins with a snapshot, which it says to lie in {}, and that cannot be taken: {why}. Put it back there, or \
         make the replica from another one: --from replica:NAME", .place.display()
    )]
    Gone {
        /// The folder.
        place: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another snapshot lies there.
    #[error("{} is not the snapshot with which the stream begins: it is of {found}, and not of {named}", .place.display())]
    Another {
        /// The folder.
        place: PathBuf,
        /// Position and audit hash of the one that is there.
        found: String,
        /// And as the stream names them.
        named: String,
    },
}

/// How this life of the stream was opened, if it goes on from another one.
///
/// # Errors
/// When the stream does not answer.
pub(crate) async fn opening(link: &Link) -> stream::Result<Option<EpochOpened>> {
    if link.first() == Position::FIRST {
        return Ok(None);
    }
    match link.read(link.first()).await?.decode()? {
        (_, Event::EpochOpened(opened)) => Ok(Some(opened)),
        _ => Ok(None),
    }
}

/// Fills the generation `building`, which was just begun, with what the stream begins with; of one that has gone on already
/// nothing is changed. Answers how many rows came in.
///
/// # Errors
/// When the snapshot cannot be taken, or the database fails.
pub(crate) async fn begin(
    link: &Link,
    target: &Replica,
    pace: &Pace,
    progress: &Progress,
) -> Result<u64, rebuild::Error> {
    let Some(opened) = opening(link).await? else { return Ok(0) };
    let below = Position(link.first().0 - 1);
    let known = building::find(target, SCHEMA_BUILDING).await?;
    if known.and_then(|known| known.checkpoint).is_some_and(|at| at.position >= below) {
        return Ok(0);
    }
    let began = Instant::now();
    let place = Path::new(&opened.snapshot);
    let gone = |why: String| Error::Gone { place: place.to_owned(), why };
    let mut whole = Whole::open(place, progress).await.map_err(|error| gone(error.to_string()))?;
    let named = (opened.base, opened.audit_hash.as_str(), &opened.previous);
    let manifest = &mut whole.manifest;
    let found = (manifest.position, manifest.audit_hash.as_str(), &manifest.epoch);
    if found != named {
        let words = |(position, hash, _): (Position, &str, _)| format!("{position}, audit hash {hash}");
        let (found, named) = (words(found), words(named));
        return Err(Error::Another { place: place.to_owned(), found, named }.into());
    }
    // As replicas adopted it.
    (manifest.position, manifest.epoch) = (below, link.epoch().clone());
    manifest.event_hash.clear();
    whole.readable()?;
    progress.phase(Phase::Copy);
    let rows = snapshot::load(&whole, target, pace, progress).await?;
    let seconds = began.elapsed().as_secs_f64();
    progress.say(&format!(
        "loaded {rows} rows of {}, with which the stream begins, in {seconds:.1} s",
        place.display()
    ));
    Ok(rows)
}
