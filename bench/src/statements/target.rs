//! The running system that is measured: one of its replicas, and its reader.

use local::{Data, Record};
use replica::{READER_SESSION, Role, connect_options};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection};

use crate::error::Error;
use crate::statements::cases::{Case, Keys};

/// Reviews of a big product.
pub(crate) const BIG: i64 = 5_000;

/// One replica of a system that runs.
pub(crate) struct Target {
    /// As the superuser, to find ids.
    pub(crate) administrator: PgConnection,
    /// As a reader: its role, its session's settings.
    pub(crate) reader: PgConnection,
    /// The replica's reader, without nginx.
    pub(crate) url: String,
}

impl Target {
    /// Connects to the first replica.
    pub(crate) async fn of(data: &Data) -> Result<Target, Error> {
        let record = Record::read(data).filter(Record::is_running).ok_or_else(|| {
            Error::said(format!("no system runs in {}; start it with cargo xtask up", data.root().display()))
        })?;
        let named = |start: &str| {
            let found = record.processes.iter().find(|process| process.name.starts_with(start));
            found.ok_or_else(|| Error::said(format!("the system has no process {start}…")))
        };
        let postgres = named("postgres-")?;
        let name = postgres.name.trim_start_matches("postgres-");
        let reader = named(&format!("reader-{name}"))?;
        let database = format!("postgres://127.0.0.1:{}/atelier", postgres.port);
        let options = |role| {
            connect_options(&database, &data.passwords(name), role, "atelier-bench")
                .map_err(|error| Error::failed("connect to Postgres")(error.into()))
        };
        Ok(Target {
            administrator: PgConnection::connect_with(&options(Role::Administrator)?).await?,
            reader: PgConnection::connect_with(&options(Role::Reader)?.options(READER_SESSION)).await?,
            url: format!("http://127.0.0.1:{}", reader.port),
        })
    }

    /// Runs a statement as a reader does.
    pub(crate) async fn fetch(&mut self, case: &Case, keys: &Keys) -> Result<PgRow, Error> {
        let query = sqlx::query(AssertSqlSafe(case.sql.as_str()));
        let query = match keys {
            Keys::Numbers(numbers) => numbers.iter().fold(query, |query, number| query.bind(*number)),
            Keys::Text(text) => query.bind(text),
        };
        Ok(query.fetch_one(&mut self.reader).await?)
    }

    /// How many products there are.
    pub(crate) async fn products(&mut self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar(include_str!("products.sql")).fetch_one(&mut self.administrator).await?)
    }

    /// A product with at least [`BIG`] reviews, or the one with the most; and how many it has.
    pub(crate) async fn big_product(&mut self) -> Result<(i64, i64), Error> {
        sqlx::query_as(include_str!("big_product.sql"))
            .bind(BIG)
            .fetch_optional(&mut self.administrator)
            .await?
            .ok_or_else(|| Error::said("the catalogue has no reviews"))
    }
}
