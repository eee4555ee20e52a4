//! From the stream: everything is applied anew, in batches as large as pay, up to a position.

use std::sync::Mutex;

use contract::{Event, Position};
use replica::Checkpoint;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use stream::{Link, Remembered};

use super::ahead::Ahead;
use super::pace::Pace;
use super::progress::Progress;
use crate::apply::{Closing, Going, apply, apply_steps, in_steps};
use crate::failpoint;
use crate::failure::{Failure, Next};
use crate::importing::Importing;
use crate::resources::catalogue::Indexes;

/// Most events in one transaction: larger ones gain little, and a kill loses one.
const BATCH: usize = 5_000;

/// A generation that lacks no more events has caught up: the rest is applied before the swap.
const CAUGHT_UP: u64 = 1_000;

/// A generation to which events are applied as fast as it takes them.
pub(crate) struct Replay {
    pub(super) connection: PgConnection,
    pub(super) checkpoint: Checkpoint,
    database: PgConnectOptions,
    link: Link,
    ahead: Option<Ahead>,
    importing: Importing,
    /// Where the stream was followed anew the last time.
    followed_anew: Option<Position>,
}

impl Replay {
    /// Goes on from a checkpoint that this connection owns.
    ///
    /// # Errors
    /// When the stream is not the one that the checkpoint belongs to.
    pub(crate) async fn start(
        link: &Link,
        database: PgConnectOptions,
        connection: PgConnection,
        checkpoint: Checkpoint,
    ) -> Result<Replay, Failure> {
        let remembered = Remembered {
            epoch: checkpoint.epoch.clone(),
            position: checkpoint.position,
            event_hash: checkpoint.event_hash.clone(),
            heard: None,
        };
        let _head = link.verify_identity(&remembered).await?;
        let (link, importing) = (link.clone(), Importing::begin());
        Ok(Replay { connection, checkpoint, database, link, ahead: None, importing, followed_anew: None })
    }

    /// Gives the generation back.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        Ok(self.connection.close().await?)
    }

    /// Where it stands.
    pub(crate) fn position(&self) -> Position {
        self.checkpoint.position
    }

    /// Applies everything up to a position, and nothing behind it.
    ///
    /// # Errors
    /// Whatever kept a transaction from committing; the generation stays where it is then.
    pub(crate) async fn run_to(
        &mut self,
        last: Position,
        pace: &mut Pace,
        progress: &Progress,
    ) -> Result<(), Failure> {
        while self.checkpoint.position < last {
            let ahead = match &mut self.ahead {
                Some(ahead) => ahead,
                none => none.insert(Ahead::from(&self.link, self.checkpoint.position.next()).await?),
            };
            let batch = match ahead.batch(pace.at_once(BATCH), last).await {
                Ok(batch) => batch,
                Err(failure) if self.may_follow_anew(&failure) => continue,
                Err(failure) => return Err(failure),
            };
            let mut number = batch.len();
            match &batch[0].occurrence.event {
                Event::CatalogueOpened(_) => self.importing = Importing::begin(),
                Event::CatalogueChunk(chunk) => {
                    progress.importing(self.importing.loading(chunk));
                    number = usize::try_from(chunk.rows).unwrap_or(number);
                }
                _ => {}
            }
            pace.begin();
            if in_steps(&self.checkpoint, &batch[0]) {
                self.close_catalogue(pace.side_by_side(), progress).await?;
            }
            self.checkpoint = apply(&mut self.connection, &self.checkpoint, &batch).await?.checkpoint;
            progress.applied(self.checkpoint.position, self.checkpoint.importing);
            failpoint::reached("applied a batch");
            pace.end(number).await;
        }
        Ok(())
    }

    /// Applies until the stream's head is near.
    ///
    /// # Errors
    /// As [`Replay::run_to`], and when the stream does not tell its head.
    pub(crate) async fn catch_up(&mut self, pace: &mut Pace, progress: &Progress) -> Result<(), Failure> {
        let mut head = self.link.head().await?;
        loop {
            progress.replaying(self.checkpoint.position, head);
            self.run_to(head, pace, progress).await?;
            let reached = head;
            head = self.link.head().await?;
            if head.0.saturating_sub(reached.0) <= CAUGHT_UP {
                return Ok(());
            }
        }
    }

    /// The server forgets who has asked for nothing for half a minute: a long step or a low rate is enough. So the stream is
    /// followed anew, once from each place.
    fn may_follow_anew(&mut self, failure: &Failure) -> bool {
        let anew = failure.next() == Next::Retry
            && !self.link.is_closed()
            && self.followed_anew != Some(self.checkpoint.position);
        if anew {
            tracing::info!(%failure, position = %self.checkpoint.position, "the stream is followed anew");
            (self.ahead, self.followed_anew) = (None, Some(self.checkpoint.position));
        }
        anew
    }

    async fn close_catalogue(&mut self, side_by_side: usize, progress: &Progress) -> Result<(), Failure> {
        let importing = Mutex::new(&mut self.importing);
        let told = |going: &Going| {
            let mut importing = importing.lock().expect("no holder of this lock panics");
            progress.importing(importing.closing(going));
        };
        let closing = Closing { indexes: Indexes::ToApply, side_by_side };
        apply_steps(&self.database, &mut self.checkpoint, closing, &told).await
    }
}
