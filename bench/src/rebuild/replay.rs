//! A rebuild from the stream: how long each part takes.

use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::{PgPool, Row};

use super::verb::{self, Ran};
use crate::error::Error;
use crate::private::Private;

pub(super) const FLAT_OUT: &str = "1000000000";
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// What it took, in seconds.
#[derive(Debug, Serialize)]
pub(super) struct FromStream {
    pub(super) events: u64,
    /// Until the catalogue is closed.
    pub(super) catalogue: f64,
    /// From there until every ordinary event is applied.
    pub(super) applied: f64,
    /// From there until what is made last is made, too.
    pub(super) made_last: f64,
    /// Comparing, and the swap.
    pub(super) compared: f64,
    pub(super) whole: f64,
    pub(super) swap_ms: Option<f64>,
    /// How far off the time that was foretold after a quarter was.
    pub(super) foretold: Option<f64>,
}

impl FromStream {
    /// Ordinary events in a second, with what is made last.
    pub(super) fn rate(&self) -> f64 {
        self.events as f64 / (self.applied + self.made_last)
    }
}

/// Rebuilds a replica from the stream. The ordinary events lie between two positions.
///
/// # Errors
/// When it fails.
pub(super) async fn measure(
    private: &Private,
    replica: usize,
    (first, last): (u64, u64),
) -> Result<FromStream, Error> {
    let name = &private.system.replicas()[replica];
    // A rate beyond all reach: it does not give way, and nobody asks for anything meanwhile.
    let arguments = ["rebuild", "--replica", name, "--from", "stream", "--max-rate", FLAT_OUT];
    let looking = look(&private.databases[replica], (first, last));
    tokio::pin!(looking);
    let running = verb::run(private, &arguments);
    tokio::pin!(running);
    let seen = tokio::select! {
        seen = &mut looking => seen,
        ended = &mut running => {
            ended?;
            return Err(Error::said("the rebuild ended before its generation was seen to be complete"));
        }
    };
    let ran = running.await?;
    let (mut indexes, statement) = (Vec::new(), include_str!("indexes.sql"));
    for database in &private.databases {
        indexes.push(sqlx::query_scalar::<_, String>(statement).fetch_one(database).await?);
    }
    if indexes.windows(2).any(|two| two[0] != two[1]) {
        return Err(Error::said(format!("the replicas have other indexes now: {}", indexes.join(" and "))));
    }
    Ok(of(&ran, &seen, last - first + 1))
}

fn of(ran: &Ran, seen: &Seen, events: u64) -> FromStream {
    let between = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64();
    FromStream {
        events,
        catalogue: between(ran.began, seen.closed),
        applied: between(seen.closed, seen.applied),
        made_last: between(seen.applied, seen.complete),
        compared: between(seen.complete, ran.ended),
        whole: between(ran.began, ran.ended),
        swap_ms: ran.report().and_then(|report| report["swap_ms"].as_f64()),
        foretold: ran.foretold("replay", seen.complete),
    }
}

/// When the generation was seen to have come so far.
struct Seen {
    closed: Instant,
    applied: Instant,
    complete: Instant,
}

async fn look(database: &PgPool, (first, last): (u64, u64)) -> Seen {
    let (mut closed, mut applied) = (None, None);
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        // There is no such generation before it is begun.
        let Ok(row) = sqlx::query(include_str!("building.sql")).fetch_one(database).await else { continue };
        let position: Option<i64> = row.try_get("position").unwrap_or_default();
        let complete: Option<bool> = row.try_get("complete").unwrap_or_default();
        let position = position.unwrap_or_default().cast_unsigned();
        if position + 1 >= first {
            closed.get_or_insert_with(Instant::now);
        }
        if position >= last {
            applied.get_or_insert_with(Instant::now);
        }
        if let (Some(closed), Some(applied), Some(true)) = (closed, applied, complete) {
            return Seen { closed, applied, complete: Instant::now() };
        }
    }
}
