//! A write happens once, however often and under whatever circumstances it is sent.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use serde_json::json;
use tests::Shopper;

use super::{BATCH_REFUSED, TELLING, said_by_writers, summary};
use crate::arena::Arena;
use crate::drive::client::attempt;
use crate::history::{Operation, Outcome, Record};
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 4] = [
    Row {
        number: 10,
        title: "one Idempotency-Key in 100 requests at once, through two writers",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| one_key(arena).boxed_local(),
    },
    Row {
        number: 11,
        title: "one Idempotency-Key, another body",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| another_body(arena).boxed_local(),
    },
    Row {
        number: 12,
        title: "one Idempotency-Key after the broker's window, a writer's restart, the broker's restart",
        quick: false,
        setup: Setup {
            environment: &[("init", "ATELIER_STREAM_DUPLICATE_WINDOW_MS", "1000")],
            ..Setup::USUAL
        },
        run: |arena| after_the_window(arena).boxed_local(),
    },
    Row {
        number: 14,
        title: "duplicates inside groups of concurrent writes, at two writers",
        quick: true,
        setup: Setup { environment: TELLING, ..Setup::USUAL },
        run: |arena| duplicates_in_groups(arena).boxed_local(),
    },
];

const REQUESTS: usize = 100;
/// Longer than the window of the row that has one.
const BEHIND_THE_WINDOW: Duration = Duration::from_millis(2_500);

/// A try: which operation, its key or attempt.
type Try = (usize, Option<String>, Option<String>);

async fn one_key(arena: &mut Arena) -> Result<Seen, Stop> {
    let writers = arena.writers();
    for round in 0..arena.rounds(3, 20) {
        let operation = match round % 3 {
            0 => arena.review(&format!("one-{round}")),
            1 => Operation::Cart { session: format!("one-{round}") },
            _ => Operation::Interaction { mark: format!("one-{round}") },
        };
        let key = format!("one-key-{round}");
        let tries: Vec<Try> = (0..REQUESTS).map(|_| (0, Some(key.clone()), None)).collect();
        let told = all_at_once(&writers, std::slice::from_ref(&operation), tries).await;
        agreed(arena, &operation, Some(&key), &told)?;
    }
    let summary = summary(arena);
    arena.judge(Seen::default().note(summary)).await
}

async fn another_body(arena: &mut Arena) -> Result<Seen, Stop> {
    let shopper = arena.system.shopper();
    let operation = arena.review("first");
    let first = arena.settle(&shopper, operation.clone(), "same").await;
    for (number, url) in [arena.system.url()].into_iter().chain(arena.system.writer_urls()).enumerate() {
        let mut body = operation.body().unwrap_or_default();
        body["rating"] = json!(number + 1);
        body["summary"] = json!(format!("other-{number}"));
        let shopper = Shopper::at(url);
        let request = shopper.request(operation.method(), &operation.path());
        let answer = shopper.send(request.header("idempotency-key", "same").json(&body)).await;
        if answer.status != 422 {
            return Err(Stop::from(format!("another body under a taken key was answered {answer:?}")));
        }
    }
    let again = arena.settle(&shopper, operation, "same").await;
    if again.outcome != first.outcome {
        return Err(Stop::from(format!(
            "the first was told {:?}, its repeat {:?}",
            first.outcome, again.outcome
        )));
    }
    arena.judge(Seen::default()).await
}

async fn after_the_window(arena: &mut Arena) -> Result<Seen, Stop> {
    let operations = [
        arena.review("window"),
        Operation::Cart { session: "window".to_owned() },
        Operation::ReviewVote { review: 5 },
    ];
    let shopper = arena.system.shopper();
    let mut first: Vec<Record> = Vec::new();
    for operation in &operations {
        first.push(arena.settle(&shopper, operation.clone(), "window").await);
    }
    let mut longest = Duration::ZERO;
    for then in ["the window", "a writer's restart", "nats-server's restart"] {
        tokio::time::sleep(BEHIND_THE_WINDOW).await;
        let restart: &[&str] = match then {
            "a writer's restart" => &["writer-1", "writer-2"],
            "nats-server's restart" => &["nats"],
            _ => &[],
        };
        for name in restart {
            arena.system.process(name).restart().await?;
        }
        let restarted = Instant::now();
        for (operation, before) in operations.iter().zip(&first) {
            let again = arena.settle(&shopper, operation.clone(), "window").await;
            if again.outcome != before.outcome {
                let (first, second) = (&before.outcome, &again.outcome);
                return Err(Stop::from(format!("{operation:?} was told {first:?}, after {then} {second:?}")));
            }
        }
        longest = longest.max(restarted.elapsed());
    }
    arena.judge(Seen::recovered(longest)).await
}

async fn duplicates_in_groups(arena: &mut Arena) -> Result<Seen, Stop> {
    let writers = arena.writers();
    let rounds = arena.rounds(5, 30);
    for round in 0..rounds {
        // 40 that come once, 20 with a key that come three times, 20 with nginx's id that come twice.
        let operations: Vec<Operation> = (0..80)
            .map(|number| match number % 3 {
                0 => arena.review(&format!("group-{round}-{number}")),
                1 => Operation::Cart { session: format!("group-{round}-{number}") },
                _ => Operation::Interaction { mark: format!("group-{round}-{number}") },
            })
            .collect();
        let mut tries: Vec<Try> = Vec::new();
        for number in 0..80 {
            let (key, attempt) = named(round, number);
            let times = if number < 40 {
                1
            } else if number < 60 {
                3
            } else {
                2
            };
            tries.extend((0..times).map(|_| (number, key.clone(), attempt.clone())));
        }
        for last in (1..tries.len()).rev() {
            tries.swap(last, arena.random.below(last + 1));
        }
        let told = all_at_once(&writers, &operations, tries).await;
        for (number, operation) in operations.iter().enumerate() {
            let of_it: Vec<(usize, Outcome)> = told.iter().filter(|(of, _)| *of == number).cloned().collect();
            agreed(arena, operation, named(round, number).0.as_deref(), &of_it)?;
        }
    }
    let refused = said_by_writers(arena, BATCH_REFUSED);
    if refused == 0 {
        return Err(Stop::from("no batch held a duplicate, so that was not tried".to_owned()));
    }
    let summary = format!(
        "{rounds} rounds of 140 requests, {refused} batches refused for a duplicate; {}",
        summary(arena)
    );
    arena.judge(Seen::default().note(summary)).await
}

/// Key and attempt of an operation of a round.
fn named(round: usize, number: usize) -> (Option<String>, Option<String>) {
    let name = format!("group-{round}-{number}");
    if number < 60 { (Some(name), None) } else { (None, Some(name)) }
}

/// Sends all tries at once, spread over the writers.
async fn all_at_once(
    writers: &[Shopper],
    operations: &[Operation],
    tries: Vec<Try>,
) -> Vec<(usize, Outcome)> {
    let sent = tries.into_iter().enumerate().map(|(order, (number, key, name))| {
        let (shopper, operation) = (writers[order % writers.len()].clone(), operations[number].clone());
        tokio::spawn(
            async move { (number, attempt(&shopper, &operation, key.as_deref(), name.as_deref()).await) },
        )
    });
    join_all(sent).await.into_iter().flatten().collect()
}

/// Every try of one operation was told the same; that is written down once.
fn agreed(
    arena: &Arena,
    operation: &Operation,
    key: Option<&str>,
    told: &[(usize, Outcome)],
) -> Result<(), Stop> {
    let now = Instant::now();
    let (_, first) = told.first().ok_or_else(|| Stop::from("a request was lost in the suite".to_owned()))?;
    arena.history.write(Record {
        operation: operation.clone(),
        key: key.map(str::to_owned),
        started: now,
        last_try: now,
        ended: now,
        tries: told.len() as u32,
        slowest: Duration::ZERO,
        outcome: first.clone(),
    });
    let other =
        told.iter().find(|(_, outcome)| outcome != first || !matches!(outcome, Outcome::Stored { .. }));
    match other {
        None => Ok(()),
        Some((_, other)) => {
            Err(Stop::from(format!("{operation:?}: one try was told {first:?}, another {other:?}")))
        }
    }
}
