//! One of those that are compared: a replica as it was at a mark, or a fold of the stream up to it.

use replica::SCHEMA_BUILDING;
use service::config::Replica;
use sqlx::{Connection, PgConnection};

use super::Error;
use super::hash::{Hashes, Table, hash_table, tables};
use super::progress::Progress;
use super::snapshot::{self, Snapshot, reading};
use crate::generation;

/// What the fold of the stream is called among those that are compared.
pub(crate) const FOLD: &str = "stream";

/// A session in which everything is as it was.
pub(crate) struct Side {
    /// The replica's name, or [`FOLD`].
    pub(crate) name: String,
    /// In a transaction that sees what is compared.
    pub(crate) connection: PgConnection,
    /// What is compared of it.
    pub(crate) tables: Vec<Table>,
    snapshot: Option<Snapshot>,
}

impl Side {
    /// A replica, in the snapshot that its projector keeps. `only`: the tables that are compared; none: all.
    ///
    /// # Errors
    /// When the database fails, another generation serves by now, or there is no such table.
    pub(crate) async fn of_replica(name: &str, snapshot: Snapshot, only: &[String]) -> Result<Side, Error> {
        let connection = snapshot.open().await?;
        Side::begin(name, connection, Some(snapshot), only).await
    }

    /// The fold of the stream that lies in a replica's `building`.
    ///
    /// # Errors
    /// When the database fails, or there is no such table.
    pub(crate) async fn of_fold(replica: &Replica, only: &[String]) -> Result<Side, Error> {
        let options = reading(&generation::applying(replica, SCHEMA_BUILDING)?);
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
            .execute(&mut connection)
            .await?;
        Side::begin(FOLD, connection, None, only).await
    }

    async fn begin(
        name: &str,
        mut connection: PgConnection,
        snapshot: Option<Snapshot>,
        only: &[String],
    ) -> Result<Side, Error> {
        let all = tables(&mut connection).await?;
        if let Some(table) = only.iter().find(|name| all.iter().all(|table| table.name != **name)) {
            let known: Vec<&str> = all.iter().map(|table| table.name.as_str()).collect();
            return Err(Error::NoTable { table: table.clone(), known: known.join(", ") });
        }
        let tables = all.into_iter().filter(|table| only.is_empty() || only.contains(&table.name)).collect();
        Ok(Side { name: name.to_owned(), connection, tables, snapshot })
    }

    /// Hashes everything.
    ///
    /// # Errors
    /// When the database fails, or another generation was swapped in meanwhile.
    pub(crate) async fn hash(&mut self, progress: &Progress) -> Result<Hashes, Error> {
        let mut hashes = Hashes::default();
        progress.more(self.tables.len());
        for table in self.tables.clone() {
            progress.hashing(&self.name, &table.name);
            let buckets = hash_table(&mut self.connection, &table).await;
            // Table by table: names are looked up when a statement begins. An exchange tells more than what came of it.
            self.verify().await?;
            hashes.0.insert(table.name, buckets?);
            progress.hashed();
        }
        Ok(hashes)
    }

    /// What was read until now is the generation's that served at the mark.
    ///
    /// # Errors
    /// When another generation was swapped in.
    pub(crate) async fn verify(&mut self) -> Result<(), Error> {
        if let Some(snapshot) = &mut self.snapshot
            && snapshot.exchanged().await?
        {
            return Err(snapshot::Error::Exchanged { replica: self.name.clone() }.into());
        }
        Ok(())
    }

    /// A table of it.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Lets go of everything.
    pub(crate) async fn end(self) {
        let Side { name, connection, snapshot, .. } = self;
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, name, "a session that compared did not end well");
        }
        if let Some(snapshot) = snapshot
            && let Err(error) = snapshot.release().await
        {
            tracing::debug!(%error, name, "a snapshot was not let go of; its projector does it by itself");
        }
    }
}
