//! One connection to the replica, made again when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// How long a replica that has no connection left is not asked for one again: each try costs it a process.
const REFUSED: Duration = Duration::from_secs(1);

/// How many connections are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened(Arc<AtomicUsize>);

/// Is counted as long as it lives.
struct Counted(Opened);

/// One connection to the replica. Statements run one after another and each is its own transaction.
pub(crate) struct Connection {
    options: PgConnectOptions,
    /// How long making a connection may take.
    connect: Duration,
    /// How long after it was asked for a document must be here.
    answer: Duration,
    /// Where documents are kept.
    room: Room,
    open: Option<(PgConnection, Counted)>,
    /// Those of this reader.
    opened: Opened,
    /// Until then the replica is not asked for a connection.
    refused_until: Option<Instant>,
}

impl Opened {
    fn count(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    /// A connection that is not made yet, one of those that are counted.
    pub(crate) fn new(
        options: &PgConnectOptions,
        bounds: &Reader,
        room: &Room,
        opened: &Opened,
    ) -> Connection {
        let connect = Duration::from_millis(bounds.acquire_ms);
        let answer = connect + Duration::from_millis(bounds.statement_ms) + MARGIN;
        Connection {
            options: options.clone(),
            connect,
            answer,
            room: room.clone(),
            open: None,
            opened: opened.clone(),
            refused_until: None,
        }
    }

    /// Until when this one is of no use although others are: whoever asks is better served by those.
    pub(crate) fn leaves_it_to_others_until(&self) -> Option<Instant> {
        let until = self.refused_until.filter(|until| *until > Instant::now())?;
        (self.opened.0.load(Ordering::Relaxed) > 0).then_some(until)
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
        if let Some((connection, _counted)) = self.open.take() {
            let _broken_is_closed_too = connection.close().await;
        }
    }

    async fn open(&mut self) -> Result<&mut PgConnection, Error> {
        match self.open {
            Some((ref mut connection, _)) => Ok(connection),
            None => {
                let now = Instant::now();
                if self.refused_until.is_some_and(|until| until > now) {
                    return Err(Error::Full);
                }
                let made = timeout_at(now + self.connect, PgConnection::connect_with(&self.options)).await;
                let connection = made.map_err(|_| Error::Silent(self.connect))?.map_err(|error| {
                    let error = Error::from(error);
                    self.refused_until = matches!(error, Error::Refused(_)).then(|| Instant::now() + REFUSED);
                    error
                })?;
                self.refused_until = None;
                Ok(&mut self.open.insert((connection, self.opened.count())).0)
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
