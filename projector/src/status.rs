//! `projector status`: every replica, its state and why, position, and how far it is behind.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use contract::Position;
use contract::announcement::{ImportProgress, Progress, State};
use replica::{Role, SCHEMA_LIVE, connect_options, read_checkpoint};
use serde::Serialize;
use service::Config;
use service::config::{Piece, Replica, Stage};
use sqlx::{Connection as _, PgConnection};
use stream::{Connection, Link};
use tokio_util::sync::CancellationToken;

/// Replicas announce themselves at least every 250 ms.
const LISTEN: Duration = Duration::from_millis(600);
/// How long a server may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Serialize)]
struct Report {
    schema_version: u32,
    epoch: Option<String>,
    head: Option<u64>,
    replicas: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    name: String,
    state: String,
    position: Option<u64>,
    behind_events: Option<u64>,
    behind_seconds: Option<f64>,
    why: String,
    /// While it is importing.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<ImportProgress>,
}

/// Prints a table, or JSON.
pub(crate) async fn status(config: &Config, json: bool) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let connection = Connection::open(config.stream_settings(), "atelier projector status", stop);
    let link = tokio::time::timeout(PATIENCE, connection.verified()).await;
    let link = match link {
        Ok(Ok(link)) => Some(link),
        Ok(Err(refusal)) => return Err(refusal.into()),
        Err(_) => None,
    };
    // What it says of itself tells more than its silence.
    let away = match connection.current() {
        Err(error) if matches!(*error, stream::Error::Unhealthy { .. }) => error.to_string(),
        _ => "nats-server does not answer".to_owned(),
    };
    let heard = match &link {
        Some(link) => listen(link).await?,
        None => HashMap::new(),
    };
    let head = match &link {
        Some(link) => Some(link.head().await?),
        None => None,
    };
    let mut replicas = Vec::new();
    for replica in &config.replicas {
        let line = match heard.get(&replica.name) {
            Some(progress) => heard_line(replica, progress, head, link.as_ref()).await,
            None => silent_line(replica, head, link.as_ref(), &away).await,
        };
        replicas.push(line);
    }
    replicas.extend(config.pieces.iter().filter_map(|piece| passing(piece, heard.get(&piece.name))));
    let epoch = link.as_ref().map(|link| link.epoch().to_string());
    let report = Report { schema_version: 1, epoch, head: head.map(|head| head.0), replicas };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, &away);
    }
    Ok(())
}

/// What replicas announce within a moment.
pub(crate) async fn listen(link: &Link) -> stream::Result<HashMap<String, Progress>> {
    let mut announcements = link.listen().await?;
    let mut heard = HashMap::new();
    let end = tokio::time::sleep(LISTEN);
    tokio::pin!(end);
    loop {
        tokio::select! {
            announced = announcements.next() => match announced {
                Some((replica, progress)) => drop(heard.insert(replica, progress)),
                None => return Ok(heard),
            },
            () = &mut end => return Ok(heard),
        }
    }
}

async fn heard_line(
    replica: &Replica,
    progress: &Progress,
    head: Option<Position>,
    link: Option<&Link>,
) -> Line {
    let why = match (progress.state, &progress.import) {
        (State::Stopped, _) => "see its projector's log".to_owned(),
        (_, Some(import)) => words(import),
        _ => String::new(),
    };
    let line = line(replica, progress.state.word(), Some(progress.position), head, link, why).await;
    Line { import: progress.import.clone(), ..line }
}

/// A replica that is not one of the system's yet, or not any more.
fn passing(piece: &Piece, heard: Option<&Progress>) -> Option<Line> {
    let verb = match piece.stage {
        Stage::Filling => "add",
        Stage::Leaving => "drop",
        Stage::Joining | Stage::Serving | Stage::Dropped => return None,
    };
    Some(Line {
        name: piece.name.clone(),
        state: piece.stage.word().to_owned(),
        position: heard.map(|progress| progress.position.0),
        behind_events: None,
        behind_seconds: None,
        why: format!("`projector {verb} --replica {}` is under way, or was broken off", piece.name),
        import: None,
    })
}

/// Nobody announces the replica: its checkpoint is asked for in the database itself.
async fn silent_line(replica: &Replica, head: Option<Position>, link: Option<&Link>, away: &str) -> Line {
    let position = tokio::time::timeout(PATIENCE, read_position(replica)).await;
    let said = if link.is_some() { "its projector is silent" } else { away };
    let (position, why) = match position {
        Ok(Ok(position)) => (Some(position), said.to_owned()),
        Ok(Err(error)) => (None, format!("{said}; its Postgres: {error}")),
        Err(_) => (None, format!("{said}; its Postgres does not answer")),
    };
    line(replica, "unknown", position, head, link, why).await
}

async fn read_position(replica: &Replica) -> Result<Position, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector status")?;
    let mut connection = PgConnection::connect_with(&options.options([("search_path", SCHEMA_LIVE)])).await?;
    Ok(read_checkpoint(&mut connection).await?.position)
}

async fn line(
    replica: &Replica,
    state: &str,
    position: Option<Position>,
    head: Option<Position>,
    link: Option<&Link>,
    why: String,
) -> Line {
    let head = head.zip(position).map(|(head, position)| head.max(position));
    let behind_events = position.zip(head).map(|(position, head)| head.0 - position.0);
    let behind_seconds = match (behind_events, position, link) {
        (Some(0), ..) => Some(0.0),
        (Some(_), Some(position), Some(link)) => seconds_behind(link, position).await,
        _ => None,
    };
    let name = replica.name.clone();
    Line {
        name,
        state: state.to_owned(),
        position: position.map(|p| p.0),
        behind_events,
        behind_seconds,
        why,
        import: None,
    }
}

/// The age of the oldest event that is not applied.
pub(crate) async fn seconds_behind(link: &Link, position: Position) -> Option<f64> {
    let event = link.read(position.next()).await.ok()?;
    Some((service::time::now().0 - event.stored.0).max(0) as f64 / 1000.0)
}

/// As in `43 % of the import: loading reviews; about 2 min left`.
fn words(import: &ImportProgress) -> String {
    let left = match import.seconds_left {
        None => String::new(),
        Some(seconds @ ..120) => format!("; about {seconds} s left"),
        Some(seconds) => format!("; about {} min left", seconds.div_ceil(60)),
    };
    let steps = import.steps_done.zip(import.steps);
    let steps =
        steps.map_or(String::new(), |(done, of)| format!(" ({done} of {of} steps of the closing are done)"));
    format!("{:.0} % of the import: {}{steps}{left}", import.percent, import.what)
}

fn print(report: &Report, away: &str) {
    let word = |number: Option<u64>| number.map_or("unknown".to_owned(), |number| number.to_string());
    match (&report.epoch, report.head) {
        (Some(epoch), head) => println!("stream ATELIER, epoch {epoch}, head {}", word(head)),
        (None, _) => println!("stream ATELIER: {away}"),
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(["replica", "state", "position", "behind", "why"]);
    for line in &report.replicas {
        let behind = match (line.behind_events, line.behind_seconds) {
            (Some(0), _) => "nothing".to_owned(),
            (Some(events), Some(seconds)) => format!("{events} events, {seconds:.1} s"),
            (Some(events), None) => format!("{events} events"),
            (None, _) => "unknown".to_owned(),
        };
        table.add_row([&line.name, &line.state, &word(line.position), &behind, &line.why]);
    }
    println!("{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_told_in_words() {
        let mut import = ImportProgress {
            percent: 43.2,
            what: "loading reviews".into(),
            seconds_left: None,
            steps_done: None,
            steps: None,
        };
        assert_eq!(words(&import), "43 % of the import: loading reviews");
        import.seconds_left = Some(119);
        assert_eq!(words(&import), "43 % of the import: loading reviews; about 119 s left");
        (import.seconds_left, import.steps_done, import.steps) = (Some(121), Some(3), Some(25));
        let closing =
            "43 % of the import: loading reviews (3 of 25 steps of the closing are done); about 3 min left";
        assert_eq!(words(&import), closing);
    }
}
