//! Snapshots that are kept for whoever compares replicas: one at each mark, from a moment at which nothing is applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contract::control::Audit;
use replica::{Checkpoint, read_checkpoint};
use sqlx::{Connection as _, PgConnection, Row};
use tokio::task::JoinHandle;

use crate::audit::snapshot::session_name;
use crate::batch::Ready;
use crate::failure::Failure;
use crate::run::Projection;

const EXPORT: &str = include_str!("snapshots/export.sql");
const KEEP: &str = include_str!("snapshots/keep.sql");
const WANTED: &str = include_str!("snapshots/wanted.sql");
const READ: &str = include_str!("snapshots/read.sql");
const GONE: &str = include_str!("snapshots/gone.sql");
/// A snapshot is kept so long at most.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two looks whether somebody still reads in it.
const LOOK: Duration = Duration::from_millis(100);
/// How long the replica's Postgres may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// From one commit to the next while a snapshot is kept: each read of the one-row checkpoint passes over the versions of it
/// that commits leave behind as long as somebody may see them.
const BETWEEN_COMMITS: Duration = Duration::from_millis(20);

/// How many snapshots are kept.
#[derive(Default)]
pub(crate) struct Snapshots {
    kept: Arc<AtomicUsize>,
}

struct Kept {
    /// Its transaction is the snapshot.
    session: PgConnection,
    /// Looks whether it is still wanted.
    watch: PgConnection,
    audit: String,
    since: Instant,
    _counted: Counted,
}

/// Is counted as long as it lives.
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
    /// The replica is at a mark: keeps a snapshot of it, and goes on, or waits here until the comparison is done; answers
    /// whether it has waited. A mark of long ago is passed by, because nobody compares there any more; and so is one whose
    /// snapshot cannot be kept: applying does not depend on comparisons, and whoever compares is told by its absence.
    pub(super) async fn at_mark(&self, mark: &Audit, ready: &Ready, checkpoint: &Checkpoint) -> bool {
        let age = service::time::now().0.saturating_sub(ready.occurrence.stored.0);
        if u128::try_from(age).is_ok_and(|age| age > LONGEST.as_millis()) {
            return false;
        }
        let keeping = match tokio::time::timeout(PATIENCE, self.keep(mark, checkpoint)).await {
            Ok(Ok(Some(keeping))) => keeping,
            Ok(Ok(None)) => return false,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => format!("Postgres does not answer within {} s", PATIENCE.as_secs()),
                };
                tracing::warn!(
                    replica = self.name,
                    position = checkpoint.position.0,
                    audit = mark.audit,
                    error = why,
                    "no snapshot could be kept for a comparison of replicas"
                );
                return false;
            }
        };
        let pausing = mark.pausing.as_ref() == Some(&self.name);
        if pausing {
            self.pause("applying pauses at a mark, while the replica is compared and healed");
            // A panic there is told by the task's own end; applying goes on.
            let _ended = keeping.await;
            // What came meanwhile is caught up with before anybody waits for the replica again.
            self.pause("a pause at a mark has ended");
            self.settle(checkpoint, None);
        }
        pausing
    }

    /// None: nobody compares, or what serves now is not what was applied to.
    async fn keep(&self, mark: &Audit, checkpoint: &Checkpoint) -> Result<Option<JoinHandle<()>>, Failure> {
        let database = self.database.clone().options([("idle_in_transaction_session_timeout", "0")]);
        let mut watch = PgConnection::connect_with(&database).await?;
        let wanted = sqlx::query(WANTED).bind(session_name(&mark.audit)).fetch_one(&mut watch).await?;
        if !wanted.try_get::<bool, _>("wanted")? {
            watch.close().await?;
            return Ok(None);
        }
        let counted = Counted::new(&self.snapshots.kept);
        let mut session = PgConnection::connect_with(&database).await?;
        sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
            .execute(&mut session)
            .await?;
        let snapshot: String = sqlx::query(EXPORT).fetch_one(&mut session).await?.try_get("snapshot")?;
        let seen = read_checkpoint(&mut session).await?;
        if seen.position != checkpoint.position || seen.fence != checkpoint.fence {
            // Another generation was swapped in just now, or another projector has taken the replica over.
            return Ok(None);
        }
        sqlx::query(KEEP)
            .bind(&mark.audit)
            .bind(checkpoint.position.as_i64())
            .bind(&snapshot)
            .execute(&mut watch)
            .await?;
        tracing::info!(
            replica = self.name,
            position = checkpoint.position.0,
            audit = mark.audit,
            "a snapshot is kept for a comparison of replicas"
        );
        let audit = mark.audit.clone();
        let kept = Kept { session, watch, audit, since: Instant::now(), _counted: counted };
        Ok(Some(tokio::spawn(kept.keep())))
    }

    /// Rests after a commit while snapshots are kept, which took so long.
    pub(super) async fn rest_for_snapshots(&self, took: Duration) {
        if self.snapshots.kept.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(BETWEEN_COMMITS.saturating_sub(took)).await;
        }
    }
}

impl Kept {
    async fn keep(mut self) {
        let mut why = "it was kept for as long as a snapshot may be";
        while self.since.elapsed() < LONGEST {
            tokio::time::sleep(LOOK).await;
            match tokio::time::timeout(PATIENCE, self.is_read()).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => {
                    why = "nobody reads in it any more";
                    break;
                }
                // Without its session there is no snapshot.
                Ok(Err(error)) => {
                    tracing::warn!(%error, audit = self.audit, "a snapshot for a comparison of replicas was lost");
                    return;
                }
                Err(_) => tracing::warn!(
                    audit = self.audit,
                    "Postgres is slow to tell whether a snapshot for a comparison of replicas is still read in"
                ),
            }
        }
        let Kept { session, mut watch, audit, since, _counted } = self;
        let gone = async {
            // First, so that nobody begins to read in it.
            sqlx::query(GONE).bind(&audit).execute(&mut watch).await?;
            session.close().await?;
            watch.close().await
        };
        let gone: sqlx::Result<()> = gone.await;
        let seconds = since.elapsed().as_secs_f64();
        match gone {
            Ok(()) => tracing::info!(audit, seconds, why, "a snapshot for a comparison was let go of"),
            Err(error) => tracing::warn!(%error, audit, "what is left of a snapshot could not be removed"),
        }
    }

    async fn is_read(&mut self) -> sqlx::Result<bool> {
        let name = session_name(&self.audit);
        let row = sqlx::query(READ).bind(&self.audit).bind(name).fetch_one(&mut self.watch).await?;
        // Its own session must be there too.
        self.session.ping().await?;
        row.try_get("read")
    }
}
