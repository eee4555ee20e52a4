//! From an event to its position: a bounded queue, and a task of its own that publishes.
//!
//! The task outlives the request: a client that hangs up never cancels a half-sent write. Overload is refused at
//! once; the queue never grows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::Token;
use contract::announcement::Stored;
use service::config::Writer;
use service::metrics::{PUBLISH_SECONDS, PUBLISHED, WRITE_QUEUE};
use service::problem::{Problem, pages};
use service::task;
use stream::{Connection, Failure, Link, Message, Placed};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::Instrument;

/// A durable event.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// Epoch and position.
    pub(crate) token: Token,
    /// An event with this message id was already there; the position is that one's.
    pub(crate) duplicate: bool,
}

/// Why an event has no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotCommitted {
    /// The queue is full.
    #[error("too many writes are waiting: nothing was stored; try again")]
    Overloaded,
    /// The stream cannot be reached, and nothing was sent.
    #[error("the event stream cannot be reached: nothing was stored; try again")]
    Away,
    /// The stream is at its limit.
    #[error("the event stream is full: nothing was stored. An operator must raise its max_bytes")]
    Full,
    /// The stream refused the event for another reason.
    #[error("the event stream refused the write: nothing was stored")]
    Refused,
    /// It was sent and never acknowledged.
    #[error(
        "the event stream did not acknowledge the write in time: it may still land. Retry with the same Idempotency-Key"
    )]
    Unknown,
}

impl From<NotCommitted> for Problem {
    fn from(reason: NotCommitted) -> Problem {
        let page = match reason {
            NotCommitted::Overloaded => pages::OVERLOADED,
            NotCommitted::Away => pages::STREAM_AWAY,
            NotCommitted::Full => pages::STREAM_FULL,
            NotCommitted::Refused => pages::STREAM_REFUSED,
            NotCommitted::Unknown => pages::OUTCOME_UNKNOWN,
        };
        Problem::unavailable(page, reason.to_string())
    }
}

struct Entry {
    /// The request's, for its id in the log.
    span: tracing::Span,
    message: Message,
    entered: Instant,
    answer: oneshot::Sender<Result<Committed, NotCommitted>>,
}

/// The way into the stream.
#[derive(Clone)]
pub(crate) struct Commits {
    queue: mpsc::Sender<Entry>,
    connection: Connection,
}

impl Commits {
    /// Starts the task that publishes. It ends when the last handle is gone and everything is settled.
    pub(crate) fn start(config: &Writer, connection: Connection) -> Commits {
        let (queue, entries) = mpsc::channel(config.queue);
        let publisher = Publisher {
            connection: connection.clone(),
            acknowledge: Duration::from_millis(config.acknowledge_ms),
            deadline: Duration::from_millis(config.publish_ms),
        };
        task::essential("publisher", publisher.run(entries, config.in_flight));
        Commits { queue, connection }
    }

    /// Stores an event durably.
    ///
    /// # Errors
    /// Whether and why it is not stored, or that nobody knows.
    pub(crate) async fn commit(&self, message: Message) -> Result<Committed, NotCommitted> {
        // While the stream is away a write fails at once instead of waiting in a queue.
        self.connection.current().map_err(|_| NotCommitted::Away)?;
        let (answer, answered) = oneshot::channel();
        let entry = Entry { span: tracing::Span::current(), message, entered: Instant::now(), answer };
        self.queue.try_send(entry).map_err(|error| match error {
            TrySendError::Full(_) => NotCommitted::Overloaded,
            TrySendError::Closed(_) => NotCommitted::Away,
        })?;
        // The task ended without an answer: only when the process ends.
        answered.await.unwrap_or(Err(NotCommitted::Unknown))
    }
}

#[derive(Clone)]
struct Publisher {
    connection: Connection,
    acknowledge: Duration,
    deadline: Duration,
}

impl Publisher {
    async fn run(self, mut entries: mpsc::Receiver<Entry>, in_flight: usize) {
        let permits = Arc::new(Semaphore::new(in_flight));
        while let Some(entry) = entries.recv().await {
            metrics::gauge!(WRITE_QUEUE).set(entries.len() as f64);
            let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
            let publisher = self.clone();
            tokio::spawn(async move {
                let started = Instant::now();
                let result = publisher.publish(&entry).instrument(entry.span.clone()).await;
                let outcome = match &result {
                    Ok(Committed { duplicate: false, .. }) => "stored",
                    Ok(Committed { duplicate: true, .. }) => "duplicate",
                    Err(NotCommitted::Unknown) => "unknown",
                    Err(_) => "not_stored",
                };
                metrics::counter!(PUBLISHED, "outcome" => outcome).increment(1);
                metrics::histogram!(PUBLISH_SECONDS).record(started.elapsed().as_secs_f64());
                // A client that hung up does not hear it; the event is stored all the same.
                let _heard_or_gone = entry.answer.send(result);
                drop(permit);
            });
        }
    }

    /// Publishes, and after a lost acknowledgement again under the same id, until the deadline.
    async fn publish(&self, entry: &Entry) -> Result<Committed, NotCommitted> {
        let mut sent = false;
        let mut deadline = self.deadline;
        loop {
            let left = deadline.saturating_sub(entry.entered.elapsed());
            if left.is_zero() {
                return Err(if sent { NotCommitted::Unknown } else { NotCommitted::Overloaded });
            }
            let link = match self.connection.current() {
                Ok(link) => link,
                Err(_) if !sent => return Err(NotCommitted::Away),
                Err(_) => match tokio::time::timeout(left, self.connection.link()).await {
                    Ok(link) => link,
                    Err(_) => return Err(NotCommitted::Unknown),
                },
            };
            // A repeat must come while the broker still remembers the id, or it would be stored twice.
            deadline = deadline.min(link.duplicate_window() / 2);
            match link.publish(&entry.message, self.acknowledge.min(left)).await {
                Ok(placed) => return Ok(committed(&link, &entry.message, placed).await),
                Err(Failure::Refused { code, description }) => {
                    tracing::warn!(code, description, "the stream refused an event");
                    return Err(match code {
                        // An earlier send may have been stored before this refusal.
                        _ if sent => NotCommitted::Unknown,
                        Failure::FULL => NotCommitted::Full,
                        _ => NotCommitted::Refused,
                    });
                }
                Err(Failure::Unanswered(reason)) => {
                    tracing::debug!(reason, "a publish was not acknowledged; repeating it under the same id");
                    sent = true;
                }
            }
        }
    }
}

async fn committed(link: &Link, message: &Message, placed: Placed) -> Committed {
    let token = Token { epoch: link.epoch().clone(), position: placed.position };
    if !placed.duplicate {
        let hash = message.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        let stored = Stored { epoch: token.epoch.clone(), position: token.position, hash };
        if let Err(error) = link.announce_stored(&stored).await {
            tracing::debug!(%error, "a commit was not announced");
        }
    }
    Committed { token, duplicate: placed.duplicate }
}
