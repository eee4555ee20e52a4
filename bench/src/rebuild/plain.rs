//! The reference of a replay: the rows that the ordinary events came to, put in by plain SQL, set-based, on one
//! connection.
//!
//! It starts from rows that are there already, as typed columns of tables beside: nothing is read from the stream,
//! decoded, looked up, decided or recorded; votes and reports are in the rows already; the tables are empty before, while
//! a replica's hold the catalogue.

use std::time::Instant;

use serde::Serialize;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Row};

use super::say;
use crate::error::Error;
use crate::private::Private;

const STAGE: &str = include_str!("plain/stage.sql");
const TABLES: &str = include_str!("plain/tables.sql");
const PUT: &str = include_str!("plain/put.sql");
const INDEXES: &str = include_str!("plain/indexes.sql");
const COUNT: &str = include_str!("plain/count.sql");
/// Events of a batch, as a replay takes them.
const BATCH: u64 = 5_000;

/// What it took, in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Plain {
    pub(super) events: u64,
    pub(super) rows: u64,
    /// In batches as large as a replay's, a transaction each, primary keys there from the beginning.
    pub(super) batches: f64,
    /// Everything in one statement.
    pub(super) at_once: f64,
    /// Then the other indexes.
    pub(super) indexes: f64,
}

impl Plain {
    pub(super) fn batches_rate(&self) -> f64 {
        self.events as f64 / (self.batches + self.indexes)
    }

    pub(super) fn at_once_rate(&self) -> f64 {
        self.events as f64 / (self.at_once + self.indexes)
    }
}

/// Puts them into tables of a schema of its own, in the database of a replica.
///
/// # Errors
/// When a statement fails, or rows are missing.
pub(super) async fn measure(
    private: &Private,
    replica: usize,
    (first, last): (u64, u64),
) -> Result<Plain, Error> {
    say("the reference: the same rows by plain SQL");
    let mut connection = private.databases[replica].acquire().await?;
    let script = STAGE.replace(":first", &first.to_string());
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *connection).await?;
    let staged = count(&mut connection, "staged").await?;
    let (mut batches, mut indexes) = (0.0, 0.0);
    let mut at_once = 0.0;
    for size in [BATCH, last - first + 1] {
        sqlx::raw_sql(TABLES).execute(&mut *connection).await?;
        let began = Instant::now();
        let mut from = first;
        while from <= last {
            let to = (from + size - 1).min(last);
            let put = sqlx::query(PUT).bind(from.cast_signed()).bind(to.cast_signed());
            put.execute(&mut *connection).await?;
            from = to + 1;
        }
        let took = began.elapsed().as_secs_f64();
        if size == BATCH {
            batches = took
        } else {
            at_once = took
        }
        let began = Instant::now();
        let made: Vec<String> = sqlx::query_scalar(INDEXES).fetch_all(&mut *connection).await?;
        for index in made {
            sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut *connection).await?;
        }
        indexes = began.elapsed().as_secs_f64();
        let put = count(&mut connection, "reference").await?;
        if put != staged {
            return Err(Error::said(format!("the reference put in {put} rows of {staged}")));
        }
    }
    sqlx::raw_sql("drop schema reference cascade; drop schema staged cascade")
        .execute(&mut *connection)
        .await?;
    say(&format!("{staged} rows: in batches {batches:.1} s, at once {at_once:.1} s, indexes {indexes:.1} s"));
    Ok(Plain { events: last - first + 1, rows: staged, batches, at_once, indexes })
}

/// Rows of a schema's tables, but for totals, which are made from others.
async fn count(connection: &mut PoolConnection<Postgres>, schema: &str) -> Result<u64, Error> {
    let statement = COUNT.replace(":schema", schema);
    let row = sqlx::query(AssertSqlSafe(statement)).fetch_one(&mut **connection).await?;
    Ok(row.try_get::<i64, _>("rows")?.unsigned_abs())
}
