//! The writer's group commit, in this process: events from many callers, each of whom waits for its position.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::{Envelope, Event};
use futures::future::join_all;
use service::config::Writer;
use stream::{Connection, Message, Settings};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writer::Commits;

use crate::error::Error;
use crate::figures::{Measured, percentile};
use crate::private::Private;

/// Callers that commit one event after the other.
#[derive(Clone)]
pub(crate) struct Committed {
    commits: Commits,
    callers: usize,
    envelope: Envelope,
    event: Event,
}

impl Committed {
    /// Copies the event at a position of the project's stream.
    ///
    /// # Errors
    /// When the stream cannot be used.
    pub(crate) async fn prepare(
        private: &Private,
        position: u64,
        callers: usize,
        settings_of_writer: &Writer,
    ) -> Result<Self, Error> {
        let settings = Settings {
            url: private.system.nats_url(),
            monitor_url: private.system.nats_monitor_url(),
            accept_acknowledgement_before_sync: false,
            hashing_key: None,
        };
        let connection = Connection::open(settings, "atelier bench", CancellationToken::new());
        let failed = |error: String| Error::said(format!("the stream cannot be used: {error}"));
        let link = connection.verified().await.map_err(|error| failed(error.to_string()))?;
        let stored =
            link.read(contract::Position(position)).await.map_err(|error| failed(error.to_string()))?;
        let (envelope, event) = stored.decode().map_err(|error| failed(error.to_string()))?;
        let commits = Commits::start(settings_of_writer, connection);
        Ok(Self { commits, callers, envelope, event })
    }

    pub(super) async fn measure(
        &self,
        private: &Private,
        line: &str,
        duration: Duration,
    ) -> Result<Measured, Error> {
        let before = private.stream_head().await?;
        let started = Instant::now();
        // As a writer's requests: each a task of its own.
        let callers =
            (0..self.callers).map(|_| tokio::spawn(self.clone().call(line.to_owned(), started, duration)));
        let mut latencies = Vec::new();
        for of_one in join_all(callers).await {
            latencies.extend(of_one.map_err(|_| Error::wrong(line, "a caller panicked"))??);
        }
        let seconds = started.elapsed().as_secs_f64();
        let count = latencies.len() as u64;
        let stored = private.stream_head().await? - before;
        if stored != count || count == 0 {
            return Err(Error::wrong(
                line,
                format!("{count} events were committed, and {stored} are stored"),
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

    async fn call(self, line: String, started: Instant, duration: Duration) -> Result<Vec<f64>, Error> {
        let mut latencies = Vec::new();
        while started.elapsed() < duration {
            let envelope = Envelope { id: Uuid::now_v7().simple().to_string(), ..self.envelope.clone() };
            let sent = Instant::now();
            let committed = self.commits.commit(Message::new(&envelope, &self.event)).await;
            let committed = committed.map_err(|error| Error::wrong(&line, error.to_string()))?;
            if committed.duplicate {
                return Err(Error::wrong(&line, "an event was taken for a duplicate"));
            }
            latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(latencies)
    }
}
