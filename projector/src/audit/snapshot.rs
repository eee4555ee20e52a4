//! A replica as it was right after a mark: its projector keeps the snapshot, whoever compares reads in it.

use std::time::{Duration, Instant};

use contract::Position;
use replica::SCHEMA_LIVE;
use service::config::Replica;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::mark::Mark;
use crate::generation;

const FIND: &str = include_str!("find_snapshot.sql");
const RELEASE: &str = include_str!("release_snapshot.sql");
/// Between two looks whether the projector has reached the mark.
const LOOK: Duration = Duration::from_millis(20);

/// Why a replica cannot be looked at as it was at a mark.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It did not come to the mark.
    #[error(
        "replica {replica} did not come to the mark at {position} within {seconds} s: see `projector status`"
    )]
    NotThere {
        /// The replica.
        replica: String,
        /// Of the mark.
        position: Position,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Its database failed.
    #[error("replica {replica}: {source}")]
    Database {
        /// The replica.
        replica: String,
        /// What it said.
        source: sqlx::Error,
    },
    /// It cannot be connected to.
    #[error(transparent)]
    Replica(#[from] replica::Error),
}

/// Somebody who compares, and waits for a replica's snapshot. As long as this session lives, the projector keeps it.
pub(crate) struct Waiting {
    connection: PgConnection,
    options: PgConnectOptions,
    replica: String,
}

/// A replica as it was right after a mark.
pub(crate) struct Snapshot {
    waiting: Waiting,
    audit: String,
    name: String,
}

impl Waiting {
    /// Connects, before the mark is put into the stream.
    ///
    /// # Errors
    /// When the replica's Postgres does not answer.
    pub(crate) async fn begin(replica: &Replica, audit: &str) -> Result<Waiting, Error> {
        let options = generation::applying(replica, SCHEMA_LIVE)?.application_name(&session_name(audit));
        let name = replica.name.clone();
        let connection = PgConnection::connect_with(&options)
            .await
            .map_err(|source| Error::Database { replica: name.clone(), source })?;
        Ok(Waiting { connection, options, replica: name })
    }

    /// Waits until the replica's projector has come to the mark.
    ///
    /// # Errors
    /// When it does not in time.
    pub(crate) async fn snapshot(mut self, mark: &Mark, patience: Duration) -> Result<Snapshot, Error> {
        let began = Instant::now();
        loop {
            let found = sqlx::query(FIND).bind(&mark.audit).fetch_optional(&mut self.connection).await;
            let found = found.and_then(|row| row.map(|row| row.try_get("snapshot")).transpose());
            if let Some(name) = found.map_err(|source| self.failed(source))? {
                return Ok(Snapshot { waiting: self, audit: mark.audit.clone(), name });
            }
            if began.elapsed() > patience {
                let (replica, position) = (self.replica, mark.position);
                return Err(Error::NotThere { replica, position, seconds: patience.as_secs() });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn failed(&self, source: sqlx::Error) -> Error {
        Error::Database { replica: self.replica.clone(), source }
    }
}

impl Snapshot {
    /// A session that sees the replica as it was, in what served then. Another replica's generation that serves meanwhile is
    /// told by [`Snapshot::generation`].
    ///
    /// # Errors
    /// When the snapshot is gone, or the database fails.
    pub(crate) async fn open(&self) -> Result<PgConnection, Error> {
        let options = reading(&self.waiting.options);
        let opened = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let statement = format!(
                "begin transaction isolation level repeatable read, read only; set transaction snapshot '{}'",
                self.name
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
            Ok(connection)
        };
        opened.await.map_err(|source| self.waiting.failed(source))
    }

    /// Lets go of it: the projector applies at full speed again.
    ///
    /// # Errors
    /// When the database fails. The projector lets go by itself then, soon.
    pub(crate) async fn release(mut self) -> Result<(), Error> {
        let connection = &mut self.waiting.connection;
        let released = sqlx::query(RELEASE).bind(&self.audit).execute(connection).await;
        released.map_err(|source| self.waiting.failed(source))?;
        Ok(())
    }
}

/// A session whose rows as text are the same on every server: nothing depends on the server's version, time zone or
/// settings.
pub(crate) fn reading(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([
        ("timezone", "UTC"),
        ("datestyle", "ISO, YMD"),
        ("intervalstyle", "postgres"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "1"),
        ("idle_in_transaction_session_timeout", "0"),
        ("jit", "off"),
    ])
}

/// What sessions that compare are called: a projector lets go of a snapshot that no such session is there for.
pub(crate) fn session_name(audit: &str) -> String {
    format!("atelier audit {audit}")
}
