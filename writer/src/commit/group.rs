//! Group commit: what waits while one commit is on its way is the next group. A large group goes as one atomic batch,
//! for one fsync; a small one as plain publishes, which together take less than a batch's fixed cost.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use contract::announcement::Stored;
use contract::{Position, Token};
use data_encoding::HEXLOWER;
use futures::future::join_all;
use service::config::Writer;
use service::metrics::{COMMIT_EVENTS, WRITE_QUEUE};
use stream::{BATCH_LIMIT, Failure, Link, Message};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tracing::Instrument;
use uuid::Uuid;

use super::single::{Bounds, Tried, refused};
use super::{Committed, Entry, NotCommitted};

/// Most bytes of payload in one group.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// A commit that takes longer than any should keeps the next one waiting no longer: its acknowledgement may be lost.
const PLACE: Duration = Duration::from_millis(100);

/// Commits groups of events.
pub(super) struct Groups {
    bounds: Bounds,
    /// Groups on their way at a time.
    at_once: Arc<Semaphore>,
    /// From how many events on a group goes as a batch.
    batch_from: usize,
}

/// What became of a group when each of its events was sent once.
#[derive(Default)]
struct Done {
    /// Those that nobody answered.
    unanswered: Vec<Entry>,
    newest: Option<Newest>,
}

/// The last event that a commit stored.
struct Newest {
    link: Link,
    token: Token,
    message: Message,
}

impl Groups {
    pub(super) fn new(config: &Writer, bounds: Bounds) -> Groups {
        Groups { bounds, at_once: Arc::new(Semaphore::new(config.commits)), batch_from: config.batch_from }
    }

    /// Commits whatever comes, until nobody can send any more.
    pub(super) async fn run(self, mut entries: mpsc::Receiver<Entry>) {
        loop {
            let permit = self.at_once.clone().acquire_owned().await.expect("the semaphore is never closed");
            let Some(first) = entries.recv().await else { return };
            // Gives way once, to whoever was answered by the last commit and writes again at once.
            tokio::task::yield_now().await;
            let group = group(first, &mut entries);
            metrics::gauge!(WRITE_QUEUE).decrement(group.len() as f64);
            metrics::histogram!(COMMIT_EVENTS).record(group.len() as f64);
            let (bounds, batch) = (self.bounds.clone(), group.len() >= self.batch_from);
            tokio::spawn(async move {
                let mut commit = pin!(bounds.commit(group, batch));
                let in_time = timeout(PLACE, &mut commit).await;
                // Those behind must not wait for what nobody answers.
                drop(permit);
                let Done { unanswered, newest } = match in_time {
                    Ok(done) => done,
                    Err(_late) => commit.await,
                };
                if let Some(newest) = newest {
                    // Who waits for the answer comes first, on this core.
                    tokio::task::yield_now().await;
                    newest.announce().await;
                }
                bounds.settle_all(unanswered).await;
            });
        }
    }
}

/// An event and all that wait behind it, as far as they go into one group.
fn group(first: Entry, entries: &mut mpsc::Receiver<Entry>) -> Vec<Entry> {
    let mut bytes = first.message.size();
    let mut group = vec![first];
    while group.len() < BATCH_LIMIT && bytes < GROUP_BYTES {
        let Ok(entry) = entries.try_recv() else { break };
        bytes += entry.message.size();
        group.push(entry);
    }
    group
}

impl Bounds {
    /// Publishes each event of a group once.
    async fn commit(&self, group: Vec<Entry>, batch: bool) -> Done {
        let Ok(link) = self.connection.current() else {
            group.into_iter().for_each(|entry| entry.settle(Err(NotCommitted::Away)));
            return Done::default();
        };
        if batch { self.commit_batch(&link, group).await } else { self.commit_singly(&link, group).await }
    }

    async fn commit_batch(&self, link: &Link, group: Vec<Entry>) -> Done {
        let left = group.iter().map(|entry| self.left(entry, link)).min().unwrap_or_default();
        if left.is_zero() {
            return self.commit_singly(link, group).await;
        }
        group.iter().for_each(|entry| drop(entry.sent_to.set(link.epoch().clone())));
        let messages: Vec<&Message> = group.iter().map(|entry| &entry.message).collect();
        let id = Uuid::now_v7().simple().to_string();
        match link.publish_batch(&id, &messages, self.acknowledge.min(left)).await {
            Ok(first) => {
                let token = |position| Token { epoch: link.epoch().clone(), position: Position(position) };
                let last = token(first.0 + messages.len() as u64 - 1);
                let message = group.last().expect("a batch holds events").message.clone();
                for (entry, position) in group.into_iter().zip(first.0..) {
                    entry.settle(Ok(Committed { token: token(position), duplicate: false }));
                }
                let newest = Newest { link: link.clone(), token: last, message };
                Done { unanswered: Vec::new(), newest: Some(newest) }
            }
            Err(Failure::Refused { code: Failure::FULL, description }) => {
                let full = refused(Failure::FULL, &description);
                group.into_iter().for_each(|entry| entry.settle(Err(full.clone())));
                Done::default()
            }
            // One of them was stored before: none of the others is to blame.
            Err(Failure::Refused { code, description }) => {
                tracing::debug!(code, description, "a batch was refused; publishing its events one by one");
                self.commit_singly(link, group).await
            }
            Err(Failure::Unanswered(reason)) => {
                tracing::debug!(reason, "a batch was not acknowledged; settling its events one by one");
                Done { unanswered: group, newest: None }
            }
        }
    }

    async fn commit_singly(&self, link: &Link, group: Vec<Entry>) -> Done {
        let tries = group.into_iter().map(|entry| async move {
            match self.publish(link, &entry, false).instrument(entry.span.clone()).await {
                Tried::Unanswered => (Some(entry), None),
                Tried::Settled(answer) => {
                    let stored = answer.as_ref().ok().filter(|committed| !committed.duplicate);
                    let stored = stored.map(|committed| (committed.token.clone(), entry.message.clone()));
                    entry.settle(answer);
                    (None, stored)
                }
            }
        });
        let (unanswered, stored): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().unzip();
        let newest = stored.into_iter().flatten().max_by_key(|(token, _)| token.position);
        let newest = newest.map(|(token, message)| Newest { link: link.clone(), token, message });
        Done { unanswered: unanswered.into_iter().flatten().collect(), newest }
    }

    /// Learns what became of events that nobody answered, by sending each again under its id.
    async fn settle_all(&self, unanswered: Vec<Entry>) {
        let settling = unanswered.into_iter().map(|entry| async move {
            let answer = self.settle(&entry).instrument(entry.span.clone()).await;
            entry.settle(answer);
        });
        join_all(settling).await;
    }
}

impl Newest {
    /// Tells whoever listens: a stream that does not have it later has lost something. Nobody waits for this.
    async fn announce(self) {
        let hash = HEXLOWER.encode(&self.message.hash());
        let stored = Stored { epoch: self.token.epoch, position: self.token.position, hash };
        if let Err(error) = self.link.announce_stored(&stored).await {
            tracing::debug!(%error, "a commit was not announced");
        }
    }
}
