//! What each checker must see, but for the loss of power.

use std::fs::OpenOptions;
use std::io::Write;

use contract::{Envelope, Event, Idempotency, Millis, Token};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use stream::Message;
use tests::{Shopper, eventually, tables, within};

use super::{Case, gather};
use crate::arena::Arena;
use crate::drive::client::read;
use crate::history::{Operation, Outcome, name_of};
use crate::log::{Logged, Reading};
use crate::row::Stop;

/// One control.
pub(super) struct Control {
    pub(super) checker: &'static str,
    pub(super) what: &'static str,
    pub(super) break_it: for<'a> fn(&'a mut Arena, &'a mut Case) -> LocalBoxFuture<'a, Result<(), Stop>>,
}

/// In this order: what is broken stays broken.
pub(super) const CONTROLS: [Control; 9] = [
    Control {
        checker: "reads are never older than their token",
        what: "a reader that knows of no token, and whose projector hangs",
        break_it: |arena, case| a_reader_without_tokens(arena, case).boxed_local(),
    },
    Control {
        checker: "what was told not to be stored is not",
        what: "a write that is in the stream was told that nothing was stored",
        break_it: |_, case| a_false_failure(case).boxed_local(),
    },
    Control {
        checker: "acknowledged writes are in the stream",
        what: "an acknowledged event is taken out of what the stream is said to hold",
        break_it: |_, case| a_lost_event(case).boxed_local(),
    },
    Control {
        checker: "no message id twice",
        what: "an event published again under its id, when the broker had forgotten it",
        break_it: |arena, case| the_same_id(arena, case).boxed_local(),
    },
    Control {
        checker: "no operation applied twice",
        what: "a shopper's event published again under another id",
        break_it: |arena, case| another_id(arena, case).boxed_local(),
    },
    Control {
        checker: "no key applied twice",
        what: "the rows of a key's second event, written by hand as a projector that knows no keys would",
        break_it: |arena, case| a_key_applied_twice(arena, case).boxed_local(),
    },
    Control {
        checker: "replicas are the fold of the stream",
        what: "replica a lacks an event's row, as of a projector that skips one",
        break_it: |arena, case| a_skipped_event(arena, case).boxed_local(),
    },
    Control {
        checker: "replicas are equal at equal positions",
        what: "the same",
        break_it: |_, _| async { Ok(()) }.boxed_local(),
    },
    Control {
        checker: "no process of ours panicked",
        what: "the first line that Rust writes of a panic, put into a writer's log by hand",
        break_it: |arena, case| a_panic(arena, case).boxed_local(),
    },
];

const BY_HAND: &str = "insert into interactions (id, element, widget, time, date) \
     select $1, element, widget, time, date from interactions where id = $2";
const PANIC: &str = "\nthread 'tokio-rt-worker' (4711) panicked at writer/src/commit.rs:1:1:\nby hand\n";
const SKIP: &str = "delete from interactions where id = (select max(id) from interactions)";

async fn a_reader_without_tokens(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let hanging = arena.system.process("projector-b").clone();
    let url = arena.system.reader_urls().pop().ok_or_else(|| Stop::from("there is no reader".to_owned()))?;
    let stream = Reading::open(&arena.system).await?;
    let logged = interaction_of(case, false)?;
    hanging.pause();
    // Soon enough that the reader has not noticed yet that its projector is silent.
    let envelope = Envelope::new("behind".to_owned(), Millis(logged.time), "/atelier/faults");
    let placed = stream.link.publish(&Message::new(&envelope, &logged.event), within(10)).await;
    let position = placed.map_err(|error| error.to_string())?.position;
    // The demand is in the record and not in the request, so the reader cannot honour it.
    let mut answered = read(&Shopper::at(url), arena.product().id, None).await;
    answered.demanded = Some(Token { epoch: stream.link.epoch().clone(), position });
    case.history.reads.push(answered);
    hanging.resume();
    settled(arena).await
}

async fn a_false_failure(case: &mut Case) -> Result<(), Stop> {
    let record =
        case.history.writes.iter_mut().find(|record| matches!(record.outcome, Outcome::Stored { .. }));
    let record = record.ok_or_else(|| Stop::from("nothing was stored".to_owned()))?;
    record.outcome = Outcome::Failed("nothing was stored".to_owned());
    Ok(())
}

async fn a_lost_event(case: &mut Case) -> Result<(), Stop> {
    let lost = case.history.highest();
    case.log.retain(|logged| logged.position != lost);
    Ok(())
}

async fn the_same_id(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let logged = interaction_of(case, false)?;
    again(arena, &logged, &logged.id, None).await?;
    *case = gather(arena).await?;
    Ok(())
}

async fn another_id(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let logged = interaction_of(case, false)?;
    again(arena, &logged, "another-id", None).await?;
    *case = gather(arena).await?;
    Ok(())
}

async fn a_key_applied_twice(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let logged = interaction_of(case, true)?;
    let position = again(arena, &logged, "another-id-with-a-key", logged.key.clone()).await?;
    for replica in arena.system.replicas() {
        let mut connection = connected(arena, replica).await?;
        let written =
            sqlx::query(BY_HAND).bind(position).bind(logged.position).execute(&mut connection).await;
        written.map_err(|error| error.to_string())?;
    }
    *case = gather(arena).await?;
    // The rows by hand are no part of the next controls.
    for replica in arena.system.replicas() {
        let mut connection = connected(arena, replica).await?;
        let removed = sqlx::query("delete from interactions where id = $1")
            .bind(position)
            .execute(&mut connection)
            .await;
        removed.map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn a_skipped_event(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let mut connection = connected(arena, "a").await?;
    sqlx::raw_sql(SKIP).execute(&mut connection).await.map_err(|error| error.to_string())?;
    *case = gather(arena).await?;
    Ok(())
}

async fn a_panic(arena: &mut Arena, case: &mut Case) -> Result<(), Stop> {
    let log = arena.system.process("writer-1").log().to_owned();
    let written =
        OpenOptions::new().append(true).open(&log).and_then(|mut log| log.write_all(PANIC.as_bytes()));
    written.map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
    *case = gather(arena).await?;
    Ok(())
}

/// An interaction of a shopper, with or without a key.
fn interaction_of(case: &Case, keyed: bool) -> Result<Logged, Stop> {
    let told: Vec<String> = case
        .history
        .writes
        .iter()
        .filter_map(|record| match &record.operation {
            Operation::Interaction { mark } => Some(format!("interaction.recorded {mark}")),
            _ => None,
        })
        .collect();
    let of_a_shopper = |logged: &&Logged| {
        matches!(logged.event, Event::InteractionRecorded(_))
            && logged.key.is_some() == keyed
            && name_of(logged).is_some_and(|name| told.contains(&name))
    };
    let found = case.log.iter().find(of_a_shopper).cloned();
    found.ok_or_else(|| Stop::from("no shopper's interaction is in the stream".to_owned()))
}

/// Publishes an event once more, and waits until every replica has been there; its second position.
async fn again(arena: &Arena, logged: &Logged, id: &str, key: Option<Idempotency>) -> Result<i64, Stop> {
    let stream = Reading::open(&arena.system).await?;
    let mut envelope = Envelope::new(id.to_owned(), Millis(logged.time), "/atelier/faults");
    envelope.idempotency = key;
    let placed = stream.link.publish(&Message::new(&envelope, &logged.event), within(10)).await;
    let placed = placed.map_err(|error| error.to_string())?;
    if placed.duplicate {
        return Err(Stop::from(format!("the broker still knows {id}")));
    }
    settled(arena).await?;
    Ok(placed.position.as_i64())
}

/// Waits until every replica has applied the whole stream.
async fn settled(arena: &Arena) -> Result<(), Stop> {
    let head = Reading::open(&arena.system).await?.head().await?;
    for replica in arena.system.replicas() {
        eventually(&format!("replica {replica} has applied {head}"), within(60), async || {
            let position = tables::position(&arena.system, replica).await?;
            if position >= head { Ok(()) } else { Err(format!("it stands at {position}")) }
        })
        .await;
    }
    Ok(())
}

async fn connected(arena: &Arena, replica: &str) -> Result<sqlx::PgConnection, Stop> {
    Ok(tables::connect(&arena.system, replica).await.map_err(|error| error.to_string())?)
}
