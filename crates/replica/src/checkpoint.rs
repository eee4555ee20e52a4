//! Where a generation stands in the stream.

use contract::position::{Epoch, Position};
use contract::time::Millis;
use sqlx::{PgExecutor, Row};

use crate::error::Error;

/// The statement behind [`read_checkpoint`].
pub const CHECKPOINT: &str = include_str!("checkpoint/read.sql");

/// The one row of `checkpoint`, and whether a catalogue is being imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last position applied.
    pub position: Position,
    /// The stream's life.
    pub epoch: Epoch,
    /// The hash of the event there; empty before any.
    pub event_hash: Vec<u8>,
    /// Raised at each take-over.
    pub fence: i64,
    /// Steps done of the event behind `position`, one bit each, while that one is being applied in steps; else 0.
    pub step: i32,
    /// The stream clock; none before any event.
    pub clock: Option<Millis>,
    /// Version of the projection that wrote the rows.
    pub version: i32,
    /// A catalogue was opened and is not closed.
    pub importing: bool,
}

/// Reads the checkpoint of the generation that the connection's `search_path` names.
///
/// # Errors
/// When the database fails, or has no checkpoint.
pub async fn read_checkpoint(database: impl PgExecutor<'_>) -> Result<Checkpoint, Error> {
    let row = sqlx::query(CHECKPOINT).fetch_optional(database).await?.ok_or(Error::NoCheckpoint)?;
    let position = Position::from_i64(row.try_get("position")?);
    let epoch: String = row.try_get("epoch")?;
    Ok(Checkpoint {
        position,
        epoch: epoch.parse::<Epoch>().map_err(|error| sqlx::Error::Decode(error.into()))?,
        event_hash: row.try_get("event_hash")?,
        fence: row.try_get("fence")?,
        step: row.try_get("step")?,
        // None is stored as 0: a replica that has applied nothing may stand at the beginning of a later stream.
        clock: Some(row.try_get("clock")?).filter(|clock| *clock != 0).map(Millis),
        version: row.try_get("projection_version")?,
        importing: row.try_get("importing")?,
    })
}
