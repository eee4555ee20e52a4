//! `projector parked show POSITION`.

use std::error::Error;

use contract::Position;
use futures::future::join_all;
use serde::Serialize;
use service::Config;
use service::config::Replica;
use stream::Link;

use super::{Parked, told};
use crate::parking::Decisions;
use crate::rejected::{Stored, reason};
use crate::status::position_of;

#[derive(Serialize)]
struct Show {
    schema_version: u32,
    parked: Parked,
    event: Option<Stored>,
    replicas: Vec<ReplicaShow>,
}

#[derive(Serialize)]
struct ReplicaShow {
    name: String,
    /// `parked`, `not there yet`, `applied`, or `unknown`.
    outcome: &'static str,
    position: Option<u64>,
    why: String,
}

/// Shows one decision, its event, and what each replica has made of it.
///
/// # Errors
/// When there is no such decision, or the stream cannot be asked.
pub(super) async fn show(
    config: &Config,
    link: &Link,
    position: Position,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let Some(decision) = Decisions::read(link).await?.about(position) else {
        return Err(format!("event {position} is not parked; projector parked list shows what is").into());
    };
    let event = match link.read(position).await {
        Ok(event) => Some(Stored::of(&event)),
        Err(stream::Error::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let replicas = join_all(config.replicas.iter().map(|replica| look(replica, position, decision.at))).await;
    let show = Show { schema_version: 1, parked: told(link, &decision).await?, event, replicas };
    if json {
        println!("{}", serde_json::to_string_pretty(&show)?);
        return Ok(());
    }
    let Parked { position, decision, decided, sender, because, .. } = &show.parked;
    println!("event {position} is parked: decided by {sender} at {decided} (event {decision})");
    println!("because   {because}");
    for ReplicaShow { name, outcome, why, .. } in &show.replicas {
        println!(
            "replica {name}: {outcome}{}",
            if why.is_empty() { String::new() } else { format!(", {why}") }
        );
    }
    match &show.event {
        Some(event) => println!("{event}"),
        None => println!("the event itself is lost from the stream: see projector doctor"),
    }
    Ok(())
}

async fn look(replica: &Replica, event: Position, decision: Position) -> ReplicaShow {
    let name = replica.name.clone();
    let stands = match position_of(replica).await {
        Ok(stands) => stands,
        Err(why) => return ReplicaShow { name, outcome: "unknown", position: None, why },
    };
    let position = Some(stands.0);
    if stands < event {
        return ReplicaShow {
            name,
            outcome: "not there yet",
            position,
            why: format!("it stands at {stands}"),
        };
    }
    match reason(replica, event).await {
        Ok(Some(reason)) if reason == "parked" => {
            ReplicaShow { name, outcome: "parked", position, why: String::new() }
        }
        Ok(_) => {
            let stops = if stands < decision { "it stops at the decision; " } else { "" };
            let why =
                format!("{stops}it must be made anew: projector rebuild --replica {name} --from stream");
            ReplicaShow { name, outcome: "applied", position, why }
        }
        Err(error) => ReplicaShow { name, outcome: "unknown", position, why: error.to_string() },
    }
}
