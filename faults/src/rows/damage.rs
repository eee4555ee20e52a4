//! The stream is recreated, cut, refilled or rotten: every projector refuses it in words, and no row changes; then it is
//! recovered.

mod recovery;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use contract::keyed_hash::HashingKey;
use contract::resources::interactions::InteractionRecorded;
use contract::{Envelope, Event, Millis};
use futures::FutureExt;
use stream::{Definition, Message};
use tests::{wire, within};

use self::recovery::recover;
use super::{said, volley};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::history::{Operation, Outcome};
use crate::log::{Reading, settings};
use crate::model::State;
use crate::row::{Row, Seen, Setup, Stop};
use crate::store;

pub(crate) const ROWS: [Row; 4] = [
    Row {
        number: 25,
        title: "the stream is deleted and recreated: under another epoch, under the same, refilled",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| recreated(arena).boxed_local(),
    },
    Row {
        number: 26,
        title: "the stream's file is cut: its end lies before the checkpoints",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| cut(arena).boxed_local(),
    },
    Row {
        number: 27,
        title: "the stream's file is cut and refilled beyond the checkpoints",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| refilled(arena).boxed_local(),
    },
    Row {
        number: 28,
        title: "a bit flips in an old file of the stream: a gap far below the checkpoints",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| flipped(arena).boxed_local(),
    },
];

/// What every refusal says.
const REFUSAL: &str = "Nothing is applied";
/// How long a damage may go unnoticed.
const NOTICED: Duration = Duration::from_secs(30);
/// How long nothing may move after the refusal: a stopped projector looks again every five seconds.
const WATCHED: Duration = Duration::from_secs(7);
const EPOCH: &str = "recreated234";

async fn recreated(arena: &mut Arena) -> Result<Seen, Stop> {
    let before = rest(arena).await?;
    let epoch = Reading::open(&arena.system).await?.link.epoch().to_string();

    let logs = Logs::now(arena);
    recreate(arena, EPOCH).await?;
    let mut longest = logs.refuse(arena, "was recreated").await?;
    let refused = refused_meanwhile(arena, "recreated").await?;
    unmoved(arena, &before).await?;

    let logs = Logs::now(arena);
    recreate(arena, &epoch).await?;
    longest = longest.max(logs.refuse(arena, "the stream ends at").await?);
    unmoved(arena, &before).await?;

    let logs = Logs::now(arena);
    let checkpoint = before.iter().map(|(_, state)| state.position).max().unwrap_or_default();
    refill(arena, checkpoint + 5).await?;
    longest = longest.max(logs.refuse(arena, "is not the one that stood there").await?);
    unmoved(arena, &before).await?;

    let note = format!("noticed within {:.1} s", longest.as_secs_f64());
    let recovered = recover(arena, &before, "recreated").await?;
    Ok(Seen::default().note(note).note(refused).note(recovered))
}

async fn cut(arena: &mut Arena) -> Result<Seen, Stop> {
    let before = rest(arena).await?;
    let logs = Logs::now(arena);
    let bytes = 500 + arena.random.below(4_000) as u64;
    damage(arena, |blocks| store::cut(&blocks[blocks.len() - 1], bytes)).await?;
    let noticed = logs.refuse(arena, "are lost from the stream").await?;
    let refused = refused_meanwhile(arena, "cut").await?;
    unmoved(arena, &before).await?;
    let note = format!("{bytes} bytes cut; noticed within {:.1} s", noticed.as_secs_f64());
    let recovered = recover(arena, &before, "cut").await?;
    Ok(Seen::default().note(note).note(refused).note(recovered))
}

async fn refilled(arena: &mut Arena) -> Result<Seen, Stop> {
    let before = rest(arena).await?;
    let logs = Logs::now(arena);
    // Nobody may look between the cut and the refill.
    for replica in arena.system.replicas() {
        arena.system.process(&format!("projector-{replica}")).stop().await;
    }
    let bytes = 500 + arena.random.below(4_000) as u64;
    damage(arena, |blocks| store::cut(&blocks[blocks.len() - 1], bytes)).await?;
    let checkpoint = before.iter().map(|(_, state)| state.position).max().unwrap_or_default();
    refill(arena, checkpoint + 5).await?;
    let starting: Vec<_> = arena
        .system
        .replicas()
        .iter()
        .map(|replica| arena.system.process(&format!("projector-{replica}")).clone())
        .map(|process| tokio::spawn(async move { process.start().await }))
        .collect();
    let noticed = logs.refuse(arena, "is not the one that stood there").await?;
    unmoved(arena, &before).await?;
    let note = format!("{bytes} bytes cut; noticed within {:.1} s", noticed.as_secs_f64());
    let recovered = recover(arena, &before, "refilled").await?;
    starting.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(Seen::default().note(note).note(recovered))
}

async fn flipped(arena: &mut Arena) -> Result<Seen, Stop> {
    // A file of the stream ends at some megabytes.
    fill(arena, 3, 0).await?;
    let before = rest(arena).await?;
    let logs = Logs::now(arena);
    let mut place = String::new();
    let chance = arena.random.below(1_000) as u64;
    damage(arena, |blocks| {
        // In the middle half of the oldest file.
        let length = fs::metadata(&blocks[0])?.len();
        let offset = length / 4 + length * chance / 2_000;
        place = format!("byte {offset} of {length} in the first of {} files", blocks.len());
        store::flip(&blocks[0], offset)
    })
    .await?;
    let holes = holes(arena).await;
    let refused = logs.refuse(arena, "gap").await;
    let noticed = refused.map_err(|stop| match stop {
        Stop::Failed(mut faults) => {
            faults.push(format!("{place}; nats-server says {holes}"));
            Stop::Failed(faults)
        }
        other => other,
    })?;
    unmoved(arena, &before).await?;
    let verified = arena.system.operator().run("projector", ["verify"]).await;
    if verified.code != Some(1) || !verified.out.contains("the stream has no event") {
        return Err(Stop::from(format!("projector verify does not tell of the gap: {verified:?}")));
    }
    let note = format!("{place}; {holes}; noticed within {:.1} s", noticed.as_secs_f64());
    let recovered = recover(arena, &before, "flipped").await?;
    Ok(Seen::default().note(note).note(recovered))
}

/// Publishes large events until the stream has so many files, and then so many more.
pub(crate) async fn fill(arena: &Arena, files: usize, more: usize) -> Result<(), Stop> {
    const AT_ONCE: usize = 50;
    let count = || store::blocks(&arena.system).map(|blocks| blocks.len()).map_err(|error| error.to_string());
    let stream = Reading::open(&arena.system).await?;
    let began = stream.head().await?;
    let (mut written, mut left) = (0, more);
    loop {
        if count()? >= files {
            if left == 0 {
                return Ok(());
            }
            left = left.saturating_sub(AT_ONCE);
        }
        let large = (written..written + AT_ONCE).map(|number| {
            let mark = format!("fill-{began}-{number}");
            let event = Event::InteractionRecorded(InteractionRecorded {
                element: "x".repeat(10_000),
                widget: "fill".into(),
                time: mark.clone(),
            });
            let envelope = Envelope::new(mark, MADE, "/atelier/faults");
            let (link, message) = (stream.link.clone(), Message::new(&envelope, &event));
            async move { link.publish(&message, within(10)).await }
        });
        let placed = futures::future::join_all(large).await;
        if let Some(Err(error)) = placed.into_iter().find(Result::is_err) {
            return Err(Stop::from(error.to_string()));
        }
        written += AT_ONCE;
        if written > 10_000 {
            return Err(Stop::from(format!("{written} large events fill {} files only", count()?)));
        }
    }
}

/// When events of the suite's own say that they were made.
const MADE: Millis = Millis(1_795_449_000_000);

/// Writes for a while, lets everything be applied, and answers what all replicas hold then.
async fn rest(arena: &mut Arena) -> Result<Vec<(String, State)>, Stop> {
    let drive = arena.drive(Plan::USUAL);
    drive.more(150, within(60)).await;
    drive.stop().await;
    let _judged = arena.judge(Seen::default()).await?;
    Ok(arena.states().await?)
}

/// Deletes the stream and makes another one.
pub(crate) async fn recreate(arena: &Arena, epoch: &str) -> Result<(), Stop> {
    let url = arena.system.nats_url();
    let deleted = wire::request(&url, "$JS.API.STREAM.DELETE.ATELIER", &Default::default(), b"").await;
    if deleted["success"] != true {
        return Err(Stop::from(format!("the stream cannot be deleted: {deleted}")));
    }
    let definition = Definition {
        max_bytes: 1 << 30,
        duplicate_window: Duration::from_secs(120),
        epoch: epoch.parse().map_err(|error: contract::position::Unreadable| error.to_string())?,
        first: contract::Position::FIRST,
        servers: 1,
        hashing_key: HashingKey::id(&arena.hashing),
    };
    let created = stream::create(&settings(&arena.system), &definition).await;
    created.map_err(|error| Stop::from(format!("the stream cannot be recreated: {error}")))?;
    Ok(())
}

/// Publishes until the stream ends at `last`.
pub(crate) async fn refill(arena: &Arena, last: i64) -> Result<(), Stop> {
    let stream = Reading::open(&arena.system).await?;
    let mut head = stream.head().await?;
    while head < last {
        let event = Event::InteractionRecorded(InteractionRecorded {
            element: "button".into(),
            widget: "refill".into(),
            time: format!("refill-{head}"),
        });
        let envelope = Envelope::new(format!("refill-{head}"), MADE, "/atelier/faults");
        let placed = stream.link.publish(&Message::new(&envelope, &event), within(10)).await;
        head = placed.map_err(|error| error.to_string())?.position.as_i64();
    }
    Ok(())
}

/// Stops nats-server, damages its files, and starts it as after a crash.
async fn damage(arena: &Arena, harm: impl FnOnce(&[PathBuf]) -> std::io::Result<()>) -> Result<(), Stop> {
    let nats = arena.system.process("nats").clone();
    nats.stop().await;
    let harmed = store::blocks(&arena.system)
        .and_then(|blocks| harm(&blocks))
        .and_then(|()| store::forget_summary(&arena.system));
    harmed.map_err(|error| Stop::from(format!("the store cannot be damaged: {error}")))?;
    nats.start().await?;
    Ok(())
}

/// What nats-server says about what is missing.
async fn holes(arena: &Arena) -> String {
    let info =
        wire::request(&arena.system.nats_url(), "$JS.API.STREAM.INFO.ATELIER", &Default::default(), b"")
            .await;
    let state = &info["state"];
    format!(
        "first {}, last {}, {} messages, {} deleted",
        state["first_seq"], state["last_seq"], state["messages"], state["num_deleted"]
    )
}

/// What writers say while every projector refuses the stream: none acknowledges, so no position that shoppers know is given
/// to another event.
async fn refused_meanwhile(arena: &Arena, name: &str) -> Result<String, Stop> {
    let writes: Vec<(Operation, String)> = (0..20)
        .map(|number| format!("{name}-{number}"))
        .map(|mark| (Operation::Interaction { mark: mark.clone() }, mark))
        .collect();
    let told = volley(&arena.system.shopper(), &writes).await;
    let refused = told.iter().filter(|told| matches!(told, Outcome::Failed(_))).count();
    // On a connection on which the stream was replaced the first events are stored; their writers notice it by the position.
    let unknown = told.iter().filter(|told| matches!(told, Outcome::Unknown(_))).count();
    if let Some(wrong) =
        told.iter().find(|told| matches!(told, Outcome::Stored { .. } | Outcome::Rejected(_)))
    {
        return Err(Stop::from(format!(
            "while every replica refuses the stream, a write was answered {wrong:?}"
        )));
    }
    Ok(format!(
        "meanwhile, of {} writes, {refused} were answered that nothing was stored, {unknown} that it may land",
        told.len()
    ))
}

/// How much each projector's log had said before a damage.
struct Logs {
    before: Vec<(PathBuf, usize)>,
    since: Instant,
}

impl Logs {
    fn now(arena: &Arena) -> Logs {
        let logs = arena.system.replicas().iter().map(|replica| {
            let log = arena.system.process(&format!("projector-{replica}")).log().to_owned();
            let length = fs::read_to_string(&log).unwrap_or_default().len();
            (log, length)
        });
        Logs { before: logs.collect(), since: Instant::now() }
    }

    /// Waits until every projector has refused in these words; how long that took.
    async fn refuse(&self, arena: &Arena, words: &str) -> Result<Duration, Stop> {
        let looked = eventually_or(NOTICED, || {
            for (log, before) in &self.before {
                let text = fs::read_to_string(log).unwrap_or_default();
                let new = text.get(*before..).unwrap_or_default();
                if !new.lines().any(|line| line.contains(words) && line.contains(REFUSAL)) {
                    return Err(format!("{} does not say {words:?}", log.display()));
                }
            }
            Ok(())
        });
        match looked.await {
            Ok(()) => Ok(self.since.elapsed()),
            Err(silent) => {
                let states = arena.states().await.unwrap_or_default();
                let at: Vec<i64> = states.iter().map(|(_, state)| state.position).collect();
                let stopped = arena.system.replicas().iter().map(|replica| {
                    said(arena.system.process(&format!("projector-{replica}")).log(), REFUSAL)
                });
                Err(Stop::from(format!(
                    "the damage was not noticed within {} s: {silent}; replicas stand at {at:?}, refusals so far: {:?}",
                    NOTICED.as_secs(),
                    stopped.collect::<Vec<_>>()
                )))
            }
        }
    }
}

/// Looks again and again; what was seen last when the time is over.
async fn eventually_or(longest: Duration, look: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match look() {
            Err(said) if started.elapsed() > longest => return Err(said),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            Ok(()) => return Ok(()),
        }
    }
}

/// Watches that no replica moves or changes, and that reads go on.
async fn unmoved(arena: &Arena, before: &[(String, State)]) -> Result<(), Stop> {
    let until = Instant::now() + WATCHED;
    while Instant::now() < until {
        for ((replica, was), (_, is)) in before.iter().zip(arena.states().await?) {
            let differences = was.differences(&is);
            if !differences.is_empty() {
                return Err(Stop::from(format!(
                    "after the damage replica {replica} changed: {differences:?}"
                )));
            }
        }
        let page = arena.system.shopper().reviews("product_id=2").await;
        if page.status != 200 {
            return Err(Stop::from(format!("after the damage a read was answered {page:?}")));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
