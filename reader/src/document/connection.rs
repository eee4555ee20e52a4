//! One connection to the replica, made again when it breaks.

use std::time::Duration;

use contract::{Position, Token};
use service::config::Reader;
use service::metrics::STATEMENT_SECONDS;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{Connection as _, PgConnection, Row, ValueRef};
use tokio::time::{Instant, timeout_at};

use crate::document::{Document, Error, Room};
use crate::statement::{Keys, Statement};

/// How much longer than its time-out a statement's end is waited for: after that the replica is silent.
const MARGIN: Duration = Duration::from_millis(250);

/// One connection to the replica. Statements run one after another and each is its own transaction.
pub(crate) struct Connection {
    options: PgConnectOptions,
    /// How long making a connection may take.
    connect: Duration,
    /// How long after it was asked for a document must be here.
    answer: Duration,
    /// Where documents are kept.
    room: Room,
    open: Option<PgConnection>,
}

impl Connection {
    /// A connection that is not made yet.
    pub(crate) fn new(options: &PgConnectOptions, bounds: &Reader, room: &Room) -> Connection {
        let connect = Duration::from_millis(bounds.acquire_ms);
        let answer = connect + Duration::from_millis(bounds.statement_ms) + MARGIN;
        Connection { options: options.clone(), connect, answer, room: room.clone(), open: None }
    }

    /// Makes it anew.
    pub(crate) async fn reopen(&mut self) -> Result<(), Error> {
        self.open = None;
        self.open().await?;
        Ok(())
    }

    /// Runs a statement. One that finds its connection broken, as after a restart of Postgres, is run once more on a
    /// new one: reads may be repeated.
    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        keys: &Keys,
        asked: Instant,
    ) -> Result<Document, Error> {
        let was_open = self.open.is_some();
        match self.run(statement, keys, asked).await {
            Err(Error::Lost(_)) if was_open => self.run(statement, keys, asked).await,
            result => result,
        }
    }

    /// Closes it in order.
    pub(crate) async fn close(mut self) {
        if let Some(connection) = self.open.take() {
            let _broken_is_closed_too = connection.close().await;
        }
    }

    async fn open(&mut self) -> Result<&mut PgConnection, Error> {
        match self.open {
            Some(ref mut connection) => Ok(connection),
            None => {
                let made =
                    timeout_at(Instant::now() + self.connect, PgConnection::connect_with(&self.options))
                        .await;
                let connection = made.map_err(|_| Error::Silent(self.connect))??;
                Ok(self.open.insert(connection))
            }
        }
    }

    async fn run(&mut self, statement: &Statement, keys: &Keys, asked: Instant) -> Result<Document, Error> {
        let until = asked + self.answer;
        let connection = self.open().await?;
        let query = sqlx::query(statement.sql);
        let query = match keys {
            Keys::Numbers(numbers) => numbers.iter().fold(query, |query, number| query.bind(*number)),
            Keys::Text(text) => query.bind(text),
        };
        let started = Instant::now();
        let row = timeout_at(until, query.fetch_one(connection)).await;
        metrics::histogram!(STATEMENT_SECONDS, "statement" => statement.name)
            .record(started.elapsed().as_secs_f64());
        let result = match row {
            Ok(row) => row.map_err(Error::from).and_then(|row| document(&row, &self.room)),
            Err(_) => Err(Error::Silent(started.elapsed())),
        };
        if result.as_ref().is_err_and(Error::ends_connection) {
            self.open = None;
        }
        result
    }
}

/// The document's bytes as Postgres sent them, copied once.
fn document(row: &PgRow, room: &Room) -> Result<Document, Error> {
    let epoch: &str = row.try_get("epoch")?;
    let epoch = epoch.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let position = Position::from_i64(row.try_get("position")?);
    let text = row.try_get_raw("document")?;
    let text = match text.is_null() {
        true => None,
        false => {
            let text = text.as_bytes().map_err(sqlx::Error::Decode)?;
            Some(room.hold(text).ok_or(Error::NoRoom(text.len()))?)
        }
    };
    Ok(Document { text, token: Token { epoch, position } })
}
