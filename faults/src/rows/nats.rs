//! nats-server dies, hangs, or cannot be heard.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tests::{eventually, within};

use super::{BATCH_UNANSWERED, TELLING, in_time, killed_again_and_again, said_by_writers, summary, volley};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::history::{Operation, Outcome, name_of};
use crate::proxy::Mode;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 4] = [
    Row {
        number: 1,
        title: "kill -9 of nats-server under writes, again and again",
        quick: true,
        setup: Setup { environment: TELLING, ..Setup::USUAL },
        run: |arena| kills(arena).boxed_local(),
    },
    Row {
        number: 7,
        title: "nats-server hangs (SIGSTOP), and goes on",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| hang(arena).boxed_local(),
    },
    Row {
        number: 8,
        title: "acknowledgements are lost on their way; then the way falls silent; then it is slow",
        quick: false,
        setup: Setup { environment: TELLING, ..Setup::PROXIED },
        run: |arena| lost_acknowledgements(arena).boxed_local(),
    },
    Row {
        number: 9,
        title: "writes while nats-server is away do not land behind the caller's back",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| ghosts(arena).boxed_local(),
    },
];

/// Until a write is acknowledged again, from the kill or from the end of a fault.
const BOUND: Duration = Duration::from_secs(5);
/// The longest that one request may take, whatever hangs.
const LONGEST_ANSWER: Duration = Duration::from_secs(20);
const VOLLEY: usize = 50;
/// Each way.
const SLOW: Duration = Duration::from_millis(300);

async fn kills(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(5, 25);
    let longest = killed_again_and_again(arena, &drive, &["nats"], rounds).await?;
    drive.stop().await;
    let batches = said_by_writers(arena, BATCH_UNANSWERED);
    let summary = format!("{rounds} kills, {batches} batches unanswered; {}", summary(arena));
    in_time(longest.killed, BOUND)?;
    arena.judge(Seen::recovered(longest.killed).note(longest.since_ready()).note(summary)).await
}

async fn hang(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    drive.more(100, within(60)).await;
    let nats = arena.system.process("nats").clone();
    nats.pause();
    tokio::time::sleep(Duration::from_secs(arena.rounds(8, 30) as u64)).await;
    nats.resume();
    let longest = drive.recovered(Instant::now(), within(60)).await;
    drive.more(200, within(60)).await;
    drive.stop().await;
    let slowest = arena.history.lock().writes.iter().map(|record| record.slowest).max().unwrap_or_default();
    if slowest > LONGEST_ANSWER {
        return Err(Stop::from(format!("a write was answered after {:.1} s", slowest.as_secs_f64())));
    }
    let summary = format!("slowest answer {:.1} s; {}", slowest.as_secs_f64(), summary(arena));
    in_time(longest, BOUND)?;
    arena.judge(Seen::recovered(longest).note(summary)).await
}

async fn lost_acknowledgements(arena: &mut Arena) -> Result<Seen, Stop> {
    let (told, landed) = while_in(arena, Mode::LoseReplies, "lost").await?;
    if landed == 0 {
        return Err(Stop::from(format!(
            "nothing landed while replies were lost, so nothing was tried: {told:?}"
        )));
    }
    if said_by_writers(arena, BATCH_UNANSWERED) == 0 {
        return Err(Stop::from("no batch lost its acknowledgement, so that was not tried".to_owned()));
    }
    let mut seen = Seen::default().note(words("replies lost", &told, landed));
    let (told, landed) = while_in(arena, Mode::Silent, "silent").await?;
    seen = seen.note(words("nothing heard either way", &told, landed));
    let (told, landed) = while_in(arena, Mode::Delay(SLOW), "slow").await?;
    seen = seen.note(words("slow", &told, landed));
    let between = arena.proxy.as_ref().ok_or_else(|| Stop::from("the row has no proxy".to_owned()))?;
    between.set(Mode::Cut);
    between.set(Mode::Pass);
    let drive = arena.drive(Plan::USUAL);
    let longest = drive.recovered(Instant::now(), within(60)).await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    in_time(longest, BOUND)?;
    seen.recovered = Some(longest);
    arena.judge(seen).await
}

/// Sends writes while the way to nats-server is in a mode, lets it be well again, and repeats them all under their
/// keys: each must be told where it stands. What was told at first, and how many had landed then.
async fn while_in(arena: &Arena, mode: Mode, name: &str) -> Result<(Vec<Outcome>, usize), Stop> {
    let between = arena.proxy.as_ref().ok_or_else(|| Stop::from("the row has no proxy".to_owned()))?;
    let writes = reviews(arena, name);
    between.set(mode);
    let told = volley(&arena.system.shopper(), &writes).await;
    between.set(Mode::Pass);
    let before: HashMap<String, i64> =
        arena.log().await?.iter().filter_map(|logged| Some((name_of(logged)?, logged.position))).collect();
    let mut landed = 0;
    for (operation, key) in &writes {
        let record = arena.settle(&arena.system.shopper(), operation.clone(), key).await;
        let name = operation.name(&arena.hashing);
        let Some(first) = before.get(&name) else {
            continue;
        };
        landed += 1;
        match &record.outcome {
            Outcome::Stored { token, .. } if token.position.as_i64() == *first => {}
            other => {
                return Err(Stop::from(format!("{name} stands at {first}, its repeat was told {other:?}")));
            }
        }
    }
    Ok((told, landed))
}

fn words(what: &str, told: &[Outcome], landed: usize) -> String {
    let count = |of: fn(&Outcome) -> bool| told.iter().filter(|outcome| of(outcome)).count();
    format!(
        "{what}: of {VOLLEY} writes {} acknowledged, {} told that nothing was stored, {} in doubt; {landed} had landed",
        count(|outcome| matches!(outcome, Outcome::Stored { .. })),
        count(|outcome| matches!(outcome, Outcome::Failed(_))),
        count(|outcome| matches!(outcome, Outcome::Unknown(_)))
    )
}

async fn ghosts(arena: &mut Arena) -> Result<Seen, Stop> {
    // Away, and known to be: refused at once, and never stored.
    let nats = arena.system.process("nats").clone();
    nats.stop().await;
    let refused = reviews(arena, "refused");
    let shopper = arena.system.shopper();
    let told = volley(&shopper, &refused).await;
    if let Some(other) =
        told.iter().find(|outcome| !matches!(outcome, Outcome::Failed(_) | Outcome::Unknown(_)))
    {
        return Err(Stop::from(format!("while nats-server was away a write was told {other:?}")));
    }
    nats.start().await?;
    arena.system.ready().await;
    let _probe = arena.system.operator().probe().await;
    let log = arena.log().await?;
    let stored = |operation: &Operation| {
        let name = operation.name(&arena.hashing);
        log.iter().any(|logged| name_of(logged).as_ref() == Some(&name))
    };
    let ghosts: Vec<_> = refused
        .iter()
        .zip(&told)
        .filter(|((operation, _), outcome)| matches!(outcome, Outcome::Failed(_)) && stored(operation))
        .collect();
    if !ghosts.is_empty() {
        return Err(Stop::from(format!("told that nothing was stored, and stored: {ghosts:?}")));
    }

    // Hanging, then dead: in doubt, and a retry settles it.
    nats.pause();
    let doubtful = reviews(arena, "doubtful");
    let in_doubt = volley(&shopper, &doubtful).await;
    nats.kill9().await;
    let killed = Instant::now();
    nats.wait_ready(within(60)).await?;
    eventually("the writers are back", within(60), async || {
        let answer = shopper.vote(5).await;
        if answer.status == 204 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    let recovered = killed.elapsed();
    for (operation, key) in refused.iter().chain(&doubtful) {
        arena.settle(&shopper, operation.clone(), key).await;
    }
    let count =
        |told: &[Outcome]| told.iter().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count();
    let note = format!(
        "stopped: {} of {VOLLEY} told that nothing was stored; hanging, then killed: {} of {VOLLEY}; all retried",
        count(&told),
        count(&in_doubt)
    );
    arena.judge(Seen::recovered(recovered).note(note)).await
}

/// Reviews for a volley, each with its key.
fn reviews(arena: &Arena, name: &str) -> Vec<(Operation, String)> {
    (0..VOLLEY)
        .map(|number| (arena.review(&format!("{name}-{number}")), format!("{name}-key-{number}")))
        .collect()
}
