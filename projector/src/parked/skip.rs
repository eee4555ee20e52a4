//! `projector parked skip POSITION --because TEXT`: publishes the decision, and waits until replicas have gone on.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use contract::announcement::Progress;
use contract::control::Parked;
use contract::{Envelope, Event, Position};
use futures::future::join_all;
use replica::SCHEMA_LIVE;
use serde::Serialize;
use service::Config;
use service::config;
use service::telemetry::say;
use sqlx::{Connection as _, PgConnection, Row};
use stream::{Link, Message, Placed, StoredEvent};

use super::plan::{Plan, Replica, Seen, Stands, plan};
use crate::generation;
use crate::parking::Decisions;
use crate::record::{Record, operator};
use crate::resources::catalogue::STATE;
use crate::status;

/// How long the stream may take to acknowledge the decision.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);
/// How long a replica's database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long replicas may take to go on: one that is stopped looks every five seconds.
const GO_ON: Duration = Duration::from_secs(30);

/// What was asked for.
pub(super) struct Asked {
    pub(super) position: Position,
    pub(super) because: String,
    pub(super) force: bool,
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    position: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    because: &'a str,
    sender: String,
    dry_run: bool,
    /// Where the decision lies.
    decision: Option<u64>,
    /// Replicas that are past the event with it parked.
    went_on: Vec<String>,
    /// Replicas that live and have not gone on in time.
    waiting: Vec<String>,
    must_be_rebuilt: &'a [String],
    /// Replicas that could not be asked, and why.
    unknown: &'a [(String, String)],
}

/// Parks an event.
///
/// # Errors
/// Why it is refused, or did not happen.
pub(super) async fn skip(config: &Config, link: &Link, asked: Asked) -> Result<(), Box<dyn Error>> {
    let decisions = Decisions::read(link).await?;
    let (heard, head) = (status::listen(link).await?, link.head().await?);
    let replicas = join_all(config.replicas.iter().map(|replica| look(replica, link, &heard))).await;
    let event = find(link, asked.position, head).await?;
    let decoded = event.as_ref().and_then(|event| event.decode().ok()).map(|(_, event)| event);
    let decided = decisions.about(asked.position);
    let seen = Seen {
        position: asked.position,
        because: &asked.because,
        force: asked.force,
        first: link.first(),
        head,
        subject: event.as_ref().map(|event| event.subject.as_str()),
        event: decoded.as_ref(),
        decided: decided.as_ref(),
        replicas: &replicas,
    };
    let plan = plan(&seen)?;
    let because = asked.because.trim();
    let mut report = Report {
        schema_version: 1,
        position: asked.position.0,
        event_type: &plan.event_type,
        because,
        sender: operator(),
        dry_run: asked.dry_run,
        decision: None,
        went_on: Vec::new(),
        waiting: Vec::new(),
        must_be_rebuilt: &plan.rebuild,
        unknown: &plan.unknown,
    };
    if !asked.json {
        tell_plan(&plan, &asked);
    }
    if !asked.dry_run {
        let records = begin_records(config).await;
        let decided = decide(link, &asked, &report.sender, decisions.last()).await;
        let outcome = decided
            .as_ref()
            .map_or_else(ToString::to_string, |placed| format!("decision {}", placed.position));
        for record in records {
            record.end(&outcome).await;
        }
        let placed = decided?;
        report.decision = Some(placed.position.0);
        if !asked.json {
            println!("event {} is parked: decision {}", asked.position, placed.position);
        }
        let live: Vec<&str> =
            plan.go_on.iter().map(String::as_str).filter(|name| heard.contains_key(*name)).collect();
        (report.went_on, report.waiting) = wait(link, &live, asked.position).await?;
    }
    if asked.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for name in &report.went_on {
            println!("replica {name} has gone on behind it");
        }
    }
    if report.waiting.is_empty() {
        return Ok(());
    }
    let (waiting, seconds) = (report.waiting.join(" and replica "), GO_ON.as_secs());
    Err(format!(
        "the decision is in the stream, but replica {waiting} did not come past the event within {seconds} s: see projector \
         status"
    )
    .into())
}

/// The event, if there is one at the position.
async fn find(link: &Link, position: Position, head: Position) -> stream::Result<Option<StoredEvent>> {
    if position < link.first() || position > head {
        return Ok(None);
    }
    link.read(position).await.map(Some)
}

async fn look(replica: &config::Replica, link: &Link, heard: &HashMap<String, Progress>) -> Replica {
    let heard = heard.get(&replica.name).cloned();
    let stands = match tokio::time::timeout(PATIENCE, stands(replica, link)).await {
        Ok(stands) => stands.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    // Another life of the stream has other positions.
    let heard = heard.filter(|progress| progress.epoch == *link.epoch());
    Replica { name: replica.name.clone(), heard, stands }
}

async fn stands(replica: &config::Replica, link: &Link) -> Result<Stands, Box<dyn Error + Send + Sync>> {
    let mut connection = PgConnection::connect_with(&generation::applying(replica, SCHEMA_LIVE)?).await?;
    let checkpoint = replica::read_checkpoint(&mut connection).await?;
    if checkpoint.epoch != *link.epoch() {
        return Err(format!(
            "it follows epoch {}, and the stream is of epoch {}",
            checkpoint.epoch,
            link.epoch()
        )
        .into());
    }
    let state = sqlx::query(STATE).fetch_optional(&mut connection).await?;
    connection.close().await?;
    let catalogue_closed = state.map_or(Ok(false), |row| row.try_get("closed"))?;
    Ok(Stands { position: checkpoint.position, catalogue_closed })
}

/// Nobody else may have decided meanwhile.
async fn decide(
    link: &Link,
    asked: &Asked,
    sender: &str,
    last: Option<Position>,
) -> Result<Placed, Box<dyn Error>> {
    let because = asked.because.trim().to_owned();
    let event = Event::ControlParked(Parked { position: asked.position, because, sender: sender.to_owned() });
    let envelope =
        Envelope::new(uuid::Uuid::now_v7().simple().to_string(), service::time::now(), "/atelier/projector");
    let message = Message::new(&envelope, &event).expecting_last_on_subject(last.map_or(0, |last| last.0));
    match link.publish(&message, ACKNOWLEDGE).await {
        Ok(placed) => Ok(placed),
        Err(stream::Failure::Refused { code: stream::Failure::WRONG_LAST, .. }) => {
            Err("somebody else has just decided something: look at projector parked list, then try again".into())
        }
        Err(failure @ stream::Failure::Refused { .. }) => {
            Err(format!("the decision was not stored: {failure}").into())
        }
        Err(failure @ stream::Failure::Unanswered(_)) => Err(format!(
            "it is not known whether the decision was stored: {failure}. See projector parked list, then try again"
        )
        .into()),
    }
}

/// On every replica that can be asked: who did it is told by the decision, too.
async fn begin_records(config: &Config) -> Vec<Record> {
    let begun = join_all(config.replicas.iter().map(async |replica| {
        match tokio::time::timeout(PATIENCE, Record::begin(replica, "parked skip")).await {
            Ok(Ok(record)) => Some(record),
            Ok(Err(error)) => {
                tracing::warn!(replica = replica.name, %error, "the operation could not be put on record here");
                None
            }
            Err(_) => None,
        }
    }));
    begun.await.into_iter().flatten().collect()
}

/// Waits until live replicas are past the event: which are, and which are not.
async fn wait(
    link: &Link,
    live: &[&str],
    event: Position,
) -> Result<(Vec<String>, Vec<String>), stream::Error> {
    let mut waiting: Vec<&str> = live.to_vec();
    let mut went_on: Vec<String> = Vec::new();
    let begun = Instant::now();
    let mut announcements = link.listen().await?;
    if !waiting.is_empty() {
        say("waiting until replicas go on; one that is stopped looks every five seconds");
    }
    while !waiting.is_empty() {
        let left = GO_ON.saturating_sub(begun.elapsed());
        let Ok(Some((replica, progress))) = tokio::time::timeout(left, announcements.next()).await else {
            break;
        };
        let past = progress.epoch == *link.epoch() && progress.position >= event;
        if past && waiting.contains(&replica.as_str()) {
            waiting.retain(|name| *name != replica);
            went_on.push(replica);
        }
    }
    went_on.sort();
    Ok((went_on, waiting.into_iter().map(str::to_owned).collect()))
}

fn tell_plan(plan: &Plan, asked: &Asked) {
    let Asked { position, dry_run, .. } = asked;
    let would = if *dry_run { "would be parked" } else { "is to be parked" };
    println!("event {position}, {}, {would}: rejected on every replica, whatever it holds", plan.event_type);
    for name in &plan.go_on {
        println!("replica {name} has not applied it: it goes on behind it");
    }
    for name in &plan.rebuild {
        println!("replica {name} HAS applied it: it stops at the decision until it is made anew:");
        println!("  projector rebuild --replica {name} --from stream");
    }
    for (name, why) in &plan.unknown {
        println!(
            "replica {name} could not be asked ({why}): if it has applied the event it says so and must be made anew"
        );
    }
}
