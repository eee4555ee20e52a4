//! From a request's event to its answer: commit, wait until visible, learn what became of it.

use std::time::{Duration, Instant};

use contract::fold::Outcome;
use contract::{Event, Position, Token};
use service::metrics::VISIBLE_SECONDS;
use service::problem::{Problem, pages};

use crate::app::App;
use crate::commit::NotCommitted;
use crate::write::Write;

/// The latest answer: below the 15 seconds that nginx waits for a writer.
const ANSWER_WITHIN: Duration = Duration::from_secs(14);
/// The wait for replicas ends earlier, so that its result can still be told.
const VISIBLE_WITHIN: Duration = Duration::from_secs(12);

/// A write that is done.
pub(crate) struct Done {
    /// Of the event; for a repeat, of the first one.
    pub(crate) token: Token,
    /// Whether every live replica had applied it.
    pub(crate) applied: bool,
}

impl App {
    /// Commits the event, waits until it is visible, and says what became of it.
    ///
    /// # Errors
    /// 503 when it is not stored or nobody knows; 409 when it was rejected on record; 422 when its
    /// `Idempotency-Key` was used with another body.
    pub(crate) async fn submit(&self, write: &Write, event: &Event) -> Result<Done, Problem> {
        let left = ANSWER_WITHIN.saturating_sub(write.started.elapsed());
        tokio::time::timeout(left, self.settle(write, event))
            .await
            .unwrap_or(Err(NotCommitted::Unknown.into()))
    }

    async fn settle(&self, write: &Write, event: &Event) -> Result<Done, Problem> {
        let committed = self.commits.commit(write.message(event)).await?;
        if committed.duplicate {
            self.compare_with_first(write, committed.token.position).await?;
        }
        let started = Instant::now();
        // Whatever else took long: what is stored is said to be stored before nginx gives the writer up.
        let left = VISIBLE_WITHIN.saturating_sub(write.started.elapsed());
        let longest = if write.respond_async { Duration::ZERO } else { self.visible_wait.min(left) };
        let seen = self.visibility.wait(&committed.token, longest).await;
        if seen.applied {
            metrics::histogram!(VISIBLE_SECONDS).record(started.elapsed().as_secs_f64());
        }
        let outcome = match seen.outcome {
            // The announcements did not tell, but some replica must know.
            None if seen.applied => self.references.outcome(committed.token.position, write.key()).await,
            told => told,
        };
        match outcome {
            None | Some((Outcome::Applied, _)) => Ok(Done { token: committed.token, applied: seen.applied }),
            Some((Outcome::Rejected(reason), _)) => Err(Problem::rejected(reason.word())),
            Some((Outcome::NoOp, first)) => {
                let position = first.unwrap_or(committed.token.position);
                self.compare_with_first(write, position).await?;
                // A key whose event was rejected stays taken: the repeat gets that answer too.
                if let Some((Outcome::Rejected(reason), _)) = self.references.outcome(position, None).await {
                    return Err(Problem::rejected(reason.word()));
                }
                Ok(Done { token: Token { position, ..committed.token }, applied: seen.applied })
            }
        }
    }

    /// A repeat under an `Idempotency-Key` gets the first answer, but only for the first request's body.
    async fn compare_with_first(&self, write: &Write, first: Position) -> Result<(), Problem> {
        let Some(ours) = &write.identity.idempotency else {
            return Ok(());
        };
        let unknown = || {
            Problem::unavailable(
                pages::OUTCOME_UNKNOWN,
                "the first write under this Idempotency-Key is stored but cannot be read just now; retry with the same key",
            )
        };
        let link = self.connection.current().map_err(|_| unknown())?;
        let event = link.read(first).await.map_err(|_| unknown())?;
        let (envelope, _) = event.decode().map_err(|_| unknown())?;
        match envelope.idempotency {
            Some(theirs) if theirs.body != ours.body => Err(Problem::key_reused()),
            _ => Ok(()),
        }
    }
}
