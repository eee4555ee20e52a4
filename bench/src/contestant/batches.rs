//! Atomic batches from a loop, one after another: what one fsync for many events gives when nobody is served.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_nats::Request;
use async_nats::header::HeaderValue;
use serde_json::Value;
use uuid::Uuid;

use super::Publishes;
use super::publishes::SUBJECT;
use crate::error::Error;
use crate::figures::{Measured, percentile};

/// Batches of messages like those of [`Publishes`], into the same stream.
pub(crate) struct Batches {
    pub(crate) messages: Publishes,
    /// Messages of each batch.
    pub(crate) size: usize,
}

impl Batches {
    pub(super) async fn measure(&self, line: &str, duration: Duration) -> Result<Measured, Error> {
        let before = self.messages.stored().await?;
        let started = Instant::now();
        let mut latencies = Vec::new();
        while started.elapsed() < duration {
            let sent = Instant::now();
            self.publish(line).await?;
            latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
        let seconds = started.elapsed().as_secs_f64();
        let count = (latencies.len() * self.size) as u64;
        let stored = self.messages.stored().await? - before;
        if stored != count || count == 0 {
            return Err(Error::wrong(
                line,
                format!("{count} events were acknowledged, and {stored} are stored"),
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of seconds")]
        Ok(Measured {
            count,
            per_second: count as f64 / seconds,
            p50_ms: percentile(&mut latencies, 0.5),
            p99_ms: percentile(&mut latencies, 0.99),
            statuses: BTreeMap::new(),
        })
    }

    async fn publish(&self, line: &str) -> Result<(), Error> {
        let client = self.messages.client();
        let id = Uuid::now_v7().simple().to_string();
        for sequence in 1..=self.size {
            let mut headers = self.messages.next_headers();
            headers.insert("Nats-Batch-Id", id.as_str());
            headers.insert("Nats-Batch-Sequence", HeaderValue::from(sequence as u64));
            let payload = self.messages.payload();
            if sequence < self.size {
                let sent = client.publish_with_headers(SUBJECT, headers, payload).await;
                sent.map_err(|error| Error::failed("publish")(error.into()))?;
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let request = Request::new().headers(headers).payload(payload);
            let answer = client.send_request(SUBJECT, request).await;
            let answer = answer.map_err(|error| Error::failed("hear from nats-server")(error.into()))?;
            let answer: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
            if answer["count"].as_u64() != Some(self.size as u64) {
                return Err(Error::wrong(line, format!("a batch was answered with {answer}")));
            }
        }
        Ok(())
    }
}
