//! The stream as it lies there, read event by event for the checkers.

use std::fmt::Write;
use std::time::Duration;

use contract::{Event, Idempotency, Position};
use local::System;
use stream::{Connection, Link, Settings};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long nats-server may take to answer after a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// In the configuration of a system that takes a nats-server which acknowledges before its data is on disk.
pub(crate) const ACCEPTED: &str = "accept_acknowledgement_before_sync = true";

/// One event of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) position: i64,
    /// The message id.
    pub(crate) id: String,
    /// When the broker stored it, in milliseconds since 1970.
    pub(crate) stored: i64,
    /// When it was made.
    pub(crate) time: i64,
    pub(crate) key: Option<Idempotency>,
    /// As a checkpoint remembers it.
    pub(crate) hash: Vec<u8>,
    pub(crate) event: Event,
}

/// A connection of our own to a system's stream; it ends when this is dropped.
pub(crate) struct Reading {
    pub(crate) link: Link,
    _stop: DropGuard,
}

impl Reading {
    /// Connects.
    ///
    /// # Errors
    /// When the stream must not be used as it is, or nats-server does not answer.
    pub(crate) async fn open(system: &System) -> Result<Reading, String> {
        let settings = settings(system);
        let stop = CancellationToken::new();
        let connection = Connection::open(settings, "the fault suite", stop.clone());
        let link = tokio::time::timeout(PATIENCE, connection.verified()).await;
        let link = link.map_err(|_| "nats-server does not answer".to_owned())?;
        let link = link.map_err(|error| format!("the stream cannot be read: {error}"))?;
        Ok(Reading { link, _stop: stop.drop_guard() })
    }

    /// All events behind a position, up to the head.
    ///
    /// # Errors
    /// When one is missing or unreadable, or nats-server does not answer.
    pub(crate) async fn behind(&self, position: i64) -> Result<Vec<Logged>, String> {
        let said = |error: stream::Error| format!("the stream cannot be read: {error}");
        let head = self.link.head().await.map_err(said)?.as_i64();
        let mut events = Vec::new();
        if head <= position {
            return Ok(events);
        }
        let mut follower = self.link.follow(Position::from_i64(position + 1)).await.map_err(said)?;
        while events.last().is_none_or(|last: &Logged| last.position < head) {
            let next = tokio::time::timeout(PATIENCE, follower.next()).await;
            let stored = next.map_err(|_| "the stream delivers nothing".to_owned())?.map_err(said)?;
            let (envelope, event) = stored.decode().map_err(said)?;
            events.push(Logged {
                position: stored.position.as_i64(),
                id: envelope.id,
                stored: stored.stored.0,
                time: envelope.time.0,
                key: envelope.idempotency,
                hash: stored.hash().to_vec(),
                event,
            });
        }
        Ok(events)
    }

    /// The stream's last position.
    ///
    /// # Errors
    /// When nats-server does not answer.
    pub(crate) async fn head(&self) -> Result<i64, String> {
        self.link.head().await.map(Position::as_i64).map_err(|error| error.to_string())
    }
}

/// How the stream of a system is reached.
pub(crate) fn settings(system: &System) -> Settings {
    let configuration = std::fs::read_to_string(system.config_path()).unwrap_or_default();
    Settings {
        url: system.nats_url(),
        monitor_url: system.nats_monitor_url(),
        accept_acknowledgement_before_sync: configuration.contains(ACCEPTED),
        hashing_key: None,
    }
}

/// A line for each event.
pub(crate) fn dump(events: &[Logged]) -> String {
    let mut text = String::new();
    for logged in events {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{} {} {} key={} {}",
            logged.position,
            logged.id,
            logged.event.type_name(),
            logged.key.as_ref().map_or("-", |key| &key.key),
            String::from_utf8_lossy(&logged.event.payload())
        );
    }
    text
}
