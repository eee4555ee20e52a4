//! `projector probe`: a marker through the whole system, timed.

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use contract::control::Probe;
use contract::{Envelope, Event};
use serde::Serialize;
use service::Config;
use stream::{Connection, Message};
use tokio_util::sync::CancellationToken;

/// How long replicas may take to apply the marker.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the stream may take to acknowledge it.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Report {
    schema_version: u32,
    position: u64,
    durable_ms: f64,
    applied_ms: Option<f64>,
    applied: usize,
    replicas: usize,
    missing: Vec<String>,
}

/// Sends the marker and waits until every configured replica has announced that it is past it.
pub(crate) async fn probe(config: &Config, json: bool) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let connection = Connection::open(config.stream_settings(), "atelier projector probe", stop);
    let link =
        tokio::time::timeout(ACKNOWLEDGE, connection.verified()).await.map_err(|_| {
            match connection.current() {
                Err(error) => error.to_string(),
                Ok(_) => "nats-server was slow to answer".to_owned(),
            }
        })??;
    let mut announcements = link.listen().await?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let event = Event::ControlProbe(Probe { sender: "projector probe".to_owned() });
    let message = Message::new(&Envelope::new(id, service::time::now(), "/atelier/projector"), &event);
    let started = Instant::now();
    let placed = link.publish(&message, ACKNOWLEDGE).await?;
    let durable = started.elapsed();

    let mut missing: HashSet<&str> = config.replicas.iter().map(|replica| replica.name.as_str()).collect();
    let end = tokio::time::sleep(PATIENCE);
    tokio::pin!(end);
    while !missing.is_empty() {
        tokio::select! {
            announced = announcements.next() => match announced {
                Some((replica, progress)) if progress.position >= placed.position && progress.epoch == *link.epoch() => {
                    missing.remove(replica.as_str());
                }
                Some(_) => {}
                None => break,
            },
            () = &mut end => break,
        }
    }
    let milliseconds = |time: Duration| (time.as_secs_f64() * 10_000.0).round() / 10.0;
    let mut missing: Vec<String> = missing.into_iter().map(str::to_owned).collect();
    missing.sort();
    let report = Report {
        schema_version: 1,
        position: placed.position.0,
        durable_ms: milliseconds(durable),
        applied_ms: missing.is_empty().then(|| milliseconds(started.elapsed())),
        applied: config.replicas.len() - missing.len(),
        replicas: config.replicas.len(),
        missing,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let Report { position, durable_ms, applied, replicas, .. } = &report;
        let applied_ms = report.applied_ms.map_or(String::new(), |ms| format!(" in {ms:.1} ms"));
        println!(
            "probe event {position}: durable in {durable_ms:.1} ms, applied on {applied} of {replicas} replicas{applied_ms}"
        );
    }
    if report.missing.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "not applied within {} s on: {}. See `projector status`",
            PATIENCE.as_secs(),
            report.missing.join(", ")
        )
        .into())
    }
}
