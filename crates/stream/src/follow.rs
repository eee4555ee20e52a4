//! Following the stream from a position on; a gap is an error.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use contract::Position;
use contract::subject;
use futures::StreamExt;

use crate::connect::Link;
use crate::error::{Error, Result};
use crate::stored::StoredEvent;

/// Events asked for at once.
const BATCH: usize = 1_000;
/// Bytes asked for at once: bounds what waits in memory while a catalogue's chunks are applied.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Events in position order, without a gap.
pub struct Follower {
    link: Link,
    messages: pull::Stream,
    next: Position,
}

impl Link {
    /// Follows the stream from `next` on. The consumer lives in the server's memory and goes with the connection:
    /// the checkpoint is the replica's, never the server's.
    ///
    /// # Errors
    /// When the server does not make a consumer.
    pub async fn follow(&self, next: Position) -> Result<Follower> {
        let open = async {
            let failed = |e| Error::request("make a consumer")(e);
            let stream =
                self.context.get_stream_no_info(subject::STREAM).await.map_err(|e| failed(e.into()))?;
            let consumer = stream
                .create_consumer(pull::Config {
                    deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next.0 },
                    ack_policy: AckPolicy::None,
                    inactive_threshold: Duration::from_secs(30),
                    memory_storage: true,
                    num_replicas: 1,
                    ..pull::Config::default()
                })
                .await
                .map_err(|e| failed(e.into()))?;
            consumer
                .stream()
                .max_messages_per_batch(BATCH)
                .max_bytes_per_batch(BATCH_BYTES)
                .heartbeat(Duration::from_millis(500))
                .expires(Duration::from_secs(10))
                .messages()
                .await
                .map_err(|e| failed(e.into()))
        };
        let messages = self.until_closed("make a consumer", open).await?;
        Ok(Follower { link: self.clone(), messages, next })
    }
}

impl Follower {
    /// The next event, however long it takes to come.
    ///
    /// # Errors
    /// When the connection is lost, the consumer stalls, or an event is missing. Follow anew from the checkpoint.
    pub async fn next(&mut self) -> Result<StoredEvent> {
        let failed = |reason: String| Error::Request { what: "deliver events", reason };
        let message = tokio::select! {
            message = self.messages.next() => message,
            () = self.link.closed() => return Err(failed("the connection was lost".into())),
        };
        let message =
            message.ok_or_else(|| failed("the consumer ended".into()))?.map_err(|e| failed(e.to_string()))?;
        let info = message.info().map_err(|e| failed(e.to_string()))?;
        let found = Position(info.stream_sequence);
        if found != self.next {
            return Err(Error::Gap { expected: self.next, found });
        }
        self.next = found.next();
        let (published, pending) = (info.published.unix_timestamp_nanos(), info.pending);
        let message = message.message;
        Ok(StoredEvent::new(
            found.0,
            &message.subject,
            published,
            pending,
            message.headers.unwrap_or_default(),
            message.payload,
        ))
    }
}
