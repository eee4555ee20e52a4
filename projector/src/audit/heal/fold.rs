//! The truth by the stream: everything folded anew, beside what serves, in the place where a rebuild builds.

use std::collections::HashMap;

use contract::PROJECTION_VERSION;
use contract::announcement::Progress as Announced;
use replica::SCHEMA_BUILDING;
use service::config::Replica;
use stream::Link;

use super::super::Error;
use super::super::hash::Hashes;
use super::super::mark::Mark;
use super::super::progress::Progress;
use super::super::side::Side;
use crate::generation;
use crate::rebuild::building::{self, Guard};
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::{Phase, Progress as Told};
use crate::rebuild::replay::Replay;
use crate::rebuild::{Source, base};

/// A generation that is built from the stream and never serves.
pub(super) struct Fold<'a> {
    replica: &'a Replica,
    guard: Guard,
    replay: Replay,
    pace: Pace,
    told: Told,
}

impl<'a> Fold<'a> {
    /// Folds the stream up to its head of now; goes on where an earlier try was broken off.
    ///
    /// # Errors
    /// When something else lies there, or the stream cannot be applied.
    pub(super) async fn begin(
        replica: &'a Replica,
        link: &Link,
        heard: &HashMap<String, Announced>,
    ) -> Result<Fold<'a>, Error> {
        let mut guard = Guard::take(replica).await?;
        let from = Source::Stream.to_string();
        match building::find(replica, SCHEMA_BUILDING).await? {
            None => building::begin(replica, &mut guard, &from, link.epoch()).await?,
            Some(known) => {
                let at = known.checkpoint.as_ref();
                let same = at.is_some_and(|at| at.version == PROJECTION_VERSION && at.epoch == *link.epoch());
                if known.source != from || known.complete {
                    return Err(Error::Occupied { replica: replica.name.clone(), from: known.source });
                }
                if !same {
                    building::begin(replica, &mut guard, &from, link.epoch()).await?;
                }
            }
        }
        let yields = heard.get(&replica.name).is_some_and(|progress| progress.state.is_waited_for());
        let mut pace = Pace::new(replica, None, yields).await;
        // On stderr: what programs read is the outcome.
        let told = Told::start(&replica.name, false);
        base::begin(link, replica, &pace, &told).await?;
        let (connection, checkpoint) = building::own(replica, SCHEMA_BUILDING).await?;
        let database = generation::applying(replica, SCHEMA_BUILDING)?;
        let mut replay = Replay::start(link, database, connection, checkpoint).await?;
        told.phase(Phase::Replay);
        let head = link.head().await?;
        told.replaying(replay.position(), head);
        replay.run_to(head, &mut pace, &told).await?;
        told.phase(Phase::Compare);
        Ok(Fold { replica, guard, replay, pace, told })
    }

    /// What it holds at a mark that lies before it.
    ///
    /// # Errors
    /// When the stream cannot be applied, or the database fails.
    pub(super) async fn at(
        &mut self,
        mark: &Mark,
        tables: &[String],
        progress: &Progress,
    ) -> Result<(Side, Hashes), Error> {
        self.replay.run_to(mark.position, &mut self.pace, &self.told).await?;
        let mut side = Side::of_fold(self.replica, tables).await?;
        let hashes = side.hash(progress).await?;
        Ok((side, hashes))
    }

    /// Removes it.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn discard(self) -> Result<(), Error> {
        let Fold { replica, guard, replay, told, .. } = self;
        drop(replay);
        told.finish();
        building::discard(replica, &guard, SCHEMA_BUILDING).await?;
        Ok(())
    }
}
