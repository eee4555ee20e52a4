//! Fills the tables of the empty generation `building`: rows first, then a table's keys and indexes; then the generation
//! stands where the rows were read.

use std::time::Duration;

use replica::Checkpoint;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::mpsc;

use super::Error;
use super::lanes::{Lanes, Table};
use super::pace::Pace;
use super::progress::Progress;
use crate::failpoint;
use crate::failure::Failure;
use crate::resources::catalogue;

const KEYS: &str = include_str!("keys.sql");
const COLUMNS: &str = include_str!("columns.sql");
const ROWS_SO_FAR: &str = include_str!("rows_so_far.sql");
const STAND: &str = include_str!("stand.sql");
/// Bytes that are handed on at once.
pub(crate) const PART: usize = 1024 * 1024;
/// Parts that wait between who reads and who writes.
pub(crate) const PARTS: usize = 8;
/// How much longer a byte of an index takes to make than a byte of rows to copy. An assumption, by which only the time
/// left is told.
const INDEX_WEIGHT: f64 = 1.5;
/// Between two looks at how far the work is.
const LOOK: Duration = Duration::from_millis(500);

/// How much work it is to fill a table.
pub(crate) fn weight(table: &Table) -> f64 {
    table.bytes as f64 + table.index_bytes as f64 * INDEX_WEIGHT
}

/// The columns of a table, as a statement names them.
pub(crate) async fn columns(connection: &mut PgConnection, table: &str) -> Result<String, Error> {
    Ok(sqlx::query(COLUMNS).bind(table).fetch_one(connection).await?.try_get("columns")?)
}

/// Fills one table by `copy TABLE COLUMNS from stdin (FORMAT, freeze)`. Parts of rows come until an empty one says that
/// there are no more: who reads may fail, and a table that ends too early is not taken.
///
/// One transaction, which begins with emptying the table: rows then come frozen, and a server that logs minimally logs none
/// of them.
///
/// # Errors
/// When the database fails or the parts end without an end. The table is empty then.
pub(crate) async fn fill(
    into: &mut PgConnection,
    table: &Table,
    (columns, format): (&str, &str),
    mut parts: mpsc::Receiver<Vec<u8>>,
    pace: &mut Pace,
    lanes: &Lanes,
) -> Result<u64, Error> {
    let name = &table.name;
    let keys = sqlx::query(KEYS).bind(name).fetch_all(&mut *into).await?;
    let mut transaction = into.begin().await?;
    sqlx::raw_sql(catalogue::BECOME_OWNER).execute(&mut *transaction).await?;
    let mut script = format!("truncate {name};");
    for key in &keys {
        script += &format!("{};", key.try_get::<String, _>("gone")?);
    }
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *transaction).await?;

    let statement = format!("copy {name} ({columns}) from stdin (format {format}, freeze)");
    let mut copy = transaction.copy_in_raw(&statement).await?;
    loop {
        let part = parts.recv().await.ok_or_else(|| {
            sqlx::Error::Protocol(format!("the rows of table {name} ended before their end"))
        })?;
        if part.is_empty() {
            break;
        }
        pace.begin();
        let share = part.len() as f64;
        copy.send(part).await?;
        lanes.add(share.min(table.bytes as f64));
        pace.end(table.rows_of(share)).await;
    }
    let rows = copy.finish().await?;

    let mut script = String::new();
    for key in &keys {
        script += &format!("{};", key.try_get::<String, _>("made")?);
    }
    for index in catalogue::indexes_on(name) {
        script += &format!("{index};");
    }
    script += &format!("analyze {name}; reset role");
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    failpoint::reached("copied a table");
    lanes.add(table.index_bytes as f64 * INDEX_WEIGHT);
    lanes.add_rows(rows);
    Ok(rows)
}

/// Awaits lanes that fill tables, and shows how far they are; the connection is to the database that is being filled.
///
/// # Errors
/// Theirs.
pub(crate) async fn watched<T, E: From<sqlx::Error>>(
    work: impl Future<Output = Result<T, E>>,
    connection: &mut PgConnection,
    lanes: &Lanes,
    progress: &Progress,
) -> Result<T, E> {
    tokio::pin!(work);
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            ended = &mut work => return ended,
            _ = ticks.tick() => {
                let row = sqlx::query(ROWS_SO_FAR).fetch_one(&mut *connection).await?;
                lanes.tell(row.try_get::<i64, _>("rows")?.unsigned_abs(), progress);
            }
        }
    }
}

/// The generation that the connection owns, under this fence, stands where its rows were read.
///
/// # Errors
/// [`Failure::Fenced`] when another process has taken it.
pub(crate) async fn stand(
    connection: &mut PgConnection,
    checkpoint: &Checkpoint,
    fence: i64,
) -> Result<(), Failure> {
    let Checkpoint { position, epoch, event_hash, clock, version, .. } = checkpoint;
    let stands = sqlx::query(STAND)
        .bind(position.as_i64())
        .bind(epoch.as_str())
        .bind(event_hash)
        .bind(clock.map_or(0, |clock| clock.0))
        .bind(version)
        .bind(fence)
        .execute(connection)
        .await?;
    if stands.rows_affected() == 1 { Ok(()) } else { Err(Failure::Fenced) }
}
