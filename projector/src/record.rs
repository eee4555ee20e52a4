//! Who did what and when: each verb that changes a replica leaves a row in its `control.operations`.

use replica::SCHEMA_LIVE;
use service::config::Replica;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use crate::generation;

const BEGIN: &str = include_str!("record/begin.sql");
const END: &str = include_str!("record/end.sql");

/// An operation on record, not ended yet. One that is killed stays without an end.
pub(crate) struct Record {
    database: PgConnectOptions,
    id: i64,
}

impl Record {
    /// Puts on record that a verb begins.
    ///
    /// # Errors
    /// When the replica's database fails, or is from before there was such a table.
    pub(crate) async fn begin(replica: &Replica, verb: &str) -> Result<Record, replica::Error> {
        let database = generation::applying(replica, SCHEMA_LIVE)?;
        let mut connection = PgConnection::connect_with(&database).await?;
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let row = sqlx::query(BEGIN)
            .bind(verb)
            .bind(arguments.join(" "))
            .bind(operator())
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(Record { database, id: row.try_get("id")? })
    }

    /// Puts on record how it ended. A failure to do so is said and changes nothing.
    pub(crate) async fn end(self, outcome: &str) {
        let ended = async {
            let mut connection = PgConnection::connect_with(&self.database).await?;
            sqlx::query(END).bind(self.id).bind(outcome).execute(&mut connection).await?;
            connection.close().await
        };
        if let Err(error) = ended.await {
            tracing::warn!(%error, outcome, "the end of the operation could not be put on record");
        }
    }
}

/// Who sits at the terminal, as in `ops@shop-1`.
pub(crate) fn operator() -> String {
    let account = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let account = account.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match machine.trim() {
        "" => account,
        machine => format!("{account}@{machine}"),
    }
}
