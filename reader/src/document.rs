//! Runs a statement and hands its document on, unparsed. Nothing else here asks Postgres.
//!
//! Each connection belongs to a task of its own that takes requests from one queue. So a shopper who hangs up never
//! cancels a statement half-way (a pooled connection would be left in an unknown state), a request costs one round
//! trip (sqlx's pool spends another on each return), and requests of one statement can be fetched together there.

mod availability;
mod connection;
mod error;
mod pressure;
mod room;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::Token;
use service::Problem;
use service::config::Reader;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use availability::Availability;
use connection::{Connection, Opened};
use error::Error;
use pressure::Pressure;
use room::Room;

use crate::statement::{Keys, Statement};

/// Whether the replica answers, and where it stands. No keys.
pub(crate) const PROBE: Statement =
    Statement { name: "probe", sql: include_str!("document/probe.sql"), keys: 0 };

/// A page of more rows is a large one.
const LARGE_PAGE: u64 = 100;
/// Of so many connections one may be busy with large pages.
const CONNECTIONS_FOR_A_LARGE_PAGE: u32 = 4;

/// What a statement answered.
pub(crate) struct Document {
    /// The text; none when there is no such thing.
    pub(crate) text: Option<Bytes>,
    /// Position of the snapshot that it was read in.
    pub(crate) token: Token,
}

/// Fetches documents from one replica. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Documents {
    queue: mpsc::Sender<Request>,
    availability: Availability,
    /// Large pages take turns, so that small reads always find connections.
    turns: Arc<Semaphore>,
    /// How long a request waits for a connection, its turn included.
    patience: Duration,
}

struct Request {
    statement: &'static Statement,
    keys: Keys,
    asked: Instant,
    /// A large page's turn, which ends with its statement, also when nobody waits for it any more.
    turn: Option<OwnedSemaphorePermit>,
    /// Told when a connection takes the request.
    taken: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<Document, Error>>,
}

/// The tasks behind [`Documents`].
pub(crate) struct Tasks {
    connections: JoinSet<()>,
    watch: JoinSet<()>,
}

impl Documents {
    /// Starts connecting to a replica: as many connections as configured, and one that watches it.
    pub(crate) fn start(replica: &str, options: &PgConnectOptions, bounds: &Reader) -> (Documents, Tasks) {
        let availability = Availability::unknown(replica);
        let (queue, requests) = mpsc::channel(bounds.queue);
        let requests = Arc::new(Mutex::new(requests));
        let room = Room::of_a_reader();
        let pressure = Arc::new(Pressure::bounded(Duration::from_millis(bounds.overload_ms)));
        let mut tasks = Tasks { connections: JoinSet::new(), watch: JoinSet::new() };
        let opened = Opened::default();
        for _ in 0..bounds.connections {
            let connection = Connection::new(options, bounds, &room, &opened);
            let requests = requests.clone();
            tasks.connections.spawn(serve(connection, requests, availability.clone(), pressure.clone()));
        }
        let watching = Connection::new(options, bounds, &room, &Opened::default());
        tasks.watch.spawn(availability.clone().watch(watching));
        let turns = (bounds.connections / CONNECTIONS_FOR_A_LARGE_PAGE).max(1) as usize;
        let turns = Arc::new(Semaphore::new(turns));
        let patience = Duration::from_millis(bounds.acquire_ms);
        (Documents { queue, availability, turns, patience }, tasks)
    }

    /// Runs a statement with its keys.
    ///
    /// # Errors
    /// 503 when it cannot be run now, 500 when it fails.
    pub(crate) async fn fetch(
        &self,
        statement: &'static Statement,
        keys: impl Into<Keys>,
    ) -> Result<Document, Problem> {
        self.fetch_page(statement, keys, 1).await
    }

    /// The same for a page of at most so many rows.
    ///
    /// # Errors
    /// As [`Documents::fetch`].
    pub(crate) async fn fetch_page(
        &self,
        statement: &'static Statement,
        keys: impl Into<Keys>,
        rows: u64,
    ) -> Result<Document, Problem> {
        self.try_fetch(statement, keys.into(), rows).await.map_err(|error| error.report(statement))
    }

    /// Whether documents can be fetched.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.availability.check()
    }

    async fn try_fetch(
        &self,
        statement: &'static Statement,
        keys: Keys,
        rows: u64,
    ) -> Result<Document, Error> {
        self.availability.check().map_err(Error::Away)?;
        let asked = Instant::now();
        let turn = self.turn(rows, asked).await?;
        let (taken, is_taken) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let request = Request { statement, keys, asked, turn, taken, answer };
        self.queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Crowded,
            mpsc::error::TrySendError::Closed(_) => Error::Stopping,
        })?;
        match timeout_at(asked + self.patience, is_taken).await {
            // Taken, or refused by a connection.
            Ok(_) => answered.await.unwrap_or(Err(Error::Stopping)),
            Err(_) => Err(Error::Waited(self.patience)),
        }
    }

    /// Waits until a page of so many rows may ask for a connection; a small one may at once.
    async fn turn(&self, rows: u64, asked: Instant) -> Result<Option<OwnedSemaphorePermit>, Error> {
        if rows <= LARGE_PAGE {
            return Ok(None);
        }
        match timeout_at(asked + self.patience, self.turns.clone().acquire_owned()).await {
            Ok(turn) => Ok(Some(turn.expect("the semaphore is never closed"))),
            Err(_) => Err(Error::Waited(self.patience)),
        }
    }
}

impl Tasks {
    /// Waits until the connections are closed, which they are once nobody holds [`Documents`] any more; those that
    /// are still in use after a second are cut.
    pub(crate) async fn finish(mut self) {
        self.watch.shutdown().await;
        let closed = async { while self.connections.join_next().await.is_some() {} };
        if timeout(Duration::from_secs(1), closed).await.is_err() {
            tracing::warn!("some connections to the replica were still in use and were cut");
        }
    }
}

/// Serves requests on one connection until nobody can ask any more.
async fn serve(
    mut connection: Connection,
    requests: Arc<Mutex<mpsc::Receiver<Request>>>,
    availability: Availability,
    pressure: Arc<Pressure>,
) {
    let mut changes = availability.changes();
    loop {
        let left_to_others = connection.leaves_it_to_others_until();
        let request = tokio::select! {
            biased;
            request = async { requests.lock().await.recv().await }, if left_to_others.is_none() => request,
            () = sleep_until(left_to_others.unwrap_or_else(Instant::now)), if left_to_others.is_some() => {
                if let Err(error) = connection.reopen().await {
                    tracing::debug!(%error, "a connection is refused still");
                }
                continue;
            }
            Ok(()) = changes.changed() => {
                // The replica is (back) there: be connected anew before the next request.
                if availability.check().is_ok() && let Err(error) = connection.reopen().await {
                    tracing::debug!(%error, "a connection could not be made ahead of requests");
                }
                continue;
            }
        };
        let Some(Request { statement, keys, asked, turn, taken, answer }) = request else {
            break;
        };
        if taken.is_closed() {
            // Waited too long, or hung up.
            continue;
        }
        let now = Instant::now();
        if !pressure.takes(now - asked, now) {
            let _hung_up = answer.send(Err(Error::Overloaded(now - asked)));
            continue;
        }
        if taken.send(()).is_err() {
            continue;
        }
        let result = connection.fetch(statement, &keys, asked).await;
        drop(turn);
        if let Err(error) = &result
            && error.ends_connection()
        {
            availability.lost(error);
        }
        let _hung_up = answer.send(result);
    }
    connection.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_pages_take_turns_and_small_ones_do_not_wait() {
        let (queue, _requests) = mpsc::channel(1);
        let patience = Duration::from_millis(20);
        let availability = Availability::unknown("a");
        let documents = Documents { queue, availability, turns: Arc::new(Semaphore::new(1)), patience };
        let first = documents.turn(LARGE_PAGE + 1, Instant::now()).await.unwrap();
        assert!(first.is_some());
        assert!(documents.turn(LARGE_PAGE, Instant::now()).await.unwrap().is_none());
        let asked = Instant::now();
        let refused = documents.turn(10_000, asked).await.unwrap_err();
        assert!(matches!(refused, Error::Waited(_)), "{refused:?}");
        assert!(asked.elapsed() >= patience);
        drop(first);
        assert!(documents.turn(10_000, Instant::now()).await.unwrap().is_some());
    }
}
