//! What a replica knows of the stream beside its checkpoint: the last event that it saw without having applied it, and
//! one that was lost.
//!
//! It is kept in the replica's database too, outside of the generations, because it is no function of the stream. A
//! replica that follows closely has nothing to keep: its checkpoint says it all.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use contract::position::{Epoch, Position};
use replica::Checkpoint;
use sqlx::{Connection as _, PgConnection, Row};
use stream::{Heard, Link};

use crate::failure::Failure;
use crate::run::Projection;

const RECALL: &str = include_str!("memory/recall.sql");
const REMEMBER: &str = include_str!("memory/remember.sql");
const UNDEFINED_TABLE: &str = "42P01";
/// How often the stream's last event is looked at by a replica that has not applied it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long keeping it may take; it is tried again.
const KEEP: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Memory {
    /// The last event that was seen, and the life of the stream that it belongs to.
    heard: Option<(Epoch, Heard)>,
    /// The server counts it and did not give it, in this life of the stream.
    lost: Option<(Epoch, Position)>,
    /// The connection whose stream is the one that was followed.
    verified: Option<Link>,
    /// When all up to the checkpoint was read on that connection.
    read: Option<Instant>,
}

impl Memory {
    /// What must be in the stream beside the checkpoint's event.
    pub(super) fn known(&self, checkpoint: &Checkpoint) -> (Option<Heard>, Option<Position>) {
        let heard = self.heard.as_ref().filter(|(epoch, _)| *epoch == checkpoint.epoch);
        let lost = self.lost.as_ref().filter(|(epoch, _)| *epoch == checkpoint.epoch);
        (
            heard.map(|(_, heard)| heard.clone()).filter(|heard| heard.position > checkpoint.position),
            lost.map(|(_, position)| *position),
        )
    }

    /// The stream behind this connection is the one that was followed.
    pub(super) fn verified(&mut self, link: &Link) {
        self.lost = None;
        if self.verified.as_ref().is_none_or(Link::is_closed) {
            // Its server may have been started anew, on other files.
            self.read = None;
        }
        self.verified = Some(link.clone());
    }

    /// Applying failed in this life of the stream.
    pub(super) fn failed(&mut self, failure: &Failure, epoch: Option<Epoch>) {
        if let Failure::Stream(error) = failure
            && let Some(lost) = epoch.zip(error.lost())
        {
            self.lost = Some(lost);
        }
        if failure.is_damage() {
            (self.verified, self.read) = (None, None);
        }
    }

    pub(super) fn read_through(&mut self) {
        self.read = Some(Instant::now());
    }

    /// How long it is until everything is to be read again.
    pub(super) fn read_again_after(&self, every: Duration) -> Duration {
        self.read.map_or(Duration::ZERO, |read| every.saturating_sub(read.elapsed()))
    }
}

/// The last event that a replica saw without having applied it. A database from before there was such a memory has none.
///
/// # Errors
/// When the database fails.
pub(crate) async fn recalled(connection: &mut PgConnection) -> sqlx::Result<Option<(Epoch, Heard)>> {
    let recalled = match sqlx::query(RECALL).fetch_optional(connection).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => {
            tracing::warn!("a replica has no table control.heard: run `projector init`");
            return Ok(None);
        }
        recalled => recalled?,
    };
    let Some(row) = recalled else { return Ok(None) };
    let epoch: String = row.try_get("epoch")?;
    let epoch = epoch.parse::<Epoch>().map_err(|error| sqlx::Error::Decode(error.into()))?;
    let position = Position::from_i64(row.try_get("position")?);
    Ok(Some((epoch, Heard { position, event_hash: row.try_get("event_hash")? })))
}

impl Projection {
    /// Reads what was kept.
    pub(super) async fn recall(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        let Some((epoch, heard)) = recalled(connection).await? else { return Ok(()) };
        let mut memory = self.memory();
        if memory.heard.as_ref().is_none_or(|(known, last)| *known != epoch || last.position < heard.position)
        {
            memory.heard = Some((epoch, heard));
        }
        Ok(())
    }

    /// Looks at the stream's last event again and again, and keeps it when this replica has not applied it: a stream
    /// that loses it later is noticed.
    pub(super) async fn keep_remembering(&self) {
        let mut kept: Option<PgConnection> = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some((epoch, heard)) = self.look().await else { continue };
            let keeping = async {
                let mut connection = match kept.take() {
                    Some(connection) => connection,
                    None => PgConnection::connect_with(&self.database).await?,
                };
                sqlx::query(REMEMBER)
                    .bind(epoch.as_str())
                    .bind(heard.position.as_i64())
                    .bind(&heard.event_hash)
                    .execute(&mut connection)
                    .await?;
                Ok::<_, sqlx::Error>(connection)
            };
            match tokio::time::timeout(KEEP, keeping).await {
                Ok(Ok(connection)) => kept = Some(connection),
                Ok(Err(error)) => tracing::debug!(%error, "the stream's last event was not kept"),
                Err(_) => tracing::debug!("the stream's last event was not kept in time"),
            }
        }
    }

    /// The stream's last event, when it is news and not applied.
    async fn look(&self) -> Option<(Epoch, Heard)> {
        let link = self.memory().verified.clone().filter(|link| !link.is_closed())?;
        let (position, head) = self.announcer.standing();
        let known = |(epoch, heard): &(Epoch, Heard)| epoch == link.epoch() && heard.position >= head;
        if head <= position || self.memory().heard.as_ref().is_some_and(known) {
            return None;
        }
        let event = link.read(head).await.ok()?;
        let heard = Heard { position: head, event_hash: event.hash().to_vec() };
        let mut memory = self.memory();
        // Meanwhile the stream may have been found to be another one.
        memory.verified.as_ref()?;
        memory.heard = Some((link.epoch().clone(), heard.clone()));
        Some((link.epoch().clone(), heard))
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_life_of_the_stream_has_lost_is_not_asked_of_the_next() {
        let epoch = |text: &str| text.parse::<Epoch>().unwrap();
        let checkpoint = |text: &str| Checkpoint {
            position: Position(1_000_000_009),
            epoch: epoch(text),
            event_hash: vec![],
            fence: 1,
            step: 0,
            clock: None,
            version: 4,
            importing: false,
        };
        let lost = Position(1_000_000_004);
        let mut memory = Memory::default();
        memory.failed(&stream::Error::Unserved { position: lost }.into(), Some(epoch("abcdefgh2345")));
        assert_eq!(memory.known(&checkpoint("abcdefgh2345")).1, Some(lost));
        assert_eq!(memory.known(&checkpoint("zzzzzzzz2345")).1, None);
    }
}
