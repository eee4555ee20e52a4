//! The generation that is being built: one at a time in a replica, beside the one that serves.

use std::time::{Duration, Instant};

use contract::Epoch;
use replica::{Checkpoint, SCHEMA_BUILDING, SCHEMA_PREVIOUS, read_checkpoint};
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::failure::Failure;
use crate::generation;
use crate::ownership::take_over;
use crate::rebuild::Error;

const LOCK: &str = include_str!("lock.sql");
const UNLOCK: &str = include_str!("unlock.sql");
const FIND: &str = include_str!("find.sql");
const BEGIN: &str = include_str!("begin.sql");
const COMPLETE: &str = include_str!("complete.sql");
const UNDEFINED_TABLE: &str = "42P01";
/// How long a session that was closed may take to end.
const CLOSING: Duration = Duration::from_secs(2);
/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// While it is there, nobody else rebuilds this replica. Ends with the process, however that ends.
pub(crate) struct Guard {
    /// Holds the lock, and tells what is known of generations.
    pub(crate) connection: PgConnection,
}

impl Guard {
    /// Takes the replica for this process.
    ///
    /// # Errors
    /// [`Error::Taken`] when another process has it.
    pub(crate) async fn take(replica: &Replica) -> Result<Guard, Error> {
        let options = generation::applying(replica, SCHEMA_BUILDING)?;
        let mut connection = PgConnection::connect_with(&options).await?;
        let locked: bool = sqlx::query(LOCK).fetch_one(&mut connection).await?.try_get("locked")?;
        if locked { Ok(Guard { connection }) } else { Err(Error::Taken { replica: replica.name.clone() }) }
    }

    /// Gives the replica back at once: the end of a session is noticed later.
    ///
    /// # Errors
    /// When the database fails; then it is given back with the session.
    pub(crate) async fn release(mut self) -> Result<(), Error> {
        sqlx::query(UNLOCK).execute(&mut self.connection).await?;
        Ok(self.connection.close().await?)
    }
}

/// What is known of a generation.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Generations of a database are counted from 1.
    pub(crate) number: i64,
    /// What it was made from.
    pub(crate) source: String,
    /// Everything is there.
    pub(crate) complete: bool,
    /// Where it stands; none when it was broken off before it stood anywhere.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// What is known of the generation in a schema. None: there is no such generation.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(replica: &Replica, schema: &str) -> Result<Option<Known>, Error> {
    // As the owner: nobody else may look into a schema that was broken off before its grants.
    let mut connection = PgConnection::connect_with(&generation::owning(replica, schema)?).await?;
    let found = match sqlx::query(FIND).bind(schema).fetch_optional(&mut connection).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNDEFINED_TABLE) => {
            return Err(Error::NotPrepared { replica: replica.name.clone() });
        }
        found => found?,
    };
    let Some(row) = found else { return Ok(None) };
    let checkpoint = match row.try_get::<bool, _>("there")? {
        true => match read_checkpoint(&mut connection).await {
            Ok(checkpoint) => Some(checkpoint),
            Err(replica::Error::NoCheckpoint) => None,
            Err(error) => return Err(error.into()),
        },
        false => None,
    };
    connection.close().await?;
    Ok(Some(Known {
        number: row.try_get("number")?,
        source: row.try_get("source")?,
        complete: row.try_get("complete")?,
        checkpoint,
    }))
}

/// Makes an empty generation in `building`, in the place of whatever was there.
///
/// # Errors
/// When the database fails or the owner may not make a schema.
pub(crate) async fn begin(
    replica: &Replica,
    guard: &mut Guard,
    source: &str,
    epoch: &Epoch,
) -> Result<(), Error> {
    discard(replica, guard, SCHEMA_BUILDING).await?;
    let mut owner = PgConnection::connect_with(&generation::owning(replica, SCHEMA_BUILDING)?).await?;
    // Together: a schema that nothing is known of could not be named to anybody, nor removed by name.
    let mut transaction = owner.begin().await?;
    let made = format!("create schema {SCHEMA_BUILDING}");
    sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut *transaction).await?;
    sqlx::query(BEGIN).bind(SCHEMA_BUILDING).bind(source).execute(&mut *transaction).await?;
    transaction.commit().await?;
    let prepared = generation::prepare(&mut owner, SCHEMA_BUILDING, epoch).await;
    prepared.map_err(|error| Error::Prepare(error.to_string()))?;
    Ok(owner.close().await?)
}

/// Takes over the generation in a schema, to apply to it. A session of our own that has just been closed may still have it:
/// Postgres notices that a moment later.
///
/// # Errors
/// [`Failure::Fenced`] when another process has it.
pub(crate) async fn own(replica: &Replica, schema: &str) -> Result<(PgConnection, Checkpoint), Failure> {
    let mut connection = PgConnection::connect_with(&generation::applying(replica, schema)?).await?;
    let began = Instant::now();
    loop {
        match take_over(&mut connection).await? {
            Some(checkpoint) => return Ok((connection, checkpoint)),
            None if began.elapsed() < CLOSING => tokio::time::sleep(LOOK).await,
            None => return Err(Failure::Fenced),
        }
    }
}

/// Says that everything of the generation in a schema is there.
///
/// # Errors
/// When the database fails.
pub(crate) async fn complete(guard: &mut Guard, schema: &str) -> Result<(), Error> {
    sqlx::query(COMPLETE).bind(schema).execute(&mut guard.connection).await?;
    Ok(())
}

/// Removes `building` or `previous`, if it is there. Answers whether it was.
///
/// # Errors
/// When the database fails, or somebody holds a lock on one of its tables for long.
pub(crate) async fn discard(replica: &Replica, _held: &Guard, schema: &str) -> Result<bool, Error> {
    assert!([SCHEMA_BUILDING, SCHEMA_PREVIOUS].contains(&schema), "what serves is never removed");
    let known = find(replica, schema).await?.is_some();
    let mut owner = PgConnection::connect_with(&generation::owning(replica, schema)?).await?;
    let gone = format!(
        "set client_min_messages = warning; begin; drop schema if exists {schema} cascade; \
         delete from control.generations where schema = '{schema}'; commit"
    );
    sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut owner).await?;
    owner.close().await?;
    Ok(known)
}
