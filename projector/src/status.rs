//! `projector status`: every replica, its state and why, position, how far it is behind and for how long yet.

mod heard;
mod known;
mod line;
mod passing;
mod table;
mod words;

use std::collections::HashMap;
use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use contract::Position;
use contract::announcement::Progress;
use futures::future::join_all;
use serde::Serialize;
use service::config::{Piece, Replica};
use service::{Config, shutdown};
use stream::{Connection, Link};
use tokio_util::sync::CancellationToken;

use self::heard::Heard;
use self::line::{Line, Seen};
pub(crate) use self::words::{duration, grouped};

/// Replicas announce themselves at least every 250 ms.
const LISTEN: Duration = Duration::from_millis(600);
/// A replica that said nothing for so long is silent, whatever it said before.
const SILENT: Duration = Duration::from_secs(1);
/// How long a server may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two pictures of `--watch`.
const EVERY: Duration = Duration::from_secs(2);

/// Schema version 1. Fields are added within one; docs/operating.md tells them.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    epoch: Option<String>,
    head: Option<u64>,
    /// Why there is no head.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    replicas: Vec<Line>,
}

/// Prints a table, or JSON; with `watch` again and again, until it is interrupted.
pub(crate) async fn status(config: &Config, watch: bool, json: bool) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let connection = Connection::open(config.stream_settings(), "atelier projector status", stop);
    match tokio::time::timeout(PATIENCE, connection.verified()).await {
        Ok(Err(refusal)) if !watch => return Err(refusal.into()),
        _ => {}
    }
    let mut heard = Heard::default();
    if !watch {
        let report = look(config, &connection, &mut heard, LISTEN).await;
        let text = if json { serde_json::to_string_pretty(&report)? } else { table::text(&report) };
        println!("{text}");
        return Ok(());
    }
    let interrupted = shutdown::on_signal()?;
    let mut listen = LISTEN;
    loop {
        let begun = Instant::now();
        let report = tokio::select! {
            report = look(config, &connection, &mut heard, listen) => report,
            () = interrupted.cancelled() => return Ok(()),
        };
        let text = if json { serde_json::to_string(&report)? } else { table::text(&report) };
        if show(&text, json).is_err() {
            // Whoever looked on has seen enough and gone, as `head` does.
            return Ok(());
        }
        // The next picture is due two seconds after this one, and is of what was heard until then.
        listen = EVERY.saturating_sub(begun.elapsed().saturating_sub(listen)).max(LISTEN);
    }
}

/// One picture: on a terminal in the place of the last one, else below it.
fn show(text: &str, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{text}")?;
    } else if out.is_terminal() {
        // Line by line over the last picture, then whatever is left of it.
        writeln!(out, "\x1b[H{}\x1b[K\n{}\x1b[J", service::time::now(), text.replace('\n', "\x1b[K\n"))?;
    } else {
        writeln!(out, "{}\n{text}\n", service::time::now())?;
    }
    out.flush()
}

/// Looks at everything at once.
async fn look(config: &Config, connection: &Connection, heard: &mut Heard, listen: Duration) -> Report {
    let link = connection.current().ok();
    let (known, listened) = tokio::join!(join_all(config.replicas.iter().map(known::ask)), async {
        match &link {
            Some(link) => heard.listen(link, listen).await.is_ok(),
            None => {
                tokio::time::sleep(listen).await;
                false
            }
        }
    });
    let head = match &link {
        Some(link) if listened => link.head().await.ok(),
        _ => None,
    };
    let link = link.filter(|_| head.is_some());
    // What it says of itself tells more than its silence.
    let away = match connection.current() {
        Err(error) if matches!(*error, stream::Error::Unhealthy { .. } | stream::Error::Closed) => {
            error.to_string()
        }
        _ => "nats-server does not answer".to_owned(),
    };
    let now = Instant::now();
    let lines = config.replicas.iter().zip(known).map(|(replica, known)| {
        let progress = link.as_ref().and_then(|_| heard.last(&replica.name, now - SILENT));
        let seen = Seen {
            name: &replica.name,
            progress,
            rates: progress.and_then(|_| heard.rates(&replica.name)),
            silent: heard.silent_for(&replica.name, now),
            known,
            head,
            away: link.is_none().then_some(away.as_str()),
        };
        line_of(seen, link.as_ref())
    });
    let mut replicas = join_all(lines).await;
    let passing = |piece: &Piece| passing::line(piece, heard.last(&piece.name, now - SILENT));
    replicas.extend(config.pieces.iter().filter_map(passing));
    let epoch = link.as_ref().map(|link| link.epoch().to_string());
    let stream = head.is_none().then_some(away.clone());
    Report { schema_version: 1, epoch, head: head.map(|head| head.0), stream, replicas }
}

async fn line_of(seen: Seen<'_>, link: Option<&Link>) -> Line {
    let behind = seen.behind();
    let seconds = match (behind, seen.position(), link) {
        (Some(0), ..) => Some(0.0),
        (Some(_), Some(position), Some(link)) => seconds_behind(link, position).await,
        _ => None,
    };
    seen.line(seconds)
}

/// What replicas announce within a moment.
pub(crate) async fn listen(link: &Link) -> stream::Result<HashMap<String, Progress>> {
    let mut heard = Heard::default();
    heard.listen(link, LISTEN).await?;
    Ok(heard.into_last())
}

/// A replica's checkpoint, asked for in its own database.
///
/// # Errors
/// Why it could not be asked, in a sentence part.
pub(crate) async fn position_of(replica: &Replica) -> Result<Position, String> {
    let known = known::ask(replica).await?;
    known.position.ok_or_else(|| "it has no checkpoint".to_owned())
}

/// The age of the oldest event that is not applied.
pub(crate) async fn seconds_behind(link: &Link, position: Position) -> Option<f64> {
    let event = link.read(position.next()).await.ok()?;
    Some((service::time::now().0 - event.stored.0).max(0) as f64 / 1000.0)
}
