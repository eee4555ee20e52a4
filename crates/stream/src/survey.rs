//! The whole stream once more, attributes only, whatever it lacks: gaps are told, and the reading goes on behind them.

use std::ops::RangeInclusive;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use contract::{Position, subject};
use futures::StreamExt;

use crate::connect::Link;
use crate::error::{Error, Result};
use crate::stored::StoredEvent;

/// Events asked for at once.
const BATCH: usize = 5_000;
/// How long nothing may arrive before the server is asked for the next event by itself.
const SILENCE: Duration = Duration::from_secs(3);
/// So often in a row the server may fall silent although it gives the next event when it is asked for it.
const SILENCES: u32 = 3;

/// Reads from one position to another.
pub struct Survey {
    link: Link,
    messages: pull::Stream,
    next: Position,
    last: Position,
    /// Read already, behind a gap that was told first.
    held: Option<StoredEvent>,
}

/// What stands at the next position.
#[derive(Debug)]
pub enum Surveyed {
    /// An event; its payload is left out.
    Event(StoredEvent),
    /// Nothing, at these positions.
    Gap(RangeInclusive<u64>),
}

impl Link {
    /// Reads all from one position to another, as fast as it comes.
    ///
    /// # Errors
    /// When the server does not make a consumer.
    pub async fn survey(&self, from: Position, last: Position) -> Result<Survey> {
        let messages = self.attributes(from).await?;
        Ok(Survey { link: self.clone(), messages, next: from, last, held: None })
    }

    async fn attributes(&self, from: Position) -> Result<pull::Stream> {
        let failed = |e| Error::request("make a consumer")(e);
        let open = async {
            let stream =
                self.context.get_stream_no_info(subject::STREAM).await.map_err(|e| failed(e.into()))?;
            let config = pull::Config {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from.0 },
                ack_policy: AckPolicy::None,
                headers_only: true,
                inactive_threshold: Duration::from_secs(30),
                memory_storage: true,
                num_replicas: 1,
                ..pull::Config::default()
            };
            let consumer = stream.create_consumer(config).await.map_err(|e| failed(e.into()))?;
            let messages = consumer
                .stream()
                .max_messages_per_batch(BATCH)
                .heartbeat(Duration::from_millis(500))
                .expires(Duration::from_secs(10));
            messages.messages().await.map_err(|e| failed(e.into()))
        };
        self.until_closed("make a consumer", open).await
    }
}

impl Survey {
    /// What stands next; none behind the last position.
    ///
    /// # Errors
    /// When the connection is lost, or the server gives nothing.
    pub async fn next(&mut self) -> Result<Option<Surveyed>> {
        if let Some(held) = self.held.take() {
            self.next = held.position.next();
            return Ok(Some(Surveyed::Event(held)));
        }
        if self.next > self.last {
            return Ok(None);
        }
        let mut silences = 0;
        let event = loop {
            if let Some(event) = self.receive().await? {
                break event;
            }
            // Whether it is there is asked by itself: the server may pass over it, or be busy.
            match self.link.read(self.next).await {
                // Asked for anew, it passes over all behind it as well.
                Err(Error::Missing(_)) if silences > 0 => return Ok(Some(self.gap_to(self.last))),
                Err(error) if silences >= SILENCES => return Err(error),
                Ok(_) if silences >= SILENCES => {
                    let reason = format!("it gives event {} only when asked for it alone", self.next);
                    return Err(Error::Request { what: "deliver events", reason });
                }
                Ok(_) | Err(_) => {
                    silences += 1;
                    self.messages = self.link.attributes(self.next).await?;
                }
            }
        };
        if event.position > self.last {
            return Ok(Some(self.gap_to(self.last)));
        }
        if event.position > self.next {
            let gap = self.gap_to(Position(event.position.0 - 1));
            self.held = Some(event);
            return Ok(Some(gap));
        }
        self.next = event.position.next();
        Ok(Some(Surveyed::Event(event)))
    }

    fn gap_to(&mut self, last: Position) -> Surveyed {
        let first = self.next;
        self.next = last.next();
        Surveyed::Gap(first.0..=last.0)
    }

    /// The next message; none when nothing comes for a while, or the consumer was lost.
    async fn receive(&mut self) -> Result<Option<StoredEvent>> {
        let failed = |reason: String| Error::Request { what: "deliver events", reason };
        let message = tokio::select! {
            message = tokio::time::timeout(SILENCE, self.messages.next()) => message,
            () = self.link.closed() => return Err(failed("the connection was lost".into())),
        };
        let message = match message {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(_)) | None) | Err(_) => return Ok(None),
        };
        let info = message.info().map_err(|e| failed(e.to_string()))?;
        let (position, published, pending) =
            (info.stream_sequence, info.published.unix_timestamp_nanos(), info.pending);
        let message = message.message;
        let headers = message.headers.unwrap_or_default();
        Ok(Some(StoredEvent::new(position, &message.subject, published, pending, headers, message.payload)))
    }
}
