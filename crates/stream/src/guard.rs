//! What who writes remembers of the stream, so that nothing is stored in one that lost what it knew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use contract::position::{Epoch, Position};

use crate::connect::Link;
use crate::error::{Error, Result};
use crate::identity::Remembered;

/// The last event that was acknowledged to this process. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Guard(Arc<Mutex<Option<Remembered>>>);

/// Whether a connection takes nothing for now. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<AtomicBool>);

impl Guard {
    /// Checks a new connection. One to another life of the stream is held until its owner knows more.
    pub(crate) async fn verify(&self, link: &Link) -> Result<()> {
        let remembered = self.remembered().clone();
        match remembered {
            Some(remembered) if remembered.epoch == *link.epoch() => {
                link.verify_identity(&remembered).await?;
            }
            Some(remembered) => {
                let (found, remembered) = (link.epoch().clone(), remembered.epoch);
                tracing::error!(%found, %remembered, "the stream was recreated: nothing is written until a replica follows it");
                link.hold();
                link.verify_whole().await?;
            }
            None => {
                link.verify_whole().await?;
            }
        }
        Ok(())
    }

    /// The highest position that was acknowledged in this life of the stream.
    pub(crate) fn highest(&self, epoch: &Epoch) -> Option<Position> {
        self.remembered().as_ref().filter(|known| known.epoch == *epoch).map(|known| known.position)
    }

    /// Events from `first` to `last`, with this one's hash, were acknowledged; when they were sent, `before` was the
    /// highest position known.
    pub(crate) fn acknowledged(
        &self,
        epoch: &Epoch,
        before: Option<Position>,
        (first, last): (Position, Position),
        hash: impl FnOnce() -> [u8; 32],
    ) -> Result<()> {
        // Positions only grow: a stream that gives one away again is not the one that was written to.
        if let Some(known) = before.filter(|before| first <= *before) {
            return Err(Error::Truncated { head: Position(first.0 - 1), known });
        }
        let mut remembered = self.remembered();
        if remembered.as_ref().is_none_or(|known| known.epoch != *epoch || known.position < last) {
            *remembered = Some(Remembered::of(epoch, last, hash().to_vec()));
        }
        Ok(())
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Option<Remembered>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Held {
    pub(crate) fn is_held(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether that was a change.
    pub(crate) fn set(&self, held: bool) -> bool {
        self.0.swap(held, Ordering::Relaxed) != held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_gives_a_position_away_again_lost_something() {
        let (one, other) = ("abcdefgh2345".parse().unwrap(), "zzzzzzzz2345".parse().unwrap());
        let guard = Guard::default();
        let told = |epoch, before, position: u64| {
            guard.acknowledged(epoch, before, (Position(position), Position(position)), || [0; 32]).is_ok()
        };
        assert!(told(&one, None, 12));
        assert!(told(&one, None, 11), "sent beside the other");
        assert_eq!(guard.highest(&one), Some(Position(12)));
        assert!(!told(&one, Some(Position(12)), 12));
        assert!(told(&one, Some(Position(12)), 13));
        assert_eq!(guard.highest(&other), None);
        assert!(told(&other, None, 3), "a new life begins anew");
        assert_eq!((guard.highest(&one), guard.highest(&other)), (None, Some(Position(3))));
    }
}
