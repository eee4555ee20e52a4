//! Is this the stream that a replica followed?

use contract::position::{Epoch, Position};

use crate::connect::Link;
use crate::error::{Error, Result};

/// What a checkpoint remembers of the stream.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The epoch.
    pub epoch: Epoch,
    /// The last position applied.
    pub position: Position,
    /// The hash of the event there; empty before any.
    pub event_hash: Vec<u8>,
}

impl Link {
    /// Checks that the stream still holds what a replica remembers; returns its head.
    ///
    /// # Errors
    /// [`Error::is_damage`] tells a stream that was recreated, cut or rewritten from one that could not be asked.
    pub async fn verify_identity(&self, remembered: &Remembered) -> Result<Position> {
        if *self.epoch() != remembered.epoch {
            return Err(Error::OtherEpoch {
                found: self.epoch().clone(),
                remembered: remembered.epoch.clone(),
            });
        }
        let head = self.head().await?;
        let checkpoint = remembered.position;
        if checkpoint > head {
            return Err(Error::Truncated { head, checkpoint });
        }
        if checkpoint >= Position::FIRST {
            match self.read(checkpoint).await {
                Ok(event) if event.hash() == *remembered.event_hash => {}
                Ok(_) => return Err(Error::Rewritten { position: checkpoint }),
                Err(Error::Missing(_)) => return Err(Error::Rewritten { position: checkpoint }),
                Err(error) => return Err(error),
            }
        }
        Ok(head)
    }
}
