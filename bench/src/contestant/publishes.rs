//! Plain publishes from a loop: what nats-server itself gives when every acknowledgement comes after an fsync.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, StorageType};
use bytes::Bytes;
use contract::envelope::names::MESSAGE_ID;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::error::Error;
use crate::figures::{Measured, percentile};

const STREAM: &str = "BENCH";
pub(super) const SUBJECT: &str = "bench.publish";

/// Messages that all lines have published: they share the stream, and no id may come twice.
static PUBLISHED: AtomicU64 = AtomicU64::new(0);

/// A message like those that the writer publishes, and a stream like the one that it publishes to.
pub(crate) struct Publishes {
    context: Context,
    in_flight: usize,
    headers: HeaderMap,
    payload: Bytes,
}

impl Publishes {
    /// Copies an event of the project's stream, and the stream's settings.
    ///
    /// # Errors
    /// When nats-server refuses.
    pub(crate) async fn prepare(context: &Context, position: u64, in_flight: usize) -> Result<Self, Error> {
        let model = context
            .get_stream(contract::subject::STREAM)
            .await
            .map_err(|error| Error::failed("describe the stream")(error.into()))?;
        let event = model
            .direct_get(position)
            .await
            .map_err(|error| Error::failed(format!("read event {position}"))(error.into()))?;
        context
            .create_stream(like(model.cached_info()))
            .await
            .map_err(|error| Error::failed("create the stream of the reference")(error.into()))?;
        // What the server adds when it is read is not published again.
        let headers = event
            .headers
            .iter()
            .filter(|(name, _)| {
                let name: &str = name.as_ref();
                name == MESSAGE_ID || !name.starts_with("Nats-")
            })
            .flat_map(|(name, values)| values.iter().map(move |value| (name.clone(), value.clone())))
            .collect();
        Ok(Self { context: context.clone(), in_flight, headers, payload: event.payload })
    }

    /// The size of a message: payload, and header lines with their names.
    pub(crate) fn bytes(&self) -> usize {
        let headers = self.headers.iter().flat_map(|(name, values)| {
            let name: &str = name.as_ref();
            // `Name: value` and the end of the line.
            values.iter().map(move |value| name.len() + value.as_str().len() + 4)
        });
        self.payload.len() + headers.sum::<usize>()
    }

    pub(super) fn client(&self) -> async_nats::Client {
        self.context.client()
    }

    pub(super) fn payload(&self) -> Bytes {
        self.payload.clone()
    }

    pub(super) async fn measure(&self, line: &str, duration: Duration) -> Result<Measured, Error> {
        let before = self.stored().await?;
        let started = Instant::now();
        let mut in_flight = FuturesUnordered::new();
        let mut latencies = Vec::new();
        loop {
            while in_flight.len() < self.in_flight && started.elapsed() < duration {
                let sent = Instant::now();
                let acknowledgement = self
                    .context
                    .publish_with_headers(SUBJECT, self.next_headers(), self.payload.clone())
                    .await
                    .map_err(|error| Error::failed("publish")(error.into()))?;
                in_flight.push(async move { (sent, acknowledgement.await, Instant::now()) });
            }
            let Some((sent, acknowledgement, heard)) = in_flight.next().await else {
                break;
            };
            let acknowledgement =
                acknowledgement.map_err(|error| Error::failed("hear from nats-server")(error.into()))?;
            if acknowledgement.duplicate {
                return Err(Error::wrong(line, "a message was taken for a duplicate"));
            }
            latencies.push((heard - sent).as_secs_f64() * 1000.0);
        }
        let seconds = started.elapsed().as_secs_f64();
        let count = latencies.len() as u64;
        let stored = self.stored().await? - before;
        if stored != count || count == 0 {
            return Err(Error::wrong(
                line,
                format!("{count} publishes were acknowledged, and {stored} are stored"),
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

    /// The model's headers with a message id of the same length that was not used before.
    pub(super) fn next_headers(&self) -> HeaderMap {
        let number = PUBLISHED.fetch_add(1, Ordering::Relaxed);
        let length = self.headers.get(MESSAGE_ID).map_or(0, |id| id.as_str().len());
        let mut headers = self.headers.clone();
        headers.insert(MESSAGE_ID, format!("{number:0length$}"));
        headers
    }

    /// Messages in the stream.
    pub(super) async fn stored(&self) -> Result<u64, Error> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::failed("describe the stream of the reference")(error)
        };
        let stream = self.context.get_stream(STREAM).await.map_err(|error| failed(error.into()))?;
        Ok(stream.cached_info().state.messages)
    }
}

fn like(model: &Info) -> Config {
    let found = &model.config;
    Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECT.to_owned()],
        storage: StorageType::File,
        retention: found.retention,
        discard: DiscardPolicy::New,
        max_bytes: -1,
        deny_delete: found.deny_delete,
        deny_purge: found.deny_purge,
        allow_direct: found.allow_direct,
        allow_atomic_publish: found.allow_atomic_publish,
        num_replicas: found.num_replicas,
        duplicate_window: found.duplicate_window,
        metadata: HashMap::new(),
        ..Config::default()
    }
}
