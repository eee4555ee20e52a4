//! Everything that a replica holds, at one position: to be compared with what another holds.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use local::System;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::eventually;

/// How long replicas may take to come to the same position.
const SETTLES: Duration = Duration::from_secs(60);

/// All tables of a replica's serving generation, in one snapshot.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The checkpoint.
    pub position: i64,
    /// Rows as text in the order of the primary key, by table. Only `fence` in `checkpoint` is left out: it says how
    /// often a projector took the replica over.
    pub rows: BTreeMap<String, Vec<String>>,
}

impl Tables {
    /// A hash of each table.
    #[must_use]
    pub fn hashes(&self) -> BTreeMap<&str, String> {
        let hash = |rows: &Vec<String>| {
            let mut hash = Sha256::new();
            for row in rows {
                hash.update((row.len() as u64).to_be_bytes());
                hash.update(row);
            }
            hash.finalize().iter().fold(String::new(), |mut text, byte| {
                // Writing to a string does not fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        self.rows.iter().map(|(table, rows)| (table.as_str(), hash(rows))).collect()
    }

    /// The rows of one table.
    ///
    /// # Panics
    /// When there is no such table.
    #[must_use]
    pub fn of(&self, table: &str) -> &[String] {
        self.rows.get(table).unwrap_or_else(|| panic!("there is no table {table}"))
    }

    /// Where two replicas differ first; nothing when they are equal.
    #[must_use]
    pub fn difference(&self, other: &Tables) -> Option<String> {
        let (ours, theirs) = (self.hashes(), other.hashes());
        if ours == theirs {
            return None;
        }
        let table = ours.keys().chain(theirs.keys()).find(|table| ours.get(*table) != theirs.get(*table))?;
        let none = Vec::new();
        let (ours, theirs) =
            (self.rows.get(*table).unwrap_or(&none), other.rows.get(*table).unwrap_or(&none));
        let first = ours.iter().zip(theirs).position(|(one, another)| one != another);
        let first = first.unwrap_or(ours.len().min(theirs.len()));
        Some(format!(
            "{table} differs at row {first} of {} and {}: {:?} and {:?}",
            ours.len(),
            theirs.len(),
            ours.get(first),
            theirs.get(first)
        ))
    }
}

/// Connects to a replica as the superuser, in the serving generation.
///
/// # Errors
/// When it does not answer.
pub async fn connect(system: &System, replica: &str) -> sqlx::Result<PgConnection> {
    let url = system.postgres_url(replica).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let mut connection = PgConnection::connect(&url).await?;
    sqlx::raw_sql("set search_path = live").execute(&mut connection).await?;
    Ok(connection)
}

/// A replica's checkpoint.
///
/// # Errors
/// When it does not answer.
pub async fn position(system: &System, replica: &str) -> Result<i64, String> {
    let read = async {
        let mut connection = connect(system, replica).await?;
        sqlx::query("select position from checkpoint").fetch_one(&mut connection).await?.try_get(0)
    };
    read.await.map_err(|error: sqlx::Error| error.to_string())
}

/// Reads all tables of a replica in one snapshot.
///
/// # Errors
/// When it does not answer.
pub async fn read(system: &System, replica: &str) -> sqlx::Result<Tables> {
    let mut connection = connect(system, replica).await?;
    sqlx::raw_sql("begin isolation level repeatable read, read only").execute(&mut connection).await?;
    let names = sqlx::query(
        "select table_name::text from information_schema.tables \
         where table_schema = 'live' and table_type = 'BASE TABLE' and table_name <> '_sqlx_migrations'",
    );
    let mut rows = BTreeMap::new();
    for name in names.fetch_all(&mut connection).await? {
        let name: String = name.try_get(0)?;
        let columns = columns_of(&mut connection, &name).await?;
        let key = key_of(&mut connection, &name).await?;
        let statement = format!("select row({columns})::text from {name} order by {key}");
        let all = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut connection).await?;
        rows.insert(name, all.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<Vec<String>>>()?);
    }
    let position =
        sqlx::query("select position from checkpoint").fetch_one(&mut connection).await?.try_get(0)?;
    Ok(Tables { position, rows })
}

async fn columns_of(connection: &mut PgConnection, table: &str) -> sqlx::Result<String> {
    sqlx::query(
        "select string_agg(quote_ident(column_name), ', ' order by ordinal_position) from information_schema.columns \
         where table_schema = 'live' and table_name = $1 and (table_name, column_name) <> ('checkpoint', 'fence')",
    )
    .bind(table)
    .fetch_one(connection)
    .await?
    .try_get(0)
}

async fn key_of(connection: &mut PgConnection, table: &str) -> sqlx::Result<String> {
    sqlx::query(
        "select string_agg(quote_ident(attname), ', ' order by array_position(indkey::smallint[], attnum)) \
         from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey) \
         where indrelid = ('live.' || $1)::regclass and indisprimary",
    )
    .bind(table)
    .fetch_one(connection)
    .await?
    .try_get(0)
}

/// Lets a replica's checkpoint not move until the connection is dropped; its position.
async fn hold(system: &System, replica: &str) -> sqlx::Result<(i64, PgConnection)> {
    let mut connection = connect(system, replica).await?;
    sqlx::raw_sql("begin; lock table checkpoint in share mode").execute(&mut connection).await?;
    let position =
        sqlx::query("select position from checkpoint").fetch_one(&mut connection).await?.try_get(0)?;
    Ok((position, connection))
}

/// Waits until all replicas stand at one position, `least` or behind it, and are equal there; answers what they hold.
///
/// # Panics
/// When they come to one position and are not equal, or do not come to one.
pub async fn equal(system: &System, least: i64) -> Tables {
    let all = eventually("all replicas stand at one position", SETTLES, async || {
        // Held still while they are read: others may be writing.
        let mut held = Vec::new();
        let mut positions = Vec::new();
        for replica in system.replicas() {
            let (position, hold) =
                hold(system, replica).await.map_err(|error| format!("{replica}: {error}"))?;
            positions.push(position);
            held.push(hold);
        }
        if positions.iter().any(|position| *position != positions[0] || *position < least) {
            return Err(format!("{positions:?}, and {least} is asked for"));
        }
        let mut all: Vec<Tables> = Vec::new();
        for replica in system.replicas() {
            all.push(read(system, replica).await.map_err(|error| format!("{replica}: {error}"))?);
        }
        Ok(all)
    })
    .await;
    for other in &all[1..] {
        if let Some(difference) = all[0].difference(other) {
            panic!("at position {} replicas differ: {difference}", other.position);
        }
    }
    all.into_iter().next().expect("a system has a replica")
}

/// The first column of a row, for tables whose key is a number.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn first_number(row: &str) -> i64 {
    let number = row.trim_start_matches('(').split(',').next().unwrap_or_default();
    number.parse().unwrap_or_else(|_| panic!("{row} does not begin with a number"))
}
