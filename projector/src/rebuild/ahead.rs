//! Reads the stream ahead of who applies it, so that both work at once, in a bounded part of memory.

use std::sync::Arc;

use contract::Position;
use stream::{Follower, Link};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::batch::{Ready, ready};
use crate::failure::Failure;
use crate::parking::Decisions;

/// Bytes of payload that may be read ahead.
const AHEAD_BYTES: usize = 48 * 1024 * 1024;
/// Events that may be read ahead.
const AHEAD_EVENTS: usize = 40_000;
/// Most bytes of payload in one batch.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// An event, and its share of the memory.
struct Read {
    ready: Ready,
    bytes: usize,
    _share: OwnedSemaphorePermit,
}

/// The stream from a position on, read ahead.
pub(super) struct Ahead {
    received: mpsc::Receiver<stream::Result<Read>>,
    held: Option<stream::Result<Read>>,
    reading: JoinHandle<()>,
}

impl Ahead {
    pub(super) async fn from(link: &Link, next: Position) -> stream::Result<Ahead> {
        let decisions = Decisions::read(link).await?;
        let follower = link.follow(next).await?;
        let (sender, received) = mpsc::channel(AHEAD_EVENTS);
        let reading = tokio::spawn(read(follower, decisions, sender));
        Ok(Ahead { received, held: None, reading })
    }

    /// The next batch, never empty: at most so many events, none beyond `last`; a barrier goes alone.
    pub(super) async fn batch(&mut self, most: usize, last: Position) -> Result<Vec<Ready>, Failure> {
        let first = match self.held.take() {
            Some(held) => held?,
            None => self.received.recv().await.expect("the reader ends with an error")?,
        };
        let alone = first.ready.occurrence.event.is_barrier();
        let mut bytes = first.bytes;
        let mut batch = vec![first.ready];
        while !alone && batch.len() < most && bytes < BATCH_BYTES {
            let Ok(next) = self.received.try_recv() else { break };
            let fits = |read: &Read| {
                !read.ready.occurrence.event.is_barrier() && read.ready.occurrence.position <= last
            };
            match next {
                Ok(read) if fits(&read) => {
                    bytes += read.bytes;
                    batch.push(read.ready);
                }
                other => {
                    self.held = Some(other);
                    break;
                }
            }
        }
        Ok(batch)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut follower: Follower, decisions: Decisions, sender: mpsc::Sender<stream::Result<Read>>) {
    let room = Arc::new(Semaphore::new(AHEAD_BYTES));
    loop {
        let event = follower.next().await;
        let bytes = event.as_ref().map_or(1, |event| event.payload.len().clamp(1, AHEAD_BYTES));
        let share = Arc::clone(&room).acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX)).await;
        let share = share.expect("the semaphore is never closed");
        let read = ready(event, &decisions).map(|ready| Read { ready, bytes, _share: share });
        let ended = read.is_err();
        if sender.send(read).await.is_err() || ended {
            return;
        }
    }
}
