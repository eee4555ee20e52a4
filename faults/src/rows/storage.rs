//! nats-server's disk: killed exactly at an fsync, an fsync that fails, full, full by the stream's own limit.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use local::Process;
use serde_json::Value;
use tests::{Shopper, eventually, interaction, wire, within};
use tokio::process::{Child, Command};

use super::{in_time, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 4] = [
    Row {
        number: 2,
        title: "kill -9 of nats-server exactly at an fsync",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| killed_at_fsync(arena).boxed_local(),
    },
    Row {
        number: 4,
        title: "an fsync of nats-server fails (EIO): it answers nothing until it is started again",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| failed_fsync(arena).boxed_local(),
    },
    Row {
        number: 5,
        title: "nats-server's disk is full, and then it has room again",
        quick: false,
        setup: Setup {
            // The stream's own limit must not come first.
            environment: &[("init", "ATELIER_STREAM_MAX_BYTES", "1000000000")],
            small_disk: true,
            ..Setup::USUAL
        },
        run: |arena| full_disk(arena).boxed_local(),
    },
    Row {
        number: 6,
        title: "the stream is at its max_bytes",
        quick: false,
        setup: Setup { environment: &[("init", "ATELIER_STREAM_MAX_BYTES", "1500000")], ..Setup::USUAL },
        run: |arena| at_max_bytes(arena).boxed_local(),
    },
];

const BOUND: Duration = Duration::from_secs(5);
/// The longest that a write may wait while nats-server stores nothing.
const NOTICED: Duration = Duration::from_secs(5);

async fn killed_at_fsync(arena: &mut Arena) -> Result<Seen, Stop> {
    traceable().await?;
    let drive = arena.drive(Plan::USUAL);
    let mut longest = Duration::ZERO;
    let rounds = arena.rounds(3, 8);
    for _ in 0..rounds {
        drive.more(30, within(60)).await;
        let nats = arena.system.process("nats").clone();
        let restarts = nats.restarts();
        let when = 1 + arena.random.below(20);
        let mut tracing = inject(&nats, &format!("signal=SIGKILL:when={when}"))?;
        started_again(&nats, restarts, &mut tracing).await;
        longest = longest.max(drive.recovered(Instant::now(), within(60)).await);
    }
    drive.stop().await;
    in_time(longest, BOUND)?;
    let note = format!("{rounds} kills; {}", summary(arena));
    arena.judge(Seen::recovered(longest).note(note)).await
}

async fn failed_fsync(arena: &mut Arena) -> Result<Seen, Stop> {
    traceable().await?;
    let drive = arena.drive(Plan::USUAL);
    let mut longest = Duration::ZERO;
    for _ in 0..arena.rounds(1, 3) {
        drive.more(30, within(60)).await;
        let nats = arena.system.process("nats").clone();
        let restarts = nats.restarts();
        let failing = Instant::now();
        let mut tracing = inject(&nats, "error=EIO:when=5")?;
        started_again(&nats, restarts, &mut tracing).await;
        longest = longest.max(drive.recovered(Instant::now(), within(60)).await + failing.elapsed());
    }
    drive.stop().await;
    let note = format!("from the failing fsync on, its notice included; {}", summary(arena));
    arena.judge(Seen::recovered(longest).note(note)).await
}

/// How many write at once until a disk is full.
const FILLERS: usize = 8;
/// What a small disk is given when it is full.
const MORE_ROOM: &str = "remount,size=400m";

async fn full_disk(arena: &mut Arena) -> Result<Seen, Stop> {
    let shopper = arena.system.shopper();
    let mut large = interaction();
    large["element"] = Value::String("x".repeat(10_000));
    // Many at once, so that many are on their way when the disk is full.
    let full = Instant::now();
    let filling = (0..FILLERS).map(|_| fill(shopper.clone(), large.clone()));
    let mut written = 0;
    let mut longest_wait = Duration::ZERO;
    for filled in join_all(filling).await {
        let (stored, waited) = filled?;
        written += stored;
        longest_wait = longest_wait.max(waited);
    }
    let took = full.elapsed();
    if longest_wait > NOTICED {
        let waited = longest_wait.as_secs_f64();
        return Err(Stop::from(format!("a write waited {waited:.1} s for a disk that was full")));
    }
    let full = Instant::now();
    let refused = eventually("writes are refused at once", NOTICED, async || {
        let asked = Instant::now();
        let answer = shopper.post_interaction(&large).await;
        let well = answer.status == 503 && answer.body.contains("nothing was stored");
        let at_once = asked.elapsed() < Duration::from_secs(1);
        if well && at_once { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await;
    let noticed = full.elapsed();
    let drive = arena.drive(Plan::USUAL);
    let page = shopper.reviews("product_id=2").await;
    if page.status != 200 {
        return Err(Stop::from(format!("while the disk was full a read was answered {page:?}")));
    }
    let store = arena.system.data().nats().join("store");
    let mounted = Command::new("mount").args(["-o", MORE_ROOM]).arg(&store).status().await;
    if !mounted.is_ok_and(|status| status.success()) {
        return Err(Stop::from("the disk cannot be made larger".to_owned()));
    }
    let longest = drive.recovered(Instant::now(), within(60)).await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    let note = format!(
        "full after {written} large writes in {:.1} s; of {FILLERS} on their way none waited longer than {:.1} s; refusals at once {:.1} s later: {}; {}",
        took.as_secs_f64(),
        longest_wait.as_secs_f64(),
        noticed.as_secs_f64(),
        refused.json()["detail"],
        summary(arena)
    );
    arena.judge(Seen::recovered(longest).note(note)).await
}

/// Writes until one is refused or in doubt; how many were stored, and how long that last one took.
async fn fill(shopper: Shopper, large: Value) -> Result<(usize, Duration), Stop> {
    let mut written = 0;
    loop {
        let asked = Instant::now();
        let answer = shopper.post_interaction(&large).await;
        match answer.status {
            201 if written < 20_000 => written += 1,
            503 => return Ok((written, asked.elapsed())),
            _ => return Err(Stop::from(format!("after {written} large writes one was answered {answer:?}"))),
        }
    }
}

/// Skips the row where strace cannot be run.
async fn traceable() -> Result<(), Stop> {
    let tried = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    match tried {
        Ok(_) => Ok(()),
        Err(_) => Err(Stop::Skipped("strace is not installed (apt-get install strace)".to_owned())),
    }
}

/// Lets strace do something at an fsync of a process.
fn inject(process: &Process, what: &str) -> Result<Child, Stop> {
    let pid = process.pid().unwrap_or_default().to_string();
    let tracing = Command::new("strace")
        .args(["-f", "-q", "-e", "trace=fsync", "-e", &format!("inject=fsync:{what}"), "-p", &pid])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    Ok(tracing.map_err(|error| format!("strace does not run: {error}"))?)
}

/// Waits until the process was started again.
async fn started_again(process: &Process, restarts: u32, tracing: &mut Child) {
    eventually("nats-server is started again", within(60), async || {
        if process.restarts() > restarts {
            return Ok(());
        }
        match tracing.try_wait() {
            Ok(None) => Err("it runs, and strace with it".to_owned()),
            ended => Err(format!("it runs, and strace ended: {ended:?}")),
        }
    })
    .await;
}

async fn at_max_bytes(arena: &mut Arena) -> Result<Seen, Stop> {
    let shopper = arena.system.shopper();
    let mut large = interaction();
    large["element"] = Value::String("x".repeat(10_000));
    let mut written = 0;
    let full = loop {
        let answer = shopper.post_interaction(&large).await;
        match answer.status {
            201 if written < 2_000 => written += 1,
            503 => break answer,
            _ => return Err(Stop::from(format!("after {written} large writes one was answered {answer:?}"))),
        }
    };
    if !full.body.contains("full") || full.header("retry-after").is_none() {
        return Err(Stop::from(format!("a full stream is not called so: {full:?}")));
    }
    let page = shopper.reviews("product_id=2").await;
    if page.status != 200 {
        return Err(Stop::from(format!("while the stream was full a read was answered {page:?}")));
    }
    // An operator gives it more room.
    let url = arena.system.nats_url();
    let info = wire::request(&url, "$JS.API.STREAM.INFO.ATELIER", &Default::default(), b"").await;
    let mut config = info["config"].clone();
    config["max_bytes"] = Value::from(1_u64 << 30);
    let body = config.to_string();
    let raised =
        wire::request(&url, "$JS.API.STREAM.UPDATE.ATELIER", &Default::default(), body.as_bytes()).await;
    if !raised["error"].is_null() {
        return Err(Stop::from(format!("max_bytes cannot be raised: {raised}")));
    }
    let raised = Instant::now();
    let drive = arena.drive(Plan::USUAL);
    let longest = drive.recovered(raised, within(30)).await;
    drive.more(50, within(60)).await;
    drive.stop().await;
    let note = format!("full after {written} large writes; {}", summary(arena));
    arena.judge(Seen::recovered(longest).note(note)).await
}
