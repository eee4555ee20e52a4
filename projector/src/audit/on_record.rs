//! Results of comparisons, on record on every replica.

use std::time::Duration;

use replica::SCHEMA_LIVE;
use service::Config;
use service::config::Replica;
use sqlx::{Connection, PgConnection};

use super::report::Report;
use crate::generation;
use crate::record::Record;

const RECORD: &str = include_str!("record.sql");
/// How long a replica may take to put something on record.
const PATIENCE: Duration = Duration::from_secs(5);

/// Puts a result on record, on each replica what is said of it. A replica that does not take it is passed over. `of_what`: empty
/// when everything was compared.
pub(crate) async fn put(config: &Config, report: &Report, of_what: &str) {
    let Some(position) = report.position else { return };
    for of in &report.replicas {
        let Ok(replica) = config.replica(&of.name) else { continue };
        let result = match &of.why {
            Some(why) => why.clone(),
            None if report.tables.iter().all(|table| table.equal) => format!("equal{of_what}"),
            None => format!("different{of_what}"),
        };
        match tokio::time::timeout(PATIENCE, put_one(replica, &report.audit, position, &result)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, replica = of.name, "a comparison could not be put on record")
            }
            Err(_) => tracing::debug!(replica = of.name, "a comparison could not be put on record in time"),
        }
    }
}

async fn put_one(replica: &Replica, audit: &str, position: u64, result: &str) -> Result<(), replica::Error> {
    let mut connection = PgConnection::connect_with(&generation::applying(replica, SCHEMA_LIVE)?).await?;
    sqlx::query(RECORD)
        .bind(audit)
        .bind(i64::try_from(position).unwrap_or(i64::MAX))
        .bind(result)
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// The command, on record on every replica that takes it.
pub(crate) struct Records(Vec<Record>);

impl Records {
    /// It begins.
    pub(crate) async fn begin(replicas: impl Iterator<Item = &Replica>, verb: &str) -> Records {
        let mut records = Vec::new();
        for replica in replicas {
            match tokio::time::timeout(PATIENCE, Record::begin(replica, verb)).await {
                Ok(Ok(record)) => records.push(record),
                Ok(Err(error)) => {
                    tracing::debug!(%error, replica = replica.name, "the command could not be put on record")
                }
                Err(_) => {
                    tracing::debug!(replica = replica.name, "the command could not be put on record in time")
                }
            }
        }
        Records(records)
    }

    /// It ended.
    pub(crate) async fn end(self, outcome: &str) {
        for record in self.0 {
            record.end(outcome).await;
        }
    }
}
