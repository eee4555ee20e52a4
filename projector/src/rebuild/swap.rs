//! The swap: in one short transaction the fences of both generations are raised, their positions are equal, and the
//! schemas change names. Readers' statements find either generation; both hold the same.

use std::time::{Duration, Instant};

use contract::Position;
use replica::{SCHEMA_LIVE, SCHEMA_PREVIOUS};
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use stream::Link;

use super::Error;
use super::building::{Guard, discard};
use super::pace::Pace;
use super::progress::Progress;
use super::replay::Replay;
use crate::{failpoint, generation};

const LIVE: &str = include_str!("swap_live.sql");
const TABLES: &str = include_str!("swap_tables.sql");
/// How long the swap is tried: each try waits for whoever applies, or for long reads.
const TRIES: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// Events that the candidate may lack while the serving generation's projector is kept waiting for it.
const LEVEL: u64 = 1_000;
/// `lock_not_available`: somebody reads for long; the next try may find a gap.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// How a swap went.
#[derive(Debug)]
pub(crate) struct Swapped {
    /// Where both generations stood, or the new one when the old one stood still behind it.
    pub(crate) position: Position,
    /// How long nothing could be applied.
    pub(crate) held: Duration,
}

enum Try {
    Done(Swapped),
    Again(&'static str),
}

/// Lets a generation serve; the one that served becomes `previous`.
///
/// # Errors
/// When it could not be done within a minute. Nothing is changed then.
pub(crate) async fn swap(
    replica: &Replica,
    guard: &mut Guard,
    link: &Link,
    candidate: &str,
    replay: &mut Replay,
    progress: &Progress,
) -> Result<Swapped, Error> {
    if candidate != SCHEMA_PREVIOUS {
        discard(replica, guard, SCHEMA_PREVIOUS).await?;
    }
    let mut owner = PgConnection::connect_with(&generation::owning(replica, SCHEMA_LIVE)?).await?;
    let began = Instant::now();
    loop {
        let mut pace = Pace::flat_out();
        let head = link.head().await?;
        replay.run_to(head, &mut pace, progress).await?;
        match attempt(&mut owner, candidate, replay, progress).await {
            Ok(Try::Done(swapped)) => return Ok(swapped),
            Ok(Try::Again(why)) if began.elapsed() > TRIES => {
                let replica = replica.name.clone();
                return Err(Error::NotSwapped { replica, why, seconds: TRIES.as_secs() });
            }
            Ok(Try::Again(why)) => tracing::debug!(why, "the swap is tried again"),
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn attempt(
    owner: &mut PgConnection,
    candidate: &str,
    replay: &mut Replay,
    progress: &Progress,
) -> Result<Try, Error> {
    let mut transaction = owner.begin().await?;
    sqlx::raw_sql("set local lock_timeout = '1s'").execute(&mut *transaction).await?;
    let live = match sqlx::query(LIVE).fetch_one(&mut *transaction).await {
        Err(error) if is_lock_timeout(&error) => return Ok(Try::Again("an apply transaction takes long")),
        live => live?,
    };
    // From here on whoever applies to the serving generation waits for us.
    let held = Instant::now();
    let position = Position::from_i64(live.try_get("position")?);
    let same_epoch = live.try_get::<String, _>("epoch")? == replay.checkpoint.epoch.as_str();
    if same_epoch && position > replay.position() {
        if position.0 - replay.position().0 > LEVEL {
            return Ok(Try::Again("events come faster than they are applied"));
        }
        replay.run_to(position, &mut Pace::flat_out(), progress).await?;
    }
    let version: i32 = live.try_get("projection_version")?;
    let equal = same_epoch && position == replay.position() && version == replay.checkpoint.version;
    let fence = live.try_get::<i64, _>("fence")?.max(replay.checkpoint.fence) + 1;
    let raise = format!("update {candidate}.checkpoint set fence = $1 where position = $2 and fence = $3");
    let raised = sqlx::query(AssertSqlSafe(raise))
        .bind(fence)
        .bind(replay.position().as_i64())
        .bind(replay.checkpoint.fence)
        .execute(&mut *transaction)
        .await?;
    if raised.rows_affected() != 1 {
        return Err(crate::failure::Failure::Fenced.into());
    }
    sqlx::query("update live.checkpoint set fence = $1").bind(fence).execute(&mut *transaction).await?;
    failpoint::reached("fences raised");
    if !equal {
        // A statement over two tables must not see one of each generation, which hold different rows.
        match keep_readers_out(&mut transaction).await {
            Err(error) if is_lock_timeout(&error) => return Ok(Try::Again("reads take long")),
            kept => kept?,
        }
    }
    sqlx::raw_sql(AssertSqlSafe(renames(candidate))).execute(&mut *transaction).await?;
    failpoint::reached("renamed");
    transaction.commit().await?;
    failpoint::reached("swapped");
    Ok(Try::Done(Swapped { position: replay.position(), held: held.elapsed() }))
}

/// Names change places; what is known of generations goes with them.
fn renames(candidate: &str) -> String {
    const ASIDE: &str = "aside";
    let moves = [(SCHEMA_LIVE, ASIDE), (candidate, SCHEMA_LIVE), (ASIDE, SCHEMA_PREVIOUS)];
    let one = |(from, to): (&str, &str)| {
        format!(
            "alter schema {from} rename to {to}; update control.generations set schema = '{to}' where schema = '{from}'; "
        )
    };
    moves.map(one).concat()
}

/// Waits for reads that are under way, shortly, and lets none begin until the transaction ends.
async fn keep_readers_out(connection: &mut PgConnection) -> sqlx::Result<()> {
    let tables = sqlx::query(TABLES).bind(SCHEMA_LIVE).fetch_one(&mut *connection).await?;
    let tables: String = tables.try_get("tables")?;
    let lock = format!("set local lock_timeout = '40ms'; lock table {tables} in access exclusive mode");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(connection).await.map(drop)
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some(LOCK_NOT_AVAILABLE)
}

#[cfg(test)]
mod tests {
    use replica::SCHEMA_BUILDING;

    use super::*;

    #[test]
    fn both_ways_end_with_one_generation_that_serves_and_one_to_go_back_to() {
        for candidate in [SCHEMA_BUILDING, SCHEMA_PREVIOUS] {
            let mut schemas = vec![(SCHEMA_LIVE, "old"), (candidate, "new")];
            for statement in renames(candidate).split("; ").filter(|it| it.starts_with("alter")) {
                let words: Vec<&str> = statement.split(' ').collect();
                let (from, to) = (words[2], words[5]);
                assert!(schemas.iter().all(|(name, _)| *name != to), "{statement}: {schemas:?}");
                schemas.iter_mut().find(|(name, _)| *name == from).unwrap().0 = if to == SCHEMA_LIVE {
                    SCHEMA_LIVE
                } else if to == SCHEMA_PREVIOUS {
                    SCHEMA_PREVIOUS
                } else {
                    "aside"
                };
            }
            assert_eq!(schemas, [(SCHEMA_PREVIOUS, "old"), (SCHEMA_LIVE, "new")]);
        }
    }
}
