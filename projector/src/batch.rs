//! Cuts the stream into batches: whatever is there goes together, a barrier goes alone.

use contract::Position;
use contract::fold::Occurrence;
use futures::FutureExt;
use stream::{Follower, StoredEvent};

use crate::parking::{self, Decisions};

/// Most bytes of payload in one batch.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// An event ready to be applied.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) occurrence: Occurrence,
    pub(crate) hash: [u8; 32],
    /// The stream's head as it was known when the event came.
    pub(crate) head: Position,
    /// Its type as its subject names it, when it was parked: then the decision stands in its place.
    pub(crate) parked: Option<String>,
}

impl Ready {
    /// The type under which it is counted.
    pub(crate) fn event_type(&self) -> &str {
        self.parked.as_deref().unwrap_or_else(|| self.occurrence.event.type_name())
    }
}

/// Consecutive events for one transaction: one barrier, or some that are none.
pub(crate) struct Batches {
    follower: Follower,
    decisions: Decisions,
    /// Read already, but it did not fit into the last batch.
    held: Option<stream::Result<Ready>>,
    most: usize,
}

impl Batches {
    pub(crate) fn new(follower: Follower, decisions: &Decisions, most: usize) -> Batches {
        Batches { follower, decisions: decisions.clone(), held: None, most }
    }

    /// The next batch, never empty: waits for one event, then takes what has come meanwhile.
    ///
    /// # Errors
    /// What [`Follower::next`] and decoding fail with, after everything before it was handed out.
    pub(crate) async fn next(&mut self) -> stream::Result<Vec<Ready>> {
        let first = match self.held.take() {
            Some(held) => held?,
            None => ready(self.follower.next().await, &self.decisions)?,
        };
        let mut bytes = 0;
        let alone = first.occurrence.event.is_barrier();
        let mut batch = vec![first];
        while !alone && batch.len() < self.most && bytes < BATCH_BYTES {
            // Polled once: taking a message and returning it happen without a pause between, so none is lost.
            let Some(next) = self.follower.next().now_or_never() else {
                break;
            };
            bytes += next.as_ref().map_or(0, |event| event.payload.len());
            match ready(next, &self.decisions) {
                Ok(next) if !next.occurrence.event.is_barrier() => batch.push(next),
                other => {
                    self.held = Some(other);
                    break;
                }
            }
        }
        Ok(batch)
    }
}

/// An event as it is applied. One that is parked is not read.
pub(crate) fn ready(event: stream::Result<StoredEvent>, decisions: &Decisions) -> stream::Result<Ready> {
    let event = event?;
    if let Some(decision) = decisions.about(event.position) {
        return Ok(parking::in_place(&event, decision));
    }
    let (envelope, content) = event.decode()?;
    Ok(Ready {
        hash: event.hash(),
        head: Position(event.position.0 + event.pending),
        occurrence: Occurrence {
            position: event.position,
            stored: event.stored,
            time: envelope.time,
            idempotency: envelope.idempotency,
            event: content,
        },
        parked: None,
    })
}
