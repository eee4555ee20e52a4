//! Reads what is there from end to end, for its server's sake alone.
//!
//! nats-server keeps a checksum with each event, but after a clean stop it trusts its own summary and looks at none until
//! it reads the event: then it passes over what is damaged and goes on counting it.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use contract::{Position, subject};
use futures::StreamExt;

use crate::connect::Link;
use crate::error::{Error, Result};

/// Events asked for at once: their attributes only.
const BATCH: usize = 500;
/// How long is paused for each part of the time that reading took: who reads and writes meanwhile has four fifths.
const PAUSE: u32 = 4;
/// When nothing came though something is there.
const AGAIN: Duration = Duration::from_millis(200);

impl Link {
    /// Reads the events from one position to another, slowly.
    ///
    /// # Errors
    /// [`Error::Gap`] and [`Error::Unserved`] name the first one that the server does not give; else it could not be asked.
    pub async fn read_through(&self, from: Position, to: Position) -> Result<()> {
        let mut next = from;
        while next <= to {
            let opened = self.until_closed("make a consumer", self.attributes_from(next)).await?;
            next = self.read_on(&opened, next, to).await?;
            if next <= to {
                // The consumer was lost, or nothing behind is given.
                match self.read(next).await {
                    Ok(_) => tokio::time::sleep(AGAIN).await,
                    Err(Error::Missing(position)) => return Err(Error::Unserved { position }),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn read_on(&self, opened: &PullConsumer, from: Position, to: Position) -> Result<Position> {
        let mut next = from;
        loop {
            let (began, before) = (Instant::now(), next);
            let fetch = async {
                let fetched = opened.fetch().max_messages(BATCH).messages().await;
                fetched.map_err(|error| Error::request("deliver events")(error.into()))
            };
            let mut messages = self.until_closed("deliver events", fetch).await?;
            while let Some(message) = messages.next().await {
                let failed = |reason: String| Error::Request { what: "deliver events", reason };
                let message = message.map_err(|error| failed(error.to_string()))?;
                let found = message.info().map_err(|error| failed(error.to_string()))?.stream_sequence;
                if found != next.0 {
                    return Err(Error::Gap { expected: next, found: Position(found) });
                }
                next = next.next();
            }
            if next > to || next == before {
                return Ok(next);
            }
            tokio::time::sleep(began.elapsed() * PAUSE).await;
        }
    }

    async fn attributes_from(&self, next: Position) -> Result<PullConsumer> {
        let failed = |e| Error::request("make a consumer")(e);
        let stream = self.context.get_stream_no_info(subject::STREAM).await.map_err(|e| failed(e.into()))?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next.0 },
            ack_policy: AckPolicy::None,
            headers_only: true,
            inactive_threshold: Duration::from_secs(30),
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        stream.create_consumer(config).await.map_err(|e| failed(e.into()))
    }
}
