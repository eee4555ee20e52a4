//! Buckets of a replica are replaced by another side's, in one transaction with the checkpoint's compare-and-set.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use replica::{SCHEMA_LIVE, read_checkpoint};
use serde::Serialize;
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::super::Error;
use super::super::hash::Table;
use super::super::keys::Details;
use super::super::mark::Mark;
use super::super::side::Side;
use super::super::snapshot::reading;
use crate::generation;

const STAND: &str = include_str!("stand.sql");
const DELETE: &str = include_str!("delete.sql");
const COPY_OUT: &str = include_str!("copy_out.sql");

/// What became of a table.
#[derive(Debug, Serialize)]
pub(super) struct Replaced {
    pub(super) table: String,
    pub(super) buckets: usize,
    pub(super) deleted: u64,
    pub(super) inserted: u64,
}

/// Replaces buckets of the first side by the second side's. The first one's projector waits at the mark.
///
/// # Errors
/// When it went on, or a database fails; nothing is changed then.
pub(super) async fn replace(
    target: &Replica,
    mark: &Mark,
    sides: &mut [Side],
    differing: &BTreeMap<String, Details>,
) -> Result<Vec<Replaced>, Error> {
    let [ours, theirs] = sides else { unreachable!("a replica is healed from one other side") };
    let stood = read_checkpoint(&mut ours.connection).await?;
    // The name may be another generation's by now: then the fence is another, too.
    ours.verify().await?;
    let mut connection =
        PgConnection::connect_with(&reading(&generation::applying(target, SCHEMA_LIVE)?)).await?;
    let mut transaction = connection.begin().await?;
    // Unlike what is applied, this does not come again by itself after a crash.
    sqlx::raw_sql("set local synchronous_commit = on").execute(&mut *transaction).await?;
    let stands = sqlx::query(STAND)
        .bind(mark.position.as_i64())
        .bind(stood.epoch.as_str())
        .bind(stood.fence)
        .execute(&mut *transaction)
        .await?;
    if stands.rows_affected() != 1 {
        return Err(Error::WentOn { replica: target.name.clone(), position: mark.position });
    }
    let mut replaced = Vec::new();
    for (name, details) in differing {
        let Some(table) = theirs.table(name).cloned() else { continue };
        let deleted = sqlx::query(AssertSqlSafe(table.statement(DELETE)))
            .bind(details.buckets.iter().map(|bucket| i32::from(*bucket)).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        let inserted = copy(&mut theirs.connection, &mut transaction, &table, &details.buckets).await?;
        replaced.push(Replaced { table: name.clone(), buckets: details.buckets.len(), deleted, inserted });
    }
    theirs.verify().await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(replaced)
}

async fn copy(
    from: &mut PgConnection,
    into: &mut PgConnection,
    table: &Table,
    buckets: &[u16],
) -> Result<u64, Error> {
    let named = table.columns.join(", ");
    let these = buckets.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let out = table.statement(COPY_OUT).replace("{named}", &named).replace("{these}", &these);
    let statement = format!("copy {} ({named}) from stdin", table.name);
    let mut rows = from.copy_out_raw(&out).await?;
    let mut copy = into.copy_in_raw(&statement).await?;
    loop {
        match rows.try_next().await {
            Ok(Some(part)) => {
                copy.send(part).await?;
            }
            Ok(None) => break,
            Err(error) => {
                copy.abort("the rows to be copied could not be read").await?;
                return Err(error.into());
            }
        }
    }
    Ok(copy.finish().await?)
}
