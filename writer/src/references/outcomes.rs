//! What became of events, and of `Idempotency-Key`s.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::fold::{Holder, KEY_LIFE, Outcome, Reason};
use contract::{Epoch, Idempotency, Millis, Position};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::group::Group;
use super::replicas::{Replicas, Unanswered};

const OUTCOME: &str = include_str!("outcome.sql");
const HOLDER: &str = include_str!("holder.sql");

/// An event's position, and the key that it carries.
type Event = (i64, Option<String>);
/// A stream's life, how long ago everything must have been stored that the replica may lack, and a key.
type Key = (Epoch, Duration, String);

/// What a replica knows of the events that a group asked for.
struct Known {
    checkpoint: i64,
    rejected: HashMap<i64, String>,
    holders: HashMap<String, i64>,
}

/// Asks what became of events, and who holds keys.
pub(super) struct Outcomes {
    events: Group<Event, Known>,
    keys: Group<Key, HashMap<String, Holder>>,
}

impl Outcomes {
    pub(super) fn new(replicas: &Arc<Replicas>) -> Outcomes {
        let asked = replicas.clone();
        let events = Group::start("outcomes", move |events: Vec<Event>| {
            let replicas = asked.clone();
            async move {
                let (positions, keys): (Vec<i64>, Vec<Option<String>>) = events.into_iter().unzip();
                let keys: Vec<String> = keys.into_iter().flatten().collect();
                let statement = || sqlx::query(OUTCOME).bind(positions.clone()).bind(keys.clone());
                known(&replicas.ask(statement).await?.row).map_err(unreadable)
            }
        });
        let asked = replicas.clone();
        let keys = Group::start("holders of keys", move |keys: Vec<Key>| {
            let replicas = asked.clone();
            async move {
                // A connection's members all name the same stream; after a change of it those who came last are right.
                let (epoch, age) =
                    keys.last().map(|(epoch, age, _)| (epoch.clone(), *age)).ok_or(Unanswered)?;
                let keys: Vec<String> = keys.into_iter().map(|(_, _, key)| key).collect();
                let statement = || sqlx::query(HOLDER).bind(keys.clone()).bind(KEY_LIFE);
                holders(&replicas.ask_confirmed(&epoch, age, statement).await?).map_err(unreadable)
            }
        });
        Outcomes { events, keys }
    }

    /// What became of an event that some replica has applied; `None` when nobody can tell.
    pub(super) async fn outcome(
        &self,
        position: Position,
        key: Option<&Idempotency>,
    ) -> Option<(Outcome, Option<Position>)> {
        let key = key.map(|key| &key.key);
        let known = self.events.ask((position.as_i64(), key.cloned())).await.ok()?;
        if known.checkpoint < position.as_i64() {
            return None;
        }
        if let Some(reason) = known.rejected.get(&position.as_i64()) {
            return Some((Outcome::Rejected(reason_of(reason)?), None));
        }
        match key.and_then(|key| known.holders.get(key)).map(|first| Position::from_i64(*first)) {
            Some(first) if first < position => Some((Outcome::NoOp, Some(first))),
            _ => Some((Outcome::Applied, None)),
        }
    }

    /// Who holds a key.
    ///
    /// # Errors
    /// No replica that is up to date enough answered.
    pub(super) async fn holder(
        &self,
        epoch: &Epoch,
        age: Duration,
        key: &Idempotency,
    ) -> Result<Option<Holder>, Unanswered> {
        let held = self.keys.ask((epoch.clone(), age, key.key.clone())).await?;
        Ok(held.get(&key.key).cloned())
    }
}

/// The reason of which replicas keep the word; none when a later version has another.
pub(crate) fn reason_of(word: &str) -> Option<Reason> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

fn known(row: &PgRow) -> sqlx::Result<Known> {
    let (rejected, reasons): (Vec<i64>, Vec<String>) = (row.try_get("rejected")?, row.try_get("reasons")?);
    let (held, holders): (Vec<String>, Vec<i64>) = (row.try_get("held")?, row.try_get("holders")?);
    Ok(Known {
        checkpoint: row.try_get("checkpoint")?,
        rejected: rejected.into_iter().zip(reasons).collect(),
        holders: held.into_iter().zip(holders).collect(),
    })
}

fn holders(row: &PgRow) -> sqlx::Result<HashMap<String, Holder>> {
    let (keys, positions): (Vec<String>, Vec<i64>) = (row.try_get("keys")?, row.try_get("positions")?);
    let (bodies, outcomes): (Vec<String>, Vec<String>) = (row.try_get("bodies")?, row.try_get("outcomes")?);
    let held = positions.into_iter().zip(bodies).zip(outcomes).map(|((position, body), outcome)| Holder {
        position: Position::from_i64(position),
        body,
        outcome,
        // Not asked for: whoever is listed counts.
        clock: Millis(0),
    });
    Ok(keys.into_iter().zip(held).collect())
}

fn unreadable(error: sqlx::Error) -> Unanswered {
    tracing::error!(%error, "a replica's answer about keys or outcomes could not be read");
    Unanswered
}
