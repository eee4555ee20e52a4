//! Replicas that hold exactly what the base held go on just below the beginning of the new stream.

use contract::Position;
use data_encoding::HEXLOWER;
use replica::{SCHEMA_LIVE, read_checkpoint};
use service::config::Replica;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use super::decision::Decision;
use crate::generation;

const ADOPT: &str = include_str!("adopt.sql");

/// How a replica is connected to here: what is committed is on disk, and all that was committed before it.
///
/// # Errors
/// When its password cannot be read.
pub(super) fn durably(replica: &Replica) -> Result<PgConnectOptions, replica::Error> {
    Ok(generation::applying(replica, SCHEMA_LIVE)?.options([("synchronous_commit", "on")]))
}

/// Lets a replica go on in the new life of the stream. Answers whether it is there: another one holds something else than the
/// base, and is left as it is.
///
/// # Errors
/// When the database fails.
pub(super) async fn adopt(replica: &Replica, decision: &Decision) -> Result<bool, replica::Error> {
    let mut connection = PgConnection::connect_with(&durably(replica)?).await?;
    let below = Position(decision.first.0 - 1);
    let hash = HEXLOWER.decode(decision.event_hash.as_bytes()).unwrap_or_default();
    let adopted = sqlx::query(ADOPT)
        .bind(below.as_i64())
        .bind(decision.epoch.as_str())
        .bind(decision.opened.base.as_i64())
        .bind(decision.opened.previous.as_str())
        .bind(hash)
        .execute(&mut connection)
        .await?;
    let there =
        adopted.rows_affected() == 1 || read_checkpoint(&mut connection).await?.epoch == decision.epoch;
    connection.close().await?;
    Ok(there)
}
