//! Publishing one event: stored, not stored, or unknown.

mod batch;

use std::time::Duration;

use async_nats::client::{RequestError, RequestErrorKind};
use async_nats::header::{HeaderMap, HeaderValue};
use async_nats::{Request, Subject};
use bytes::Bytes;
use contract::envelope::subject_of;
use contract::{Envelope, Event, Position, subject};
use serde::Deserialize;

pub use batch::BATCH_LIMIT;

use crate::connect::Link;

/// An event ready to be published.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its message id.
    pub id: String,
    /// Its subject.
    pub subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

impl Message {
    /// The message of an event.
    pub fn new(envelope: &Envelope, event: &Event) -> Message {
        let mut headers = HeaderMap::new();
        for (name, value) in envelope.headers(event) {
            headers.insert(name, value.as_str());
        }
        headers.insert("Nats-Expected-Stream", subject::STREAM);
        Message {
            id: envelope.id.clone(),
            subject: subject_of(event),
            headers,
            payload: event.payload().into(),
        }
    }

    /// Only to be stored when the last event on its subject is at this position; 0: when there is none.
    pub fn expecting_last_on_subject(mut self, position: u64) -> Message {
        self.headers.insert("Nats-Expected-Last-Subject-Sequence", HeaderValue::from(position));
        self
    }

    /// The event's hash, as checkpoints remember it.
    pub fn hash(&self) -> [u8; 32] {
        contract::envelope::event_hash(&self.subject, &self.id, &self.payload)
    }

    /// Bytes of the payload.
    pub fn size(&self) -> usize {
        self.payload.len()
    }
}

/// Where an event was stored, fsynced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its position.
    pub position: Position,
    /// Whether an event with this id was already there: then this is that one's position.
    pub duplicate: bool,
}

/// Why an event has no position.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server said no: it is not stored.
    #[error("the stream refused the event: {description} ({code})")]
    Refused {
        /// JetStream's error code; 10077 is a full stream, 10071 a wrong expectation.
        code: u64,
        /// JetStream's words.
        description: String,
    },
    /// Nobody answered: it may be stored.
    #[error("the stream did not acknowledge the event: {0}")]
    Unanswered(String),
}

impl Failure {
    /// The stream is at its `max_bytes`.
    pub const FULL: u64 = 10077;
    /// The last event on the subject is not the one expected.
    pub const WRONG_LAST: u64 = 10071;
    /// A batch holds an event whose id is known already.
    pub const DUPLICATE: u64 = 10201;
    /// No code of JetStream's: the connection is held, because every replica refuses the stream.
    pub const HELD: u64 = 1;
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    /// Of a batch: how many events it stored.
    count: Option<u64>,
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Link {
    /// Publishes an event and waits for its acknowledgement, at most `timeout` or until the connection ends.
    ///
    /// # Errors
    /// [`Failure`] tells what was refused from what may be stored.
    pub async fn publish(&self, message: &Message, timeout: Duration) -> Result<Placed, Failure> {
        let before = self.highest()?;
        let request = Request::new()
            .payload(message.payload.clone())
            .headers(message.headers.clone())
            .timeout(Some(timeout));
        let subject = Subject::from(message.subject.as_str());
        let answer = tokio::select! {
            answer = self.client.send_request(subject, request) => answer,
            () = self.closed() => return Err(Failure::Unanswered("the connection was lost".into())),
        };
        let answer = answered(&answer.map_err(refused_by_client)?.payload)?;
        let position = Position(answer.seq);
        if !answer.duplicate {
            self.acknowledged(before, (position, position), message)?;
        }
        Ok(Placed { position, duplicate: answer.duplicate })
    }

    /// The highest position that was acknowledged to this process, unless nothing may be published.
    fn highest(&self) -> Result<Option<Position>, Failure> {
        if self.is_held() {
            let description = "every replica refuses the stream".to_owned();
            return Err(Failure::Refused { code: Failure::HELD, description });
        }
        Ok(self.guard.as_ref().and_then(|guard| guard.highest(self.epoch())))
    }

    /// Remembers what was acknowledged, unless it cannot be: then the connection ends.
    fn acknowledged(
        &self,
        before: Option<Position>,
        positions: (Position, Position),
        last: &Message,
    ) -> Result<(), Failure> {
        let Some(guard) = &self.guard else { return Ok(()) };
        guard.acknowledged(self.epoch(), before, positions, || last.hash()).map_err(|error| {
            tracing::error!(%error, "the stream is not the one that was written to");
            self.closed.cancel();
            Failure::Unanswered(error.to_string())
        })
    }
}

/// What the server said, unless it refused.
fn answered(payload: &[u8]) -> Result<Answer, Failure> {
    let answer: Answer =
        serde_json::from_slice(payload).map_err(|error| Failure::Unanswered(error.to_string()))?;
    match answer.error {
        Some(error) => Err(Failure::Refused { code: error.err_code, description: error.description }),
        None => Ok(answer),
    }
}

fn refused_by_client(error: RequestError) -> Failure {
    match error.kind() {
        RequestErrorKind::NoResponders => {
            Failure::Refused { code: 0, description: "no stream takes this subject".into() }
        }
        RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
            Failure::Refused { code: 0, description: error.to_string() }
        }
        RequestErrorKind::TimedOut | RequestErrorKind::Other => Failure::Unanswered(error.to_string()),
    }
}
