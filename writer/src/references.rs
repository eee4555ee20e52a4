//! What a writer asks replicas: does what a write refers to exist, who holds an `Idempotency-Key`, what became of an
//! event. Asked in groups, of the most advanced live replica; what was seen to exist is not asked again.

mod existing;
mod group;
mod memory;
mod outcomes;
mod replicas;

use std::time::Duration;

use contract::fold::{Holder, Outcome};
use contract::resources::reviews::NewReview;
use contract::{Epoch, Idempotency, Position};
use service::config::Replica;
use service::problem::{Problem, pages};
use stream::Connection;
use tokio::sync::watch;

use crate::outcome::unhealthy;
use crate::visibility::Visibility;
pub(crate) use existing::Kind;
use existing::{Existing, Look};
use outcomes::Outcomes;
use replicas::Replicas;

/// Asks replicas.
pub(crate) struct References {
    existing: Existing,
    outcomes: Outcomes,
    connection: Connection,
    visibility: Visibility,
    wait: Duration,
}

impl References {
    /// Connects when the first question comes; takes up replicas that come and go.
    ///
    /// # Errors
    /// When a replica's url or password cannot be read.
    pub(crate) fn new(
        replicas: watch::Receiver<Vec<Replica>>,
        wait: Duration,
        connection: Connection,
        visibility: Visibility,
    ) -> Result<References, replica::Error> {
        let replicas = Replicas::new(replicas, visibility.clone())?;
        Ok(References {
            existing: Existing::new(&replicas, connection.clone()),
            outcomes: Outcomes::new(&replicas),
            connection,
            visibility,
            wait,
        })
    }

    /// Checks a new review's product and characteristics.
    ///
    /// # Errors
    /// 404 when one is unknown, 422 when a characteristic is another product's, 503 while nobody can tell.
    pub(crate) async fn new_review(&self, review: &NewReview) -> Result<(), Problem> {
        self.existing.new_review(review).await
    }

    /// Checks that something exists. What was just written may not have reached the replica: it is waited for.
    ///
    /// # Errors
    /// 404 when it does not, 503 while nobody can tell.
    pub(crate) async fn exists(&self, kind: Kind, id: i64) -> Result<(), Problem> {
        let mut waited = false;
        loop {
            let position = Position::from_i64(id);
            let missing_at = match self.existing.look(kind, id).await? {
                Look::Exists => return Ok(()),
                Look::MissingAt(missing_at) => missing_at,
            };
            if position < Position::FIRST || missing_at >= id {
                return Err(Problem::unknown(kind.word(), id));
            } else if waited {
                return Err(Problem::unavailable(
                    pages::NOT_REACHED,
                    format!("no replica has reached {} {id} yet: nothing was stored; try again", kind.word()),
                ));
            }
            if position > self.head().await? {
                return Err(Problem::unknown(kind.word(), id));
            }
            // Reached or not: the next look decides.
            self.visibility.wait_for_any(position, self.wait).await;
            waited = true;
        }
    }

    /// Who holds a key, if anybody does: asked of a replica that missed nothing that was stored longer ago than `age`.
    ///
    /// # Errors
    /// 503: no such replica answered.
    pub(crate) async fn holder(
        &self,
        epoch: &Epoch,
        age: Duration,
        key: &Idempotency,
    ) -> Result<Option<Holder>, Problem> {
        self.outcomes.holder(epoch, age, key).await.map_err(|_unanswered| {
            Problem::unavailable(
                pages::REPLICAS_AWAY,
                "no replica that is up to date can be asked who used this Idempotency-Key: nothing was stored; try again with the same key",
            )
        })
    }

    /// What became of an event that some replica has applied; `None` when nobody can tell.
    pub(crate) async fn outcome(
        &self,
        position: Position,
        key: Option<&Idempotency>,
    ) -> Option<(Outcome, Option<Position>)> {
        self.outcomes.outcome(position, key).await
    }

    async fn head(&self) -> Result<Position, Problem> {
        let away = |error: &stream::Error| match error {
            stream::Error::Unhealthy { reason, .. } => unhealthy(reason),
            _ => Problem::unavailable(
                pages::STREAM_AWAY,
                "the event stream cannot be reached: nothing was stored; try again",
            ),
        };
        let link = self.connection.current().map_err(|error| away(&error))?;
        link.head().await.map_err(|error| away(&error))
    }
}
