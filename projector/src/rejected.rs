//! `projector rejected list|show`: the events that a replica rejected on record, and why.

mod stored;

use std::error::Error;

use clap::Subcommand;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use contract::Position;
use replica::{Role, SCHEMA_LIVE, connect_options, read_checkpoint};
use serde::Serialize;
use service::Config;
use service::config::Replica;
use sqlx::{Connection as _, PgConnection, Row};
use tokio_util::sync::CancellationToken;

pub(crate) use self::stored::Stored;
use crate::rebuild::connect;

const LIST: &str = include_str!("rejected/list.sql");
const ONE: &str = include_str!("rejected/one.sql");

/// What to do with rejections.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the events that a replica rejected, the newest first
    List {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only those before this position: the last one that was shown, for the next page
        #[arg(long, value_name = "POSITION")]
        before: Option<u64>,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Show one rejection, and the event itself as it lies in the stream
    Show {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The replica's name in the configuration
        #[arg(long)]
        replica: String,
        /// The event's position
        position: u64,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
}

impl Verb {
    pub(crate) fn config(&self) -> &service::config::Arguments {
        match self {
            Verb::List { config, .. } | Verb::Show { config, .. } => config,
        }
    }
}

#[derive(Serialize)]
struct List {
    schema_version: u32,
    replica: String,
    /// Where the replica stands: what lies behind it is not decided yet.
    position: u64,
    rejections: Vec<Rejection>,
    /// For `--before`, when there are more.
    next: Option<u64>,
}

#[derive(Serialize)]
struct Rejection {
    position: u64,
    #[serde(rename = "type")]
    event_type: String,
    reason: String,
}

#[derive(Serialize)]
struct Show {
    schema_version: u32,
    replica: String,
    rejection: Rejection,
    event: Stored,
}

/// Does it.
///
/// # Errors
/// When the replica or the stream cannot be asked, or the event was not rejected.
pub(crate) async fn rejected(config: &Config, verb: Verb) -> Result<(), Box<dyn Error>> {
    match verb {
        Verb::List { replica, limit, before, json, .. } => {
            list(config.replica(&replica)?, limit, before, json).await
        }
        Verb::Show { replica, position, json, .. } => {
            show(config, config.replica(&replica)?, Position(position), json).await
        }
    }
}

async fn list(replica: &Replica, limit: u32, before: Option<u64>, json: bool) -> Result<(), Box<dyn Error>> {
    let mut connection = open(replica).await?;
    let checkpoint = read_checkpoint(&mut connection).await?;
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let asked = i64::from(limit) + 1;
    let rows = sqlx::query(LIST).bind(before).bind(asked).fetch_all(&mut connection).await?;
    connection.close().await?;
    let more = rows.len() > limit as usize;
    let mut rejections = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        rejections.push(Rejection {
            position: Position::from_i64(row.try_get("position")?).0,
            event_type: row.try_get("event_type")?,
            reason: row.try_get("reason")?,
        });
    }
    let next = rejections.last().filter(|_| more).map(|last| last.position);
    let (replica, position) = (replica.name.clone(), checkpoint.position.0);
    let list = List { schema_version: 1, replica, position, rejections, next };
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    if list.rejections.is_empty() {
        println!("replica {} has rejected nothing up to {position}", list.replica);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["position", "event type", "reason"]);
    for Rejection { position, event_type, reason } in &list.rejections {
        table.add_row([&position.to_string(), event_type, reason]);
    }
    println!("{}", table.trim_fmt());
    if let Some(next) = list.next {
        println!("more: projector rejected list --replica {} --before {next}", list.replica);
    }
    Ok(())
}

async fn show(
    config: &Config,
    replica: &Replica,
    position: Position,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let Some(rejection) = find(replica, position).await? else {
        let stands = read_checkpoint(&mut open(replica).await?).await?.position;
        let name = &replica.name;
        let said = match position > stands {
            true => format!(
                "replica {name} has not come to {position}: it stands at {stands}; see projector status"
            ),
            false => format!(
                "replica {name} has not rejected event {position}; projector rejected list --replica {name} shows what it has"
            ),
        };
        return Err(said.into());
    };
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = connect(config, "atelier projector rejected", stop).await?;
    let event = Stored::of(&link.read(position).await?);
    let show = Show { schema_version: 1, replica: replica.name.clone(), rejection, event };
    if json {
        println!("{}", serde_json::to_string_pretty(&show)?);
        return Ok(());
    }
    println!("event {position}: rejected by replica {}, reason {}", show.replica, show.rejection.reason);
    println!("{}", show.event);
    Ok(())
}

async fn find(replica: &Replica, position: Position) -> Result<Option<Rejection>, replica::Error> {
    let mut connection = open(replica).await?;
    let row = sqlx::query(ONE).bind(position.as_i64()).fetch_optional(&mut connection).await?;
    connection.close().await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Rejection {
        position: position.0,
        event_type: row.try_get("event_type")?,
        reason: row.try_get("reason")?,
    }))
}

/// Why a replica rejected an event; none when it did not.
///
/// # Errors
/// When its database fails.
pub(crate) async fn reason(replica: &Replica, position: Position) -> Result<Option<String>, replica::Error> {
    Ok(find(replica, position).await?.map(|rejection| rejection.reason))
}

async fn open(replica: &Replica) -> Result<PgConnection, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector rejected")?;
    Ok(PgConnection::connect_with(&options.options([("search_path", SCHEMA_LIVE)])).await?)
}
