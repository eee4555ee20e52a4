//! THE transaction: compare-and-set of the checkpoint, rows, rejections and keys, commit.

mod steps;

use std::collections::{BTreeMap, HashMap, HashSet};

use contract::announcement::Exception;
use contract::fold::{Folded, Holder, KEY_LIFE, Known, Outcome, Reason, References, advance, fold};
use contract::{Event, Millis, PROJECTION_VERSION, Position};
use replica::Checkpoint;
use sqlx::{Connection, PgConnection, Row};

use crate::batch::Ready;
use crate::failure::Failure;
use crate::resources;

pub(crate) use steps::{Closing, Going, apply_steps};

/// The compare-and-set, always the first statement.
const ADVANCE: &str = include_str!("apply/advance.sql");
const KNOWN_KEYS: &str = include_str!("apply/known_keys.sql");
const KNOWN_PARENTS: &str = include_str!("apply/known_parents.sql");
const REJECT: &str = include_str!("apply/reject.sql");
const TAKE_KEYS: &str = include_str!("apply/take_keys.sql");
const COUNT_NO_OPS: &str = include_str!("apply/count_no_ops.sql");
const EXPIRE_KEYS: &str = include_str!("apply/expire_keys.sql");
/// Keys are expired when the stream clock passes a full minute: a function of the clock, so that every cut of the
/// stream into batches leaves the same rows.
const EXPIRY_STEP: i64 = 60_000;

/// What a transaction came to.
pub(crate) struct Applied {
    /// The checkpoint after it.
    pub(crate) checkpoint: Checkpoint,
    /// No-ops and rejections.
    pub(crate) exceptions: Vec<Exception>,
}

/// Applies one batch to the generation that the connection's `search_path` names.
///
/// # Errors
/// Whatever kept the transaction from committing; nothing is changed then.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    checkpoint: &Checkpoint,
    batch: &[Ready],
) -> Result<Applied, Failure> {
    let last = batch.last().expect("a batch is never empty");
    let steps = if in_steps(checkpoint, last) { resources::catalogue::ALL_STEPS } else { 0 };
    if checkpoint.step != steps {
        let (done, of) = (checkpoint.step.count_ones(), resources::catalogue::STEPS.len());
        let reason =
            format!("{done} of {of} steps of a catalogue's closing are made, which is not this event");
        return Err(Failure::Content(reason));
    }
    let clock =
        batch.iter().fold(checkpoint.clock, |clock, ready| Some(advance(clock, ready.occurrence.stored)));
    let clock = clock.expect("a batch moves the clock");
    let (types, numbers) = by_type(batch.iter());
    let mut transaction = connection.begin().await?;
    let advanced = sqlx::query(ADVANCE)
        .bind(last.occurrence.position.as_i64())
        .bind(&last.hash[..])
        .bind(clock.0)
        .bind(PROJECTION_VERSION)
        .bind(checkpoint.position.as_i64())
        .bind(checkpoint.epoch.as_str())
        .bind(checkpoint.fence)
        .bind(steps)
        .bind(types)
        .bind(numbers)
        .execute(&mut *transaction)
        .await?;
    if advanced.rows_affected() != 1 {
        return Err(Failure::Fenced);
    }
    let mut importing = checkpoint.importing;
    let outcomes = match batch {
        // A parked event is folded like any other: it is rejected, and takes its key.
        [only] if only.occurrence.event.is_barrier() && only.parked.is_none() => {
            let outcome = resources::apply_barrier(&mut transaction, only, &mut importing).await?;
            vec![(outcome, None)]
        }
        _ => apply_ordinary(&mut transaction, checkpoint.clock, batch).await?,
    };
    record_rejections(&mut transaction, batch, &outcomes).await?;
    count_no_ops(&mut transaction, batch, &outcomes).await?;
    if checkpoint.clock.is_some_and(|before| before.0 / EXPIRY_STEP < clock.0 / EXPIRY_STEP) {
        let oldest = clock.0 / EXPIRY_STEP * EXPIRY_STEP - KEY_LIFE;
        sqlx::query(EXPIRE_KEYS).bind(oldest).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;

    let exceptions = batch.iter().zip(&outcomes).filter(|(_, (outcome, _))| *outcome != Outcome::Applied);
    let exceptions =
        exceptions.map(|(ready, (outcome, first))| (ready.occurrence.position, *outcome, *first)).collect();
    count(&outcomes);
    let checkpoint = Checkpoint {
        position: last.occurrence.position,
        event_hash: last.hash.to_vec(),
        clock: Some(clock),
        version: PROJECTION_VERSION,
        step: 0,
        importing,
        ..checkpoint.clone()
    };
    Ok(Applied { checkpoint, exceptions })
}

/// Whether an event is applied in steps before its transaction: the closing of the catalogue that is open.
pub(crate) fn in_steps(checkpoint: &Checkpoint, ready: &Ready) -> bool {
    checkpoint.importing && matches!(ready.occurrence.event, Event::CatalogueClosed(_))
}

/// Fetches what the batch names, folds it in memory, and writes only what was accepted, set-based.
async fn apply_ordinary(
    connection: &mut PgConnection,
    clock: Option<Millis>,
    batch: &[Ready],
) -> Result<Vec<(Outcome, Option<Position>)>, Failure> {
    let occurrences: Vec<_> = batch.iter().map(|ready| ready.occurrence.clone()).collect();
    let known = fetch_known(connection, &References::of(&occurrences)).await?;
    let Folded { outcomes, taken, .. } = fold(known, clock, &occurrences);
    let accepted: Vec<_> = occurrences
        .iter()
        .zip(&outcomes)
        .filter(|(_, (o, _))| *o == Outcome::Applied)
        .map(|(o, _)| o)
        .collect();
    resources::apply(connection, &accepted).await?;
    take_keys(connection, taken).await?;
    Ok(outcomes)
}

async fn fetch_known(connection: &mut PgConnection, references: &References) -> Result<Known, Failure> {
    let mut known = Known::default();
    if !references.keys.is_empty() {
        for row in sqlx::query(KNOWN_KEYS).bind(&references.keys).fetch_all(&mut *connection).await? {
            let holder = Holder {
                position: Position::from_i64(row.try_get("position")?),
                body: row.try_get("body")?,
                outcome: row.try_get("outcome")?,
                clock: Millis(row.try_get("clock")?),
            };
            known.keys.insert(row.try_get("key")?, holder);
        }
    }
    let parents = sqlx::query(KNOWN_PARENTS)
        .bind(&references.products)
        .bind(&references.skus)
        .bind(&references.reviews)
        .bind(&references.characteristics)
        .bind(&references.questions)
        .bind(&references.answers)
        .fetch_all(connection)
        .await?;
    for row in parents {
        let id: i64 = row.try_get("id")?;
        match row.try_get("kind")? {
            "product" => drop(known.products.insert(id)),
            "sku" => drop(known.skus.insert(id)),
            "review" => drop(known.reviews.insert(id)),
            "question" => drop(known.questions.insert(id)),
            "answer" => drop(known.answers.insert(id)),
            _ => drop(known.characteristics.insert(id, row.try_get("product_id")?)),
        }
    }
    Ok(known)
}

async fn take_keys(connection: &mut PgConnection, taken: HashMap<String, Holder>) -> Result<(), Failure> {
    if taken.is_empty() {
        return Ok(());
    }
    let (keys, holders): (Vec<String>, Vec<Holder>) = taken.into_iter().unzip();
    sqlx::query(TAKE_KEYS)
        .bind(keys)
        .bind(holders.iter().map(|holder| holder.position.as_i64()).collect::<Vec<_>>())
        .bind(holders.iter().map(|holder| holder.body.as_str()).collect::<Vec<_>>())
        .bind(holders.iter().map(|holder| holder.outcome.as_str()).collect::<Vec<_>>())
        .bind(holders.iter().map(|holder| holder.clock.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// How many events there are of each type, side by side.
fn by_type<'a>(events: impl Iterator<Item = &'a Ready>) -> (Vec<&'a str>, Vec<i64>) {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for ready in events {
        *counts.entry(ready.event_type()).or_default() += 1;
    }
    counts.into_iter().unzip()
}

async fn count_no_ops(
    connection: &mut PgConnection,
    batch: &[Ready],
    outcomes: &[(Outcome, Option<Position>)],
) -> Result<(), Failure> {
    let no_ops = batch.iter().zip(outcomes).filter(|(_, (outcome, _))| *outcome == Outcome::NoOp);
    let (types, numbers) = by_type(no_ops.map(|(ready, _)| ready));
    if !types.is_empty() {
        sqlx::query(COUNT_NO_OPS).bind(types).bind(numbers).execute(connection).await?;
    }
    Ok(())
}

async fn record_rejections(
    connection: &mut PgConnection,
    batch: &[Ready],
    outcomes: &[(Outcome, Option<Position>)],
) -> Result<(), Failure> {
    let rejected: Vec<(i64, &str, &str)> = batch
        .iter()
        .zip(outcomes)
        .filter_map(|(ready, (outcome, _))| match outcome {
            Outcome::Rejected(reason) => {
                Some((ready.occurrence.position.as_i64(), ready.event_type(), Reason::word(*reason)))
            }
            Outcome::Applied | Outcome::NoOp => None,
        })
        .collect();
    if rejected.is_empty() {
        return Ok(());
    }
    sqlx::query(REJECT)
        .bind(rejected.iter().map(|row| row.0).collect::<Vec<_>>())
        .bind(rejected.iter().map(|row| row.1).collect::<Vec<_>>())
        .bind(rejected.iter().map(|row| row.2).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    for ready in batch {
        if let (Some(event_type), Event::ControlParked(decision)) = (&ready.parked, &ready.occurrence.event) {
            tracing::warn!(
                position = decision.position.0,
                event_type,
                because = decision.because,
                sender = decision.sender,
                "an event is parked: it is not applied, and counts as rejected"
            );
        }
    }
    let reasons: HashSet<&str> = rejected.iter().map(|row| row.2).collect();
    tracing::warn!(
        events = rejected.len(),
        first = rejected[0].0,
        ?reasons,
        "events were rejected on record"
    );
    Ok(())
}

fn count(outcomes: &[(Outcome, Option<Position>)]) {
    for (word, of) in [
        ("applied", (|o| matches!(o, Outcome::Applied)) as fn(Outcome) -> bool),
        ("no_op", |o| matches!(o, Outcome::NoOp)),
        ("rejected", |o| matches!(o, Outcome::Rejected(_))),
    ] {
        let number = outcomes.iter().filter(|(outcome, _)| of(*outcome)).count();
        metrics::counter!(service::metrics::APPLIED_EVENTS, "outcome" => word).increment(number as u64);
    }
}
