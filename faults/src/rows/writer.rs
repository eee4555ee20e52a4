//! A writer dies, or hangs, between publishing and answering.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use tests::{Shopper, eventually, within};

use super::{killed_again_and_again, summary, volley};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::drive::client::attempt;
use crate::history::{Operation, Outcome, Record, name_of};
use crate::log::Reading;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 15,
    title: "a writer is killed, or hangs, between publishing and answering",
    quick: true,
    // Long enough that a writer is surely killed while it waits for a replica that hangs.
    setup: Setup { environment: &[("writer", "ATELIER_WRITER_VISIBLE_WAIT_MS", "5000")], ..Setup::USUAL },
    run: |arena| kill(arena).boxed_local(),
}];

/// Half of them are PUTs.
const VOLLEY: usize = 10;

/// What becomes of a writer.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Killed,
    /// Stopped until everybody was answered.
    Hangs,
}

async fn kill(arena: &mut Arena) -> Result<Seen, Stop> {
    // With keys, straight at the writer that dies: whoever sent them repeats them at the other one.
    let keyed = posts_and_puts(arena, "keyed").await?;
    let (told, landed) =
        lost_behind_the_publish(arena, arena.writers()[0].clone(), &keyed, true, Fate::Killed).await?;
    if let Some(answered) = told.iter().find(|outcome| !matches!(outcome, Outcome::Unknown(_))) {
        return Err(Stop::from(format!("a writer that was killed before it answered said {answered:?}")));
    }
    let other = arena.writers()[1].clone();
    for ((operation, key), position) in keyed.iter().zip(landed) {
        let record = arena.settle(&other, operation.clone(), key).await;
        match &record.outcome {
            Outcome::Stored { token, .. } if token.position.as_i64() == position => {}
            outcome => {
                return Err(Stop::from(format!(
                    "{operation:?} stands at {position}, its repeat was told {outcome:?}"
                )));
            }
        }
    }

    // Without keys, through nginx: nginx repeats them under the ids that it gave them. It waits 15 s for one that hangs.
    let mut repeated = Vec::new();
    for fate in if arena.quick { &[Fate::Killed][..] } else { &[Fate::Killed, Fate::Hangs] } {
        let plain = posts_and_puts(arena, &format!("{fate:?}")).await?;
        let (told, landed) =
            lost_behind_the_publish(arena, arena.system.shopper(), &plain, false, *fate).await?;
        let mut answered = 0;
        for (((operation, _), outcome), position) in plain.iter().zip(told).zip(landed) {
            match &outcome {
                Outcome::Stored { token, .. } if token.position.as_i64() == position => answered += 1,
                // Nobody was left to repeat it to just then.
                Outcome::Unknown(_) => {}
                outcome => {
                    return Err(Stop::from(format!(
                        "{fate:?}: {operation:?} stands at {position} and was told {outcome:?}"
                    )));
                }
            }
            write_down(arena, operation, outcome);
        }
        repeated.push(format!("{answered} of {VOLLEY} by nginx ({fate:?})"));
    }

    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(2, 20);
    let longest = killed_again_and_again(arena, &drive, &["writer-1", "writer-2"], rounds).await?;
    drive.stop().await;
    let note = format!(
        "{VOLLEY} answered when their senders repeated them, {}; then {rounds} kills: {}",
        repeated.join(", "),
        summary(arena)
    );
    arena.judge(Seen::recovered(longest.ready).note(longest.since_the_kill()).note(note)).await
}

/// Reviews, and votes for reviews that nobody else votes for; each with a key.
async fn posts_and_puts(arena: &Arena, name: &str) -> Result<Vec<(Operation, String)>, Stop> {
    let mut writes = Vec::new();
    for number in 0..VOLLEY {
        let review = arena.review(&format!("{name}-{number}"));
        let operation = if number % 2 == 0 {
            review
        } else {
            let key = format!("{name}-target-{number}");
            match arena.settle(&arena.system.shopper(), review, &key).await.outcome {
                Outcome::Stored { id: Some(id), .. } => Operation::ReviewVote { review: id },
                other => return Err(Stop::from(format!("a review was told {other:?}"))),
            }
        };
        writes.push((operation, format!("{name}-key-{number}")));
    }
    Ok(writes)
}

/// Sends writes while a replica hangs, so that their writers wait for it, and lets the first writer die or hang once all
/// are in the stream. What each was told, and where it stands.
async fn lost_behind_the_publish(
    arena: &Arena,
    shopper: Shopper,
    writes: &[(Operation, String)],
    keyed: bool,
    fate: Fate,
) -> Result<(Vec<Outcome>, Vec<i64>), Stop> {
    arena.system.ready().await;
    let stream = Reading::open(&arena.system).await?;
    let before = stream.head().await?;
    let hanging = arena.system.process("projector-b").clone();
    hanging.pause();
    let owned = writes.to_vec();
    let sending = tokio::spawn(async move {
        if keyed {
            return volley(&shopper, &owned).await;
        }
        let sent = owned.into_iter().map(|(operation, _)| {
            let shopper = shopper.clone();
            tokio::spawn(async move { attempt(&shopper, &operation, None, None).await })
        });
        join_all(sent).await.into_iter().flatten().collect()
    });
    let target = before + writes.len() as i64;
    eventually("all writes are in the stream", within(10), async || {
        let head = stream.head().await?;
        if head >= target { Ok(()) } else { Err(format!("it ends at {head} of {target}")) }
    })
    .await;
    let writer = arena.system.process("writer-1").clone();
    match fate {
        Fate::Killed => writer.kill9().await,
        Fate::Hangs => writer.pause(),
    }
    hanging.resume();
    let told = sending.await.map_err(|error| Stop::from(error.to_string()))?;
    writer.resume();
    writer.wait_ready(within(60)).await?;
    let log = stream.behind(before).await?;
    let place = |operation: &Operation| {
        let name = operation.name(&arena.hashing);
        log.iter().find(|logged| name_of(logged).as_ref() == Some(&name)).map(|logged| logged.position)
    };
    let landed: Option<Vec<i64>> = writes.iter().map(|(operation, _)| place(operation)).collect();
    let landed = landed.ok_or_else(|| Stop::from("a write that was in the stream is not".to_owned()))?;
    Ok((told, landed))
}

fn write_down(arena: &Arena, operation: &Operation, outcome: Outcome) {
    let now = Instant::now();
    arena.history.write(Record {
        operation: operation.clone(),
        key: None,
        started: now,
        last_try: now,
        ended: now,
        tries: 1,
        slowest: Duration::ZERO,
        outcome,
    });
}
