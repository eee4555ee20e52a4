//! A moment of a replica: one exported snapshot of what it serves, in which several sessions read the same.

use contract::PROJECTION_VERSION;
use replica::{Checkpoint, SCHEMA_LIVE, read_checkpoint};
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::Error;
use super::lanes::Table;
use crate::audit::snapshot::reading;
use crate::generation;

const TABLES: &str = include_str!("tables.sql");

/// Held as long as this lives.
pub(crate) struct Moment {
    _holds: PgConnection,
    name: String,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) tables: Vec<Table>,
}

impl Moment {
    /// Takes one of what a replica serves.
    ///
    /// # Errors
    /// When that is of another projection version, or holds a catalogue that is not complete.
    pub(crate) async fn take(source: &Replica) -> Result<Moment, Error> {
        let mut connection = session(source).await?;
        let name = sqlx::query("select pg_export_snapshot() as name").fetch_one(&mut connection).await?;
        let name = name.try_get("name")?;
        let checkpoint = read_checkpoint(&mut connection).await?;
        if checkpoint.version != PROJECTION_VERSION {
            let (found, ours) = (checkpoint.version, PROJECTION_VERSION);
            return Err(Error::SourceVersion { source_name: source.name.clone(), found, ours });
        }
        if checkpoint.importing || checkpoint.step != 0 {
            return Err(Error::SourceImports { source_name: source.name.clone() });
        }
        let mut tables = Vec::new();
        for row in sqlx::query(TABLES).fetch_all(&mut connection).await? {
            let number = |column| row.try_get::<i64, _>(column).map(|number| number.max(0).unsigned_abs());
            tables.push(Table {
                name: row.try_get("name")?,
                rows: number("rows")?,
                bytes: number("bytes")?,
                index_bytes: number("index_bytes")?,
            });
        }
        Ok(Moment { _holds: connection, name, checkpoint, tables })
    }

    /// A session more that sees the same.
    pub(crate) async fn session(&self, source: &Replica) -> Result<PgConnection, Error> {
        let mut connection = session(source).await?;
        let same = format!("set transaction snapshot '{}'", self.name);
        sqlx::raw_sql(AssertSqlSafe(same)).execute(&mut connection).await?;
        Ok(connection)
    }

    /// What there is: bytes with indexes.
    pub(crate) fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes + table.index_bytes).sum()
    }
}

async fn session(source: &Replica) -> Result<PgConnection, Error> {
    let options = reading(&generation::applying(source, SCHEMA_LIVE)?);
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}
