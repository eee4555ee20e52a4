//! What a replica has counted, at exactly one position.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Epoch, Position};
use replica::{Role, SCHEMA_LIVE, connect_options, read_checkpoint};
use service::config::Replica;
use sqlx::{Connection as _, PgConnection, Row};

const COUNTERS: &str = include_str!("counters.sql");
const REJECTED: &str = include_str!("rejected.sql");
const PARKED: &str = include_str!("parked.sql");

/// A replica's own counters, and where it stood when they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) replica: String,
    pub(super) position: Position,
    pub(super) epoch: Epoch,
    pub(super) version: i32,
    /// By event type.
    pub(super) types: BTreeMap<String, Counted>,
    /// Events that are parked here.
    pub(super) parked: BTreeSet<Position>,
}

/// Events of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// All, whatever became of them.
    pub(super) events: u64,
    /// Whose key was taken.
    pub(super) no_ops: u64,
    /// That broke a rule.
    pub(super) rejected: u64,
    /// By an operator's decision.
    pub(super) parked: u64,
}

/// Reads them in one snapshot with the checkpoint.
///
/// # Errors
/// When the database fails or cannot be connected to.
pub(super) async fn read(replica: &Replica) -> Result<Counters, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector verify")?;
    let mut connection = PgConnection::connect_with(&options.options([("search_path", SCHEMA_LIVE)])).await?;
    sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
        .execute(&mut connection)
        .await?;
    let checkpoint = read_checkpoint(&mut connection).await?;
    let number = |row: &sqlx::postgres::PgRow, name: &str| -> sqlx::Result<u64> {
        Ok(u64::try_from(row.try_get::<i64, _>(name)?).unwrap_or_default())
    };
    let mut types: BTreeMap<String, Counted> = BTreeMap::new();
    for row in sqlx::query(COUNTERS).fetch_all(&mut connection).await? {
        let counted = types.entry(row.try_get("event_type")?).or_default();
        (counted.events, counted.no_ops) = (number(&row, "events")?, number(&row, "no_ops")?);
    }
    for row in sqlx::query(REJECTED).fetch_all(&mut connection).await? {
        let counted = types.entry(row.try_get("event_type")?).or_default();
        (counted.rejected, counted.parked) = (number(&row, "rejected")?, number(&row, "parked")?);
    }
    let mut parked = BTreeSet::new();
    for row in sqlx::query(PARKED).fetch_all(&mut connection).await? {
        parked.insert(Position::from_i64(row.try_get("position")?));
    }
    sqlx::raw_sql("commit").execute(&mut connection).await?;
    connection.close().await?;
    Ok(Counters {
        replica: replica.name.clone(),
        position: checkpoint.position,
        epoch: checkpoint.epoch,
        version: checkpoint.version,
        types,
        parked,
    })
}
