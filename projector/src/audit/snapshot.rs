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
const SCHEMA_THEN: &str = include_str!("schema_then.sql");
/// What a session that compares sets.
const SETTINGS: &str = include_str!("settings.sql");
/// Between two looks whether the projector has reached the mark.
const LOOK: Duration = Duration::from_millis(20);
/// A projector that has passed the mark so long ago has kept nothing there.
const KEPT_WITHIN: Duration = Duration::from_secs(3);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

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
    /// It came to the mark, and nothing was kept there.
    #[error(
        "replica {replica} has passed the mark at {position} without a snapshot: its projector was restarted there, another \
         generation was swapped in, or its log says why. Try again"
    )]
    NotKept {
        /// The replica.
        replica: String,
        /// Of the mark.
        position: Position,
    },
    /// Another generation was swapped in, whose rows the snapshot does not show.
    #[error(
        "the generation of replica {replica} was exchanged during the comparison (a rebuild or a rollback swapped another one \
         in). Try again"
    )]
    Exchanged {
        /// The replica.
        replica: String,
    },
    /// It does not answer.
    #[error("replica {replica}: its Postgres does not answer within {seconds} s")]
    Silent {
        /// The replica.
        replica: String,
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
    /// The schema that served then.
    schema: i64,
}

impl Waiting {
    /// Connects, before the mark is put into the stream.
    ///
    /// # Errors
    /// When the replica's Postgres does not answer.
    pub(crate) async fn begin(replica: &Replica, audit: &str) -> Result<Waiting, Error> {
        let options = generation::applying(replica, SCHEMA_LIVE)?.application_name(&session_name(audit));
        let name = replica.name.clone();
        let connecting = tokio::time::timeout(CONNECT, PgConnection::connect_with(&options)).await;
        match connecting {
            Ok(Ok(connection)) => Ok(Waiting { connection, options, replica: name }),
            Ok(Err(source)) => Err(Error::Database { replica: name, source }),
            Err(_) => Err(Error::Silent { replica: name, seconds: CONNECT.as_secs() }),
        }
    }

    /// Waits until the replica's projector has come to the mark.
    ///
    /// # Errors
    /// When it does not in time, or has passed it without keeping anything.
    pub(crate) async fn snapshot(mut self, mark: &Mark, patience: Duration) -> Result<Snapshot, Error> {
        let began = Instant::now();
        let mut passed: Option<Instant> = None;
        loop {
            let (name, at) = self.find(mark).await.map_err(|source| self.failed(source))?;
            if let Some(name) = name {
                let mut snapshot = Snapshot { waiting: self, audit: mark.audit.clone(), name, schema: 0 };
                snapshot.schema = snapshot.schema_then().await?;
                return match snapshot.exchanged().await? {
                    false => Ok(snapshot),
                    true => Err(Error::Exchanged { replica: snapshot.waiting.replica }),
                };
            }
            let (replica, position) = (self.replica.clone(), mark.position);
            if at >= mark.position && passed.get_or_insert_with(Instant::now).elapsed() > KEPT_WITHIN {
                return Err(Error::NotKept { replica, position });
            }
            if began.elapsed() > patience {
                return Err(Error::NotThere { replica, position, seconds: patience.as_secs() });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn find(&mut self, mark: &Mark) -> sqlx::Result<(Option<String>, Position)> {
        let row = sqlx::query(FIND).bind(&mark.audit).fetch_one(&mut self.connection).await?;
        let position: Option<i64> = row.try_get("position")?;
        Ok((row.try_get("snapshot")?, position.map_or(Position(0), Position::from_i64)))
    }

    fn failed(&self, source: sqlx::Error) -> Error {
        Error::Database { replica: self.replica.clone(), source }
    }
}

impl Snapshot {
    /// A session that sees the replica's rows as they were. Names are those of today, so whether another generation has taken the
    /// name since is to be asked ([`Snapshot::exchanged`]) after whatever was read.
    ///
    /// # Errors
    /// When the snapshot is gone, or the database fails.
    pub(crate) async fn open(&self) -> Result<PgConnection, Error> {
        let options = reading(&self.waiting.options);
        let opened = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
            let statement = format!(
                "begin transaction isolation level repeatable read, read only; set transaction snapshot '{}'",
                self.name
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
            Ok(connection)
        };
        opened.await.map_err(|source| self.waiting.failed(source))
    }

    /// Whether another generation serves by now.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn exchanged(&mut self) -> Result<bool, Error> {
        // In a transaction of its own: what is read within a long one may be told by what it knew before.
        let now =
            sqlx::query(SCHEMA_THEN).bind(SCHEMA_LIVE).fetch_optional(&mut self.waiting.connection).await;
        let now = now.and_then(|row| row.map(|row| row.try_get::<i64, _>("schema")).transpose());
        Ok(now.map_err(|source| self.waiting.failed(source))? != Some(self.schema))
    }

    async fn schema_then(&self) -> Result<i64, Error> {
        let mut connection = self.open().await?;
        let read = async {
            let row = sqlx::query(SCHEMA_THEN).bind(SCHEMA_LIVE).fetch_one(&mut connection).await?;
            let schema: i64 = row.try_get("schema")?;
            connection.close().await?;
            Ok::<i64, sqlx::Error>(schema)
        };
        read.await.map_err(|source| self.waiting.failed(source))
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

/// A session whose rows as text are the same on every server.
pub(crate) fn reading(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options(settings())
}

/// Each setting with its value.
fn settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    let settings = SETTINGS.lines().filter_map(|line| line.strip_prefix("set "));
    settings
        .filter_map(|line| line.trim_end_matches(';').split_once(" = "))
        .map(|(name, value)| (name, value.trim_matches('\'')))
}

/// What sessions that compare are called: a projector lets go of a snapshot that no such session is there for.
pub(crate) fn session_name(audit: &str) -> String {
    format!("atelier audit {audit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_settings_is_read() {
        let all: Vec<_> = settings().collect();
        assert_eq!(all.len(), SETTINGS.lines().filter(|line| !line.starts_with("--")).count());
        assert!(all.contains(&("timezone", "UTC")) && all.contains(&("datestyle", "ISO, YMD")), "{all:?}");
    }

    #[test]
    fn a_session_name_is_not_cut_by_postgres() {
        let name = session_name(&super::super::mark::name());
        assert!(name.len() < 64, "{name}");
    }
}
