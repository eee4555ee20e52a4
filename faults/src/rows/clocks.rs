//! Clocks that go wrong. The time of an event is what its writer said, so a writer whose clock is wrong is one that says
//! so: the events are put into the stream as such a writer would, beside those of writers whose clocks are right.

use contract::resources::interactions::InteractionRecorded;
use contract::{Envelope, Event, Idempotency, Millis};
use futures::FutureExt;
use tests::{stream_access, within};

use super::summary;
use crate::arena::Arena;
use crate::drive::Plan;
use crate::history::{Operation, Outcome, Record};
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 45,
    title: "a writer's clock is wrong by minutes, by days, by centuries",
    quick: false,
    setup: Setup {
        // So that keys are looked for in replicas, whose memory is what a clock could expire.
        environment: &[("init", "ATELIER_STREAM_DUPLICATE_WINDOW_MS", "1000")],
        ..Setup::USUAL
    },
    run: |arena| wrong(arena).boxed_local(),
}];

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far a clock is off.
const OFF: [i64; 8] = [10 * MINUTE, -10 * MINUTE, DAY, -DAY, 2 * DAY, 400 * DAY, -400 * DAY, 36_500 * DAY];
/// The stream clock goes with the broker, and by no more than this with one event.
const STEP: i64 = MINUTE;

async fn wrong(arena: &mut Arena) -> Result<Seen, Stop> {
    let shopper = arena.system.shopper();
    let operations: Vec<Operation> = vec![
        arena.review("before"),
        Operation::Cart { session: "before".to_owned() },
        Operation::ReviewVote { review: 5 },
    ];
    let mut first: Vec<Record> = Vec::new();
    for operation in &operations {
        first.push(arena.settle(&shopper, operation.clone(), "before").await);
    }
    let drive = arena.drive(Plan::USUAL);
    let link = stream_access::link(&arena.system).await;
    for round in 0..arena.rounds(2, 8) {
        for (number, off) in OFF.iter().enumerate() {
            let time = Millis(service_now() + off);
            let id = format!("clock-{round}-{number}");
            let key = arena.hashing.hash("idempotency key", &[id.as_bytes()]);
            let body = arena.hashing.hash("body", &[id.as_bytes()]);
            let envelope = Envelope {
                idempotency: Some(Idempotency { key, body }),
                ..Envelope::new(id.clone(), time, "/atelier/test")
            };
            let event = Event::InteractionRecorded(InteractionRecorded {
                element: "a".to_owned(),
                widget: "b".to_owned(),
                time: id,
            });
            stream_access::publish_enveloped(&link, &envelope, &event).await;
        }
        drive.more(20, within(60)).await;
    }
    drive.stop().await;
    arena.system.ready().await;
    // Nothing is forgotten early: whoever repeats an old write is told the first answer.
    for (operation, before) in operations.iter().zip(&first) {
        let again = arena.settle(&shopper, operation.clone(), "before").await;
        if again.outcome != before.outcome || !matches!(again.outcome, Outcome::Stored { .. }) {
            return Err(Stop::from(format!(
                "{operation:?} was told {:?}, and after the wrong clocks {:?}",
                before.outcome, again.outcome
            )));
        }
    }
    let now = service_now();
    for (replica, state) in arena.states().await? {
        if (state.clock - now).abs() > STEP {
            let off = (state.clock - now) / 1000;
            return Err(Stop::from(format!("the stream clock of replica {replica} is off by {off} s")));
        }
    }
    let note = format!("{}; keys of before are kept, the stream clock goes with the broker", summary(arena));
    arena.judge(Seen::default().note(note)).await
}

/// This machine's clock, in milliseconds since 1970.
fn service_now() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
