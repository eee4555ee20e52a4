//! Publishing many events at once: one JetStream atomic batch, all of it or nothing, for one fsync.
//!
//! The three headers are set here, because the crate that knows batches binds an older client (ADR-50 of nats-server).

use std::time::Duration;

use async_nats::header::{HeaderMap, HeaderValue};
use async_nats::{Request, Subject};
use contract::Position;

use super::{Answer, Failure, Message, answered, refused_by_client};
use crate::connect::Link;

/// Most events of one batch, by the server's own limit.
pub const BATCH_LIMIT: usize = 1_000;
const ID: &str = "Nats-Batch-Id";
const SEQUENCE: &str = "Nats-Batch-Sequence";
const COMMIT: &str = "Nats-Batch-Commit";

impl Link {
    /// Publishes events as one batch, named by `id` (up to 64 characters, used once), and waits for its
    /// acknowledgement, at most `timeout` or until the connection ends. Returns the first event's position; the others
    /// follow it without a gap.
    ///
    /// # Errors
    /// [`Failure::Refused`]: none of them is stored; with [`Failure::DUPLICATE`], because at least one was stored
    /// before. [`Failure::Unanswered`]: all may be stored, or none.
    ///
    /// # Panics
    /// On no events, or more than [`BATCH_LIMIT`].
    pub async fn publish_batch(
        &self,
        id: &str,
        messages: &[&Message],
        timeout: Duration,
    ) -> Result<Position, Failure> {
        assert!((1..=BATCH_LIMIT).contains(&messages.len()), "a batch holds 1 to {BATCH_LIMIT} events");
        let before = self.highest()?;
        let sending = tokio::time::timeout(timeout, self.send_batch(id, messages));
        let answer = tokio::select! {
            answer = sending => answer.unwrap_or_else(|_| Err(Failure::Unanswered("timed out".into())))?,
            () = self.closed() => return Err(Failure::Unanswered("the connection was lost".into())),
        };
        let count = messages.len() as u64;
        if answer.count != Some(count) || answer.seq < count {
            let found =
                format!("acknowledged {:?} events of {count}, the last at {}", answer.count, answer.seq);
            return Err(Failure::Unanswered(found));
        }
        let (first, last) = (Position(answer.seq - count + 1), Position(answer.seq));
        let newest = messages.last().expect("a batch holds events");
        self.acknowledged(before, (first, last), newest)?;
        Ok(first)
    }

    /// The last one's acknowledgement commits them all; until that one is sent, none can be stored.
    async fn send_batch(&self, id: &str, messages: &[&Message]) -> Result<Answer, Failure> {
        let (last, before) = messages.split_last().expect("a batch holds events");
        for (index, message) in before.iter().enumerate() {
            let headers = batch_headers(message, id, index + 1);
            let subject = Subject::from(message.subject.as_str());
            let sent = self.client.publish_with_headers(subject, headers, message.payload.clone()).await;
            sent.map_err(|error| Failure::Refused { code: 0, description: error.to_string() })?;
        }
        let mut headers = batch_headers(last, id, messages.len());
        headers.insert(COMMIT, "1");
        let request = Request::new().payload(last.payload.clone()).headers(headers).timeout(None);
        let answer = self.client.send_request(Subject::from(last.subject.as_str()), request).await;
        answered(&answer.map_err(refused_by_client)?.payload)
    }
}

fn batch_headers(message: &Message, id: &str, sequence: usize) -> HeaderMap {
    let mut headers = message.headers.clone();
    headers.insert(ID, id);
    headers.insert(SEQUENCE, HeaderValue::from(sequence as u64));
    headers
}
