//! `projector parked list|show|skip`: operators' decisions that an event is not to be applied, by any replica.

mod plan;
mod show;
mod skip;

use std::error::Error;

use clap::Subcommand;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use contract::Position;
use serde::Serialize;
use service::Config;
use tokio_util::sync::CancellationToken;

use crate::parking::{Decision, Decisions};
use crate::rebuild::connect;

/// A table that fits a terminal.
const WIDTH: u16 = 100;

/// What to do with events that are parked, or are to be.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show all decisions: which event, who decided it, when and why
    List {
        #[command(flatten)]
        config: service::config::Arguments,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Show one decision, the event itself, and what each replica has made of it
    Show {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The event's position
        position: u64,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Decide that an event is not to be applied by any replica: it counts as rejected. It cannot be taken back
    Skip {
        #[command(flatten)]
        config: service::config::Arguments,
        /// The event's position
        position: u64,
        /// Why, for whoever looks at it later
        #[arg(long, value_name = "TEXT")]
        because: String,
        /// Also when a replica has applied it: that one stops at the decision and must be rebuilt
        #[arg(long)]
        force: bool,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON for programs
        #[arg(long)]
        json: bool,
    },
}

impl Verb {
    pub(crate) fn config(&self) -> &service::config::Arguments {
        match self {
            Verb::List { config, .. } | Verb::Show { config, .. } | Verb::Skip { config, .. } => config,
        }
    }
}

/// A decision, for programs.
#[derive(Clone, Debug, Serialize)]
struct Parked {
    /// The event.
    position: u64,
    /// As its subject names it; null when the stream does not give it any more.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Where the decision lies.
    decision: u64,
    decided: String,
    sender: String,
    because: String,
}

#[derive(Serialize)]
struct List {
    schema_version: u32,
    parked: Vec<Parked>,
}

/// Does it.
///
/// # Errors
/// When the stream cannot be asked, there is no such decision, or it is refused.
pub(crate) async fn parked(config: &Config, verb: Verb) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = connect(config, "atelier projector parked", stop).await?;
    match verb {
        Verb::List { json, .. } => list(&link, json).await,
        Verb::Show { position, json, .. } => show::show(config, &link, Position(position), json).await,
        Verb::Skip { position, because, force, dry_run, json, .. } => {
            let asked = skip::Asked { position: Position(position), because, force, dry_run, json };
            skip::skip(config, &link, asked).await
        }
    }
}

async fn list(link: &stream::Link, json: bool) -> Result<(), Box<dyn Error>> {
    let mut parked = Vec::new();
    for decision in Decisions::read(link).await?.all() {
        parked.push(told(link, &decision).await?);
    }
    let list = List { schema_version: 1, parked };
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    if list.parked.is_empty() {
        println!("no event is parked");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(["event", "type", "decided", "by", "because"]);
    for Parked { position, event_type, decided, sender, because, .. } in &list.parked {
        let event_type = event_type.as_deref().unwrap_or("lost from the stream");
        table.add_row([&position.to_string(), event_type, decided, sender, because]);
    }
    println!("{}", table.trim_fmt());
    Ok(())
}

/// A decision with what the stream knows of its event.
async fn told(link: &stream::Link, decision: &Decision) -> stream::Result<Parked> {
    let event_type = match link.read(decision.parked.position).await {
        Ok(event) => Some(contract::subject::event_type(&event.subject)),
        Err(stream::Error::Missing(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(Parked {
        position: decision.parked.position.0,
        event_type,
        decision: decision.at.0,
        decided: decision.stored.to_string(),
        sender: decision.parked.sender.clone(),
        because: decision.parked.because.clone(),
    })
}
