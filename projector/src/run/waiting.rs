//! Waiting for the next batch: whether the replica is still there, and whether the consumer is stuck.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::batch::{Batches, Ready};
use crate::failure::Failure;
use crate::run::{CONNECT, Projection, within};
use replica::Checkpoint;

/// How long nothing may arrive while the stream has more: then the consumer is stuck, and a new one is made.
const STALL: Duration = Duration::from_secs(3);
/// How often a replica to which nothing comes is asked whether it is there. A crash may have taken its last commits back, and
/// no event would tell.
const LOOK: Duration = Duration::from_secs(1);

impl Projection {
    /// The next batch.
    ///
    /// # Errors
    /// What the stream fails with; that the database is gone; that nothing arrives though there is more.
    pub(super) async fn next_batch(
        &self,
        batches: &mut Batches,
        connection: &mut PgConnection,
        checkpoint: &Checkpoint,
    ) -> Result<Vec<Ready>, Failure> {
        loop {
            // Only what the stream had before the wait counts: the newest event may just be on its way.
            let (known, began) = (self.announcer.head(), Instant::now());
            while began.elapsed() < STALL {
                match timeout(LOOK, batches.next()).await {
                    Ok(batch) => return Ok(batch?),
                    Err(_) => {
                        let asked = async { Ok(connection.ping().await?) };
                        within(CONNECT, "asking Postgres whether it is there", asked).await?;
                    }
                }
            }
            if known > checkpoint.position {
                return Err(Failure::Stalled { position: checkpoint.position });
            }
        }
    }
}
