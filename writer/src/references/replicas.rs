//! Asks replicas, one after the other, until one answers.
//!
//! Connections are kept here rather than in sqlx's pool, which spends a round trip before each statement and one after it:
//! a lone write would wait for both. Only tasks that nobody cancels ask, so a connection is never left half-way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use contract::Epoch;
use replica::{READER_SESSION, Role, connect_options};
use service::{config, task};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Connection, PgConnection, Postgres};
use tokio::sync::watch;

use crate::visibility::Visibility;

/// How long one replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long one that did not answer is asked last: a group's wait for it holds up the groups behind.
const AVOIDED: Duration = Duration::from_secs(5);
/// How soon it is tried again to take up a replica whose password could not be read: its file may be on its way.
const AGAIN: Duration = Duration::from_secs(1);

/// A question as it is sent; made anew for each replica.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// No replica answered; each one's reason stands in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unanswered;

/// A replica's answer.
pub(super) struct Asked {
    pub(super) row: PgRow,
    /// It is live: what it does not know does not exist. Another one may only be behind.
    pub(super) live: bool,
}

/// A replica of the configuration.
struct Replica {
    configured: config::Replica,
    options: PgConnectOptions,
    /// Connections that nobody uses just now; never more than ask at a time.
    idle: Mutex<Vec<PgConnection>>,
}

impl Replica {
    /// # Errors
    /// When its url or password cannot be read.
    fn new(configured: &config::Replica) -> Result<Arc<Replica>, replica::Error> {
        let options = connect_options(&configured.url, &configured.passwords, Role::Writer, "writer")?
            .options(READER_SESSION)
            .options([("statement_timeout", "1000")]);
        Ok(Arc::new(Replica { configured: configured.clone(), options, idle: Mutex::default() }))
    }

    /// # Errors
    /// The connection's or the statement's. The connection is given up then: its state is not known.
    async fn ask<'q>(&self, statement: Statement<'q>) -> sqlx::Result<PgRow> {
        let idle = self.idle.lock().expect("no holder of this lock panics").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.options).await?,
        };
        let row = statement.fetch_one(&mut connection).await?;
        self.idle.lock().expect("no holder of this lock panics").push(connection);
        Ok(row)
    }
}

/// All replicas of the configuration.
pub(super) struct Replicas {
    replicas: RwLock<Vec<Arc<Replica>>>,
    visibility: Visibility,
    /// When which one did not answer.
    silent: Mutex<HashMap<String, Instant>>,
}

impl Replicas {
    /// Connects when it is first asked, and takes up every change of the list.
    ///
    /// # Errors
    /// When a replica's url or password cannot be read.
    pub(super) fn new(
        mut listed: watch::Receiver<Vec<config::Replica>>,
        visibility: Visibility,
    ) -> Result<Arc<Replicas>, replica::Error> {
        let first = listed.borrow_and_update().iter().map(Replica::new).collect::<Result<_, _>>()?;
        let replicas =
            Arc::new(Replicas { replicas: RwLock::new(first), visibility, silent: Mutex::default() });
        let taking = replicas.clone();
        task::essential("list of replicas", async move {
            while listed.changed().await.is_ok() {
                loop {
                    let list = listed.borrow_and_update().clone();
                    if taking.take_up(&list) {
                        break;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        });
        Ok(replicas)
    }

    /// Those that stay keep their connections. Answers whether all of the list could be taken up.
    fn take_up(&self, list: &[config::Replica]) -> bool {
        let known = self.all();
        let mut all = true;
        let taken = list.iter().filter_map(|configured| {
            if let Some(known) = known.iter().find(|known| known.configured == *configured) {
                return Some(known.clone());
            }
            match Replica::new(configured) {
                Ok(replica) => Some(replica),
                Err(error) => {
                    tracing::warn!(
                        replica = configured.name,
                        %error,
                        "a new replica cannot be asked yet; it is tried again every second"
                    );
                    all = false;
                    None
                }
            }
        });
        let taken = taken.collect();
        *self.replicas.write().expect("no holder of this lock panics") = taken;
        all
    }

    fn all(&self) -> Vec<Arc<Replica>> {
        self.replicas.read().expect("no holder of this lock panics").clone()
    }

    /// Asks the live replicas, the most advanced first, then the others.
    ///
    /// # Errors
    /// None of them answered.
    pub(super) async fn ask<'q>(&self, statement: impl Fn() -> Statement<'q>) -> Result<Asked, Unanswered> {
        let live = self.visibility.live_replicas();
        let all = self.all();
        let others = all.iter().map(|replica| &replica.configured.name).filter(|name| !live.contains(name));
        let order: Vec<String> = live.iter().chain(others).cloned().collect();
        let (row, name) = self.ask_in_order(order, statement).await?;
        Ok(Asked { row, live: live.contains(&name) })
    }

    /// Asks those alone of which it is certain that they missed nothing that was stored longer ago than `age`.
    ///
    /// # Errors
    /// There is none, or none of them answered.
    pub(super) async fn ask_confirmed<'q>(
        &self,
        epoch: &Epoch,
        age: Duration,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<PgRow, Unanswered> {
        Ok(self.ask_in_order(self.visibility.confirmed_replicas(epoch, age), statement).await?.0)
    }

    async fn ask_in_order<'q>(
        &self,
        mut order: Vec<String>,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<(PgRow, String), Unanswered> {
        order.sort_by_key(|name| self.is_avoided(name));
        let all = self.all();
        for name in order {
            // An announcement may come from a replica that this writer's configuration does not have.
            let Some(replica) = all.iter().find(|replica| replica.configured.name == name) else { continue };
            match tokio::time::timeout(PATIENCE, self.ask_again(replica, &statement)).await {
                Ok(Ok(row)) => return Ok((row, name)),
                Ok(Err(error)) => {
                    tracing::warn!(replica = name, %error, "a writer's question could not be answered by this replica")
                }
                Err(_) => {
                    tracing::warn!(replica = name, "a writer's question took too long on this replica")
                }
            }
            self.silent.lock().expect("no holder of this lock panics").insert(name, Instant::now());
        }
        Err(Unanswered)
    }

    /// Asks a replica, and once more when a connection that was kept turns out to be dead: it may have been restarted.
    async fn ask_again<'q>(
        &self,
        replica: &Replica,
        statement: &impl Fn() -> Statement<'q>,
    ) -> sqlx::Result<PgRow> {
        match replica.ask(statement()).await {
            Err(error) if is_dead(&error) => {
                replica.idle.lock().expect("no holder of this lock panics").clear();
                replica.ask(statement()).await
            }
            answer => answer,
        }
    }

    fn is_avoided(&self, name: &str) -> bool {
        let silent = self.silent.lock().expect("no holder of this lock panics");
        silent.get(name).is_some_and(|since| since.elapsed() < AVOIDED)
    }
}

/// Whether the connection is at fault: it broke, or the server ended the session.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
