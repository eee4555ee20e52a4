//! From a request's event to its answer: commit, wait until visible, learn what became of it.

use std::time::{Duration, Instant};

use contract::fold::Outcome;
use contract::{Event, Position, Token};
use service::metrics::VISIBLE_SECONDS;
use service::problem::{Problem, pages};

use crate::app::App;
use crate::commit::NotCommitted;
use crate::write::Write;

/// How replicas keep the outcome of an event that was applied.
const APPLIED: &str = "applied";
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
        if left.is_zero() || self.pulse.stopped() {
            // A process that was stopped and goes on: nginx has sent the write elsewhere long ago, and the broker may
            // have forgotten it.
            return Err(NotCommitted::Overloaded.into());
        }
        tokio::time::timeout(left, self.settle(write, event))
            .await
            .unwrap_or(Err(NotCommitted::Unknown.into()))
    }

    async fn settle(&self, write: &Write, event: &Event) -> Result<Done, Problem> {
        if let Some(done) = self.done_before(write).await? {
            return Ok(done);
        }
        if self.connection.current().is_ok_and(|link| link.is_held()) {
            return Err(damaged());
        }
        let committed = self.commits.commit(write.message(event)).await;
        let committed = committed.map_err(|reason| self.not_committed(reason))?;
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

    /// What a write under this `Idempotency-Key` came to before. The broker knows the keys of the last minutes, replicas
    /// those of a day: the replica that is asked must overlap with the broker.
    async fn done_before(&self, write: &Write) -> Result<Option<Done>, Problem> {
        let Some(ours) = &write.identity.idempotency else {
            return Ok(None);
        };
        let link = self.connection.current().map_err(|_| self.not_committed(NotCommitted::Away))?;
        let overlap = link.duplicate_window() / 2;
        let Some(holder) = self.references.holder(link.epoch(), overlap, ours).await? else {
            return Ok(None);
        };
        if holder.body != ours.body {
            return Err(Problem::key_reused());
        }
        if holder.outcome != APPLIED {
            return Err(Problem::rejected(&holder.outcome));
        }
        let token = Token { epoch: link.epoch().clone(), position: holder.position };
        let longest = if write.respond_async { Duration::ZERO } else { self.visible_wait };
        let applied = self.visibility.wait(&token, longest).await.applied;
        Ok(Some(Done { token, applied }))
    }

    /// While the stream is away because its server is not well, or it lost something, whoever writes is told so.
    fn not_committed(&self, reason: NotCommitted) -> Problem {
        match (reason, self.connection.current()) {
            (NotCommitted::Away, Err(error)) => match &*error {
                stream::Error::Unhealthy { reason, .. } => unhealthy(reason),
                error if error.is_damage() => damaged(),
                _ => NotCommitted::Away.into(),
            },
            (reason, _) => reason.into(),
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

/// What was lost is the operator's business, whose log has it.
fn damaged() -> Problem {
    let detail = "the event stream was recreated or lost events, and every replica refuses it: nothing was stored; try again";
    Problem::unavailable(pages::STREAM_DAMAGED, detail)
}

/// The server's own words, without paths: they are nobody's business but the operator's, whose log has them.
pub(crate) fn unhealthy(reason: &str) -> Problem {
    let words: Vec<&str> = reason.split_whitespace().filter(|word| !word.contains('/')).collect();
    let detail =
        format!("the event stream cannot store ({}): nothing was stored; try again", words.join(" "));
    Problem::unavailable(pages::STREAM_UNHEALTHY, detail)
}
