//! Snapshots that are kept for whoever compares replicas: one at each mark, from a moment at which nothing is applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contract::control::Audit;
use replica::{Checkpoint, read_checkpoint};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, Row};

use crate::audit::snapshot::session_name;
use crate::batch::Ready;
use crate::failure::Failure;
use crate::run::Projection;

const EXPORT: &str = include_str!("snapshots/export.sql");
const KEEP: &str = include_str!("snapshots/keep.sql");
const WANTED: &str = include_str!("snapshots/wanted.sql");
const GONE: &str = include_str!("snapshots/gone.sql");
/// A snapshot is kept so long at most.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two looks whether somebody still reads in it.
const LOOK: Duration = Duration::from_millis(100);
/// Whoever compares connects before the mark is in the stream; a hitch may take so long.
const GRACE: Duration = Duration::from_secs(5);
/// Between two commits while a snapshot is kept: each read of the one-row checkpoint passes over the versions of it that
/// commits leave behind as long as somebody may see them.
const BETWEEN_COMMITS: Duration = Duration::from_millis(20);

/// How many snapshots are kept, and when something was committed last.
#[derive(Default)]
pub(crate) struct Snapshots {
    kept: Arc<AtomicUsize>,
}

struct Kept {
    session: PgConnection,
    database: PgConnectOptions,
    audit: String,
    since: Instant,
    _counted: Counted,
}

/// Counts itself as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Projection {
    /// The replica is at a mark: keeps a snapshot of it, and goes on, or waits here until the comparison is done. A mark of
    /// long ago is passed by, because nobody compares there any more.
    pub(super) async fn at_mark(
        &self,
        mark: &Audit,
        ready: &Ready,
        checkpoint: &Checkpoint,
    ) -> Result<(), Failure> {
        let age = service::time::now().0.saturating_sub(ready.occurrence.stored.0);
        if u128::try_from(age).is_ok_and(|age| age > LONGEST.as_millis()) {
            return Ok(());
        }
        let database = self.database.clone().options([("idle_in_transaction_session_timeout", "0")]);
        let mut session = PgConnection::connect_with(&database).await?;
        sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
            .execute(&mut session)
            .await?;
        let row = sqlx::query(EXPORT).fetch_one(&mut session).await?;
        let (snapshot, wanted): (String, bool) =
            (row.try_get("snapshot")?, self.is_wanted(&mut session, mark).await?);
        if !wanted || read_checkpoint(&mut session).await?.position != checkpoint.position {
            // Nobody compares, or the generation was exchanged just now: whoever compares is told by its absence.
            return Ok(session.close().await?);
        }
        let mut other = PgConnection::connect_with(&self.database).await?;
        sqlx::query(KEEP)
            .bind(&mark.audit)
            .bind(checkpoint.position.as_i64())
            .bind(&snapshot)
            .execute(&mut other)
            .await?;
        other.close().await?;
        tracing::info!(
            replica = self.name,
            position = checkpoint.position.0,
            audit = mark.audit,
            "a snapshot is kept for a comparison of replicas"
        );
        let kept = Kept {
            session,
            database: self.database.clone(),
            audit: mark.audit.clone(),
            since: Instant::now(),
            _counted: Counted::new(&self.snapshots.kept),
        };
        let keeping = tokio::spawn(kept.keep());
        if mark.pausing.as_ref() == Some(&self.name) {
            self.announcer
                .update(|view| view.wait("it waits at the mark of a comparison until that is done"));
            keeping.await.map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
        }
        Ok(())
    }

    async fn is_wanted(&self, session: &mut PgConnection, mark: &Audit) -> Result<bool, Failure> {
        Ok(sqlx::query(WANTED).bind(session_name(&mark.audit)).fetch_one(session).await?.try_get("wanted")?)
    }

    /// Rests after a commit while snapshots are kept.
    pub(super) async fn rest_for_snapshots(&self) {
        if self.snapshots.kept.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(BETWEEN_COMMITS).await;
        }
    }
}

impl Kept {
    async fn keep(mut self) {
        while self.since.elapsed() < LONGEST {
            tokio::time::sleep(LOOK).await;
            match self.is_read().await {
                Ok(true) => {}
                Ok(false) => break,
                // Without its session there is no snapshot.
                Err(error) => {
                    tracing::warn!(%error, audit = self.audit, "a snapshot for a comparison of replicas was lost");
                    break;
                }
            }
        }
        let Kept { session, database, audit, .. } = self;
        let gone = async {
            session.close().await?;
            let mut other = PgConnection::connect_with(&database).await?;
            sqlx::query(GONE).bind(&audit).execute(&mut other).await?;
            other.close().await
        };
        if let Err(error) = gone.await {
            tracing::warn!(%error, audit, "what is left of a snapshot could not be removed");
        }
    }

    async fn is_read(&mut self) -> sqlx::Result<bool> {
        let mut other = PgConnection::connect_with(&self.database).await?;
        let there = sqlx::query("select from control.snapshots where audit = $1")
            .bind(&self.audit)
            .fetch_optional(&mut other)
            .await?;
        let row = sqlx::query(WANTED).bind(session_name(&self.audit)).fetch_one(&mut other).await?;
        let wanted: bool = row.try_get("wanted")?;
        other.close().await?;
        // Its own session must be there too.
        self.session.ping().await?;
        Ok(there.is_some() && (wanted || self.since.elapsed() < GRACE))
    }
}
