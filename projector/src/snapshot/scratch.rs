//! A database beside a replica's, made for one proof and removed after it, whatever comes of that.

use contract::Epoch;
use replica::{Role, connect_options};
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::Error;
use crate::{init, rebuild};

/// Its name.
pub(super) const DATABASE: &str = "atelier_verify";
const LOCK: &str = include_str!("lock_server.sql");

/// While it is there, nobody else makes such a database on the server.
pub(super) struct Scratch {
    /// The administrator's session that holds the lock.
    administrator: PgConnection,
    /// As a replica is configured.
    pub(super) replica: Replica,
}

impl Scratch {
    /// Makes an empty one on a server, in the place of what a killed proof left there.
    pub(super) async fn make(server: &Replica, epoch: &Epoch) -> Result<Scratch, rebuild::Error> {
        let replica = Replica { url: on_server(&server.url), ..server.clone() };
        let options = connect_options(
            &server.url,
            &server.passwords,
            Role::Administrator,
            "projector snapshot verify",
        )?;
        let mut administrator = PgConnection::connect_with(&options.database("postgres")).await?;
        let locked: bool = sqlx::query(LOCK).fetch_one(&mut administrator).await?.try_get("locked")?;
        if !locked {
            return Err(Error::Verifying { server: server.name.clone() }.into());
        }
        let mut scratch = Scratch { administrator, replica };
        scratch.drop_database().await?;
        if let Err(error) = init::prepare(&scratch.replica, epoch).await {
            let reason = error.to_string();
            scratch.remove().await?;
            return Err(rebuild::Error::Prepare(reason));
        }
        Ok(scratch)
    }

    /// Removes it.
    pub(super) async fn remove(mut self) -> Result<(), rebuild::Error> {
        self.drop_database().await?;
        Ok(self.administrator.close().await?)
    }

    async fn drop_database(&mut self) -> sqlx::Result<()> {
        let gone =
            format!("set client_min_messages = warning; drop database if exists {DATABASE} with (force)");
        // Outside of a transaction, which several statements at once would be.
        for statement in gone.split("; ") {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut self.administrator).await?;
        }
        Ok(())
    }
}

/// The url of the scratch database on the same server.
fn on_server(url: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let host = address.find("://").map_or(0, |at| at + 3);
    let server = address[host..].find('/').map_or(address, |at| &address[..host + at]);
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{server}/{DATABASE}{mark}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_is_another() {
        assert_eq!(on_server("postgres://h:1/atelier"), "postgres://h:1/atelier_verify");
        assert_eq!(on_server("postgres://h"), "postgres://h/atelier_verify");
        let (with, expected) =
            ("postgresql://h/a?sslmode=require", "postgresql://h/atelier_verify?sslmode=require");
        assert_eq!(on_server(with), expected);
    }
}
