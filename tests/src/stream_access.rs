//! Straight to the stream, past the writers: for events that no writer would let through.

use std::time::Duration;

use contract::{Envelope, Event, Millis};
use local::System;
use stream::{Connection, Link, Message, Placed, Settings};
use tokio_util::sync::CancellationToken;

use crate::wire;

const ACKNOWLEDGE: Duration = Duration::from_secs(5);

/// A verified connection to a system's stream; it lives as long as the test's runtime.
///
/// # Panics
/// When the stream must not be used as it is.
pub async fn link(system: &System) -> Link {
    let settings = Settings {
        url: system.nats_url(),
        monitor_url: system.nats_monitor_url(),
        accept_acknowledgement_before_sync: false,
        hashing_key: None,
    };
    let connection = Connection::open(settings, "a test", CancellationToken::new());
    connection.verified().await.unwrap_or_else(|error| panic!("{error}"))
}

/// Deletes a system's stream.
///
/// # Panics
/// When nats-server does not.
pub async fn delete(system: &System) {
    let url = system.nats_url();
    let deleted = wire::request(&url, "$JS.API.STREAM.DELETE.ATELIER", &Default::default(), b"").await;
    assert_eq!(deleted["success"], true, "{deleted}");
}

/// Publishes an event under a message id.
///
/// # Panics
/// When it is not stored.
pub async fn publish(link: &Link, id: &str, time: Millis, event: &Event) -> Placed {
    publish_enveloped(link, &Envelope::new(id.to_owned(), time, "/atelier/test"), event).await
}

/// Publishes an event with all its attributes.
///
/// # Panics
/// When it is not stored.
pub async fn publish_enveloped(link: &Link, envelope: &Envelope, event: &Event) -> Placed {
    let placed = link.publish(&Message::new(envelope, event), ACKNOWLEDGE).await;
    placed.unwrap_or_else(|error| panic!("{error}"))
}
