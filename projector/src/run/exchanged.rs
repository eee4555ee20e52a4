//! When the generation under a projector was exchanged by a swap: it goes on with the one that serves now.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use replica::Checkpoint;
use sqlx::{PgConnection, Row};

use crate::failure::Failure;
use crate::ownership::take_over;
use crate::run::Projection;

const READS_OF_PREVIOUS: &str = include_str!("reads_of_previous.sql");
/// Between two looks whether somebody still reads the old generation.
const LOOK: Duration = Duration::from_millis(5);
/// A wait that is longer is told.
const LONG: Duration = Duration::from_secs(5);
/// A projector that was fenced after applying for so long looks at once what there is now; one that is fenced again and
/// again has a rival.
const APPLIED: Duration = Duration::from_secs(1);

impl Projection {
    /// Whether a failure may be a swap's: then nothing is said of it, because the replica goes on serving. Who looked already
    /// and did not get the replica has a rival.
    pub(super) fn may_be_exchanged(&self, failure: &Failure, since: Instant) -> bool {
        let looked = self.exchanged.load(Ordering::Relaxed);
        let may = matches!(failure, Failure::Fenced) && since.elapsed() > APPLIED && !looked;
        self.exchanged.store(may, Ordering::Relaxed);
        if may {
            tracing::info!(
                replica = self.name,
                "another generation may serve now, or another projector apply"
            );
        }
        may
    }

    /// Takes the replica over. After a swap the session that applied until then is this process's own, and just ends.
    pub(super) async fn take_over(&self, connection: &mut PgConnection) -> Result<Checkpoint, Failure> {
        let began = Instant::now();
        loop {
            match take_over(connection).await? {
                Some(checkpoint) => return Ok(checkpoint),
                None if self.exchanged.load(Ordering::Relaxed) && began.elapsed() < APPLIED => {
                    tokio::time::sleep(LOOK).await;
                }
                None => return Err(Failure::Fenced),
            }
        }
    }

    /// Whether the generation was exchanged for one that stands where the replica stood or beyond: writers have waited for
    /// it all the time, so it serves on.
    pub(super) fn serves_on(&self) -> bool {
        self.exchanged.swap(false, Ordering::Relaxed)
    }

    /// The checkpoint that was found after a swap.
    pub(super) fn found(&self, checkpoint: &Checkpoint) {
        let (before, _) = self.announcer.standing();
        if checkpoint.position < before {
            self.exchanged.store(false, Ordering::Relaxed);
        }
    }

    /// Nothing is applied until no statement reads the generation that served before: one over two tables may have begun
    /// with a table of each, and both hold the same until then.
    pub(super) async fn wait_for_reads_of_previous(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let mut told = false;
        while sqlx::query(READS_OF_PREVIOUS).fetch_one(&mut *connection).await?.try_get("reads")? {
            if !told && began.elapsed() > LONG {
                told = true;
                tracing::warn!(
                    replica = self.name,
                    "a read of the generation that served before takes long; nothing is applied until it ends"
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}
