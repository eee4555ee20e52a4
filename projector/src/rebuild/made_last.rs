//! Indexes that only readers need: made when every event is applied, side by side.

use std::sync::{Mutex, PoisonError};

use futures::future::try_join_all;
use replica::SCHEMA_BUILDING;
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::Error;
use crate::generation;
use crate::resources::catalogue::{STATE, indexes_only_read_by};

const INDEXES_THERE: &str = include_str!("indexes_there.sql");
const NOT_VACUUMED: &str = include_str!("not_vacuumed.sql");

/// Makes what a replay left out in the generation that is being built, so many at a time; answers how many indexes that
/// were. After a kill only what is still missing is made.
///
/// # Errors
/// When the database fails.
pub(super) async fn make(replica: &Replica, side_by_side: usize) -> Result<usize, Error> {
    let mut connection = PgConnection::connect_with(&generation::owning(replica, SCHEMA_BUILDING)?).await?;
    let closed = sqlx::query(STATE).fetch_optional(&mut connection).await?;
    if !closed.is_some_and(|row| row.try_get("closed").unwrap_or(false)) {
        // Whoever closes the catalogue makes them all.
        return Ok(0);
    }
    let there: Vec<String> = sqlx::query_scalar(INDEXES_THERE).fetch_all(&mut connection).await?;
    let name = |index: &str| index.split(' ').nth(2).unwrap_or_default().to_owned();
    let mut indexes = indexes_only_read_by();
    indexes.retain(|index| !there.contains(&name(index)));
    let number = indexes.len();
    // The largest table's come first.
    let left = Mutex::new(indexes.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let lane = async || {
        let options = generation::owning(replica, SCHEMA_BUILDING)?;
        let mut connection = PgConnection::connect_with(&options).await?;
        while let Some(index) = next() {
            sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut connection).await?;
        }
        Ok::<_, Error>(connection.close().await?)
    };
    try_join_all((0..side_by_side.min(number)).map(|_| lane())).await?;
    let tables: Vec<String> = sqlx::query_scalar(NOT_VACUUMED).fetch_all(&mut connection).await?;
    for table in tables {
        let script = format!("analyze {table}; alter table {table} reset (autovacuum_enabled)");
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(number)
}
