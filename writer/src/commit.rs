//! From an event to its position: a bounded queue, and a task of its own that commits what waits in it in groups.
//!
//! The task outlives the request: a client that hangs up never cancels a half-sent write. Overload is refused at
//! once; the queue never grows.

mod group;
mod single;

use std::collections::HashMap;
use std::collections::hash_map;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use contract::{Epoch, Token};
use service::config::Writer;
use service::metrics::{PUBLISH_SECONDS, PUBLISHED, WRITE_QUEUE};
use service::problem::{Problem, pages};
use service::task;
use stream::{Connection, Message};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::commit::group::Groups;
use crate::commit::single::Bounds;

/// A durable event.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Epoch and position.
    pub token: Token,
    /// An event with this message id was already there; the position is that one's.
    pub duplicate: bool,
}

/// Why an event has no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCommitted {
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

type Answer = Result<Committed, NotCommitted>;

/// Requests that wait for an event of the same id which is on its way.
type Followers = Arc<Mutex<HashMap<String, Vec<oneshot::Sender<Answer>>>>>;

/// An event on its way.
struct Entry {
    /// The request's, for its id in the log.
    span: tracing::Span,
    message: Message,
    entered: Instant,
    /// The life of the stream that it was sent to first.
    sent_to: OnceLock<Epoch>,
    answer: oneshot::Sender<Answer>,
    followers: Followers,
}

impl Entry {
    /// Tells everybody who waits for the event. For followers it was there already.
    fn settle(self, answer: Answer) {
        let outcome = match &answer {
            Ok(Committed { duplicate: false, .. }) => "stored",
            Ok(Committed { duplicate: true, .. }) => "duplicate",
            Err(NotCommitted::Unknown) => "unknown",
            Err(_) => "not_stored",
        };
        metrics::counter!(PUBLISHED, "outcome" => outcome).increment(1);
        metrics::histogram!(PUBLISH_SECONDS).record(self.entered.elapsed().as_secs_f64());
        let followers =
            self.followers.lock().expect("no holder of this lock panics").remove(&self.message.id);
        for follower in followers.unwrap_or_default() {
            let answer = answer.clone().map(|committed| Committed { duplicate: true, ..committed });
            let _heard_or_gone = follower.send(answer);
        }
        // A client that hung up does not hear it; the event is stored all the same.
        let _heard_or_gone = self.answer.send(answer);
    }
}

/// The way into the stream.
#[derive(Clone)]
pub struct Commits {
    queue: mpsc::Sender<Entry>,
    followers: Followers,
    connection: Connection,
}

impl Commits {
    /// Starts the task that commits. It ends when the last handle is gone and everything is settled.
    pub fn start(config: &Writer, connection: Connection) -> Commits {
        let (queue, entries) = mpsc::channel(config.queue);
        let bounds = Bounds::of(config, connection.clone());
        task::essential("commits", Groups::new(config, bounds).run(entries));
        Commits { queue, followers: Followers::default(), connection }
    }

    /// Stores an event durably. Of equal ids on their way at the same time only the first is sent: one duplicate would
    /// have a whole batch refused.
    ///
    /// # Errors
    /// Whether and why it is not stored, or that nobody knows.
    pub async fn commit(&self, message: Message) -> Result<Committed, NotCommitted> {
        // While the stream is away a write fails at once instead of waiting in a queue.
        self.connection.current().map_err(|_| NotCommitted::Away)?;
        let answered = self.enter(message)?;
        // The task ended without an answer: only when the process ends.
        answered.await.unwrap_or(Err(NotCommitted::Unknown))
    }

    fn enter(&self, message: Message) -> Result<oneshot::Receiver<Answer>, NotCommitted> {
        let (answer, answered) = oneshot::channel();
        let mut followers = self.followers.lock().expect("no holder of this lock panics");
        let place = match followers.entry(message.id.clone()) {
            hash_map::Entry::Occupied(mut leader) => {
                leader.get_mut().push(answer);
                return Ok(answered);
            }
            hash_map::Entry::Vacant(place) => place,
        };
        let entry = Entry {
            span: tracing::Span::current(),
            message,
            entered: Instant::now(),
            sent_to: OnceLock::new(),
            answer,
            followers: self.followers.clone(),
        };
        self.queue.try_send(entry).map_err(|error| match error {
            TrySendError::Full(_) => NotCommitted::Overloaded,
            TrySendError::Closed(_) => NotCommitted::Away,
        })?;
        place.insert(Vec::new());
        metrics::gauge!(WRITE_QUEUE).increment(1);
        Ok(answered)
    }
}
