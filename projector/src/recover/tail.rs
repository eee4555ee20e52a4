//! What the closed stream still has behind a replica: acknowledged, and not applied when the projector stopped. As far as it can
//! be read it is applied before the life of the stream ends.

use std::time::Duration;

use contract::{Event, Position};
use replica::{Checkpoint, read_checkpoint};
use service::config::Replica;
use sqlx::{Connection as _, PgConnection};
use stream::Link;

use super::adopt::durably;
use crate::apply::apply;
use crate::batch::Batches;
use crate::failure::Failure;
use crate::ownership::RAISE_FENCE;
use crate::parking::Decisions;

/// Most events in one transaction.
const BATCH: usize = 1_000;
/// How long nothing may come though the stream has more.
const SILENCE: Duration = Duration::from_secs(5);

/// How far a replica came, and why no further.
pub(super) struct Tail {
    pub(super) applied: u64,
    pub(super) checkpoint: Checkpoint,
    /// Empty: to the stream's end.
    pub(super) stopped: String,
}

/// From now on nothing is applied to what a replica serves but by who holds this: its projector's next compare-and-set fails,
/// and nobody can connect to the closed stream to go on.
///
/// # Errors
/// When the database fails.
pub(super) async fn fence(replica: &Replica) -> Result<(PgConnection, Checkpoint), replica::Error> {
    let mut connection = PgConnection::connect_with(&durably(replica)?).await?;
    sqlx::query(RAISE_FENCE).execute(&mut connection).await?;
    let checkpoint = read_checkpoint(&mut connection).await?;
    Ok((connection, checkpoint))
}

/// Applies what there is up to a position.
///
/// # Errors
/// When the database fails. What cannot be read or applied ends it, and is told.
pub(super) async fn apply_tail(replica: &Replica, link: &Link, last: Position) -> Result<Tail, Failure> {
    let (mut connection, checkpoint) = fence(replica).await?;
    let mut tail = Tail { applied: 0, checkpoint, stopped: String::new() };
    let decisions = match Decisions::read(link).await {
        Ok(decisions) => decisions,
        Err(error) => return Ok(Tail { stopped: error.to_string(), ..tail }),
    };
    let mut batches = match link.follow(tail.checkpoint.position.next()).await {
        Ok(follower) => Batches::new(follower, &decisions, BATCH),
        Err(error) => return Ok(Tail { stopped: error.to_string(), ..tail }),
    };
    while tail.checkpoint.position < last {
        let batch = match tokio::time::timeout(SILENCE, batches.next()).await {
            Ok(Ok(batch)) => batch,
            Ok(Err(error)) => return Ok(Tail { stopped: error.to_string(), ..tail }),
            Err(_) => {
                let stopped =
                    format!("nats-server gives nothing behind {} within 5 s", tail.checkpoint.position);
                return Ok(Tail { stopped, ..tail });
            }
        };
        if matches!(batch[0].occurrence.event, Event::CatalogueOpened(_)) {
            let stopped = format!("a catalogue begins at {}", batch[0].occurrence.position);
            return Ok(Tail { stopped, ..tail });
        }
        match apply(&mut connection, &tail.checkpoint, &batch).await {
            Ok(applied) => tail.checkpoint = applied.checkpoint,
            Err(failure) if failure.is_content() => {
                return Ok(Tail { stopped: failure.to_string(), ..tail });
            }
            Err(failure) => return Err(failure),
        }
        tail.applied += batch.len() as u64;
    }
    connection.close().await?;
    Ok(tail)
}
