//! Is the stream still the one that was followed, and whole? Looked at before anything is applied and again and again.

use std::time::Duration;

use contract::Position;
use replica::Checkpoint;
use stream::{Error, Link, Remembered};

use crate::failure::Failure;
use crate::run::Projection;

/// How often the server is asked whether the stream lacks anything that it knows of.
const WHOLE_EVERY: Duration = Duration::from_secs(1);
/// How often everything that was applied is read again: what rots on a disk is not known to the server before.
const READ_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

impl Projection {
    /// Checks that the stream still holds what this replica knows of it; returns its head.
    pub(super) async fn verify(&self, link: &Link, checkpoint: &Checkpoint) -> Result<Position, Failure> {
        let (heard, lost) = self.memory().known(checkpoint);
        let remembered = Remembered {
            epoch: checkpoint.epoch.clone(),
            position: checkpoint.position,
            event_hash: checkpoint.event_hash.clone(),
            heard,
        };
        let head = link.verify_identity(&remembered).await?;
        if checkpoint.position.next() < link.first() {
            return Err(Failure::NoBase { position: checkpoint.position, first: link.first() });
        }
        if let Some(position) = lost {
            // The server counts it and did not give it: it must have come back before anything is applied again.
            match link.read(position).await {
                Ok(_) => {}
                Err(Error::Missing(position)) => return Err(Error::Unserved { position }.into()),
                Err(error) => return Err(error.into()),
            }
        }
        self.memory().verified(link);
        Ok(head)
    }

    /// Looks at the stream as long as it is followed; ends with what is wrong with it. `behind`: the checkpoint from which
    /// it is followed, up to which nobody else reads.
    pub(super) async fn keep_verifying(&self, link: &Link, behind: Position) -> Failure {
        tokio::select! {
            failure = keep_asking(link) => failure,
            failure = self.keep_reading(link, behind) => failure,
        }
    }

    async fn keep_reading(&self, link: &Link, behind: Position) -> Failure {
        let mut wait = self.memory().read_again_after(READ_EVERY);
        loop {
            tokio::time::sleep(wait).await;
            match link.read_through(link.first(), behind).await {
                Ok(()) => {
                    tracing::info!(
                        replica = self.name,
                        position = behind.0,
                        "everything up to here can be read"
                    );
                    self.memory().read_through();
                    wait = READ_EVERY;
                }
                Err(error) if error.is_damage() => return error.into(),
                // It could not be asked: whoever follows notices that too.
                Err(_) => wait = WHOLE_EVERY,
            }
        }
    }
}

async fn keep_asking(link: &Link) -> Failure {
    loop {
        tokio::time::sleep(WHOLE_EVERY).await;
        match link.verify_whole().await {
            Err(error) if error.is_damage() => return error.into(),
            _ => {}
        }
    }
}
