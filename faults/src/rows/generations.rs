//! Generations are built, exchanged and taken back; whoever does it dies at it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row as _};
use tests::{Said, eventually, tables, within};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{no_read_failed, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 3] = [
    Row {
        number: 30,
        title: "a rebuild dies at each of its points, and at random ones",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| deaths(arena).boxed_local(),
    },
    Row {
        number: 31,
        title: "a rebuild under writes at full rate, while the other replica's Postgres dies",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| beside_a_death(arena).boxed_local(),
    },
    Row {
        number: 47,
        title: "generations are exchanged under writes and prepared reads over two tables, one amid an apply transaction",
        quick: true,
        setup: Setup::USUAL,
        run: |arena| swaps(arena).boxed_local(),
    },
];

/// Where a rebuild may die, and what it is made from then.
const POINTS: [(&str, &str); 9] = [
    ("begun", "stream"),
    ("applied a batch", "stream"),
    ("complete", "stream"),
    ("compared", "stream"),
    ("fences raised", "stream"),
    ("renamed", "stream"),
    ("swapped", "stream"),
    ("copied a table", "replica:b"),
    ("complete", "replica:b"),
];
/// The longest rebuild.
const REBUILD: Duration = Duration::from_secs(60);
/// Reviews of a product that are not hidden, as its rows and as its totals say.
const BOTH_TABLES: &str = "select (select count(*) from reviews where product_id = $1 and not reported), \
     (select coalesce(sum(rating_1 + rating_2 + rating_3 + rating_4 + rating_5), 0)::bigint \
      from review_totals where product_id = $1)";
/// Whoever swaps waits for whoever applies.
const SWAP_WAITS: &str = "select exists (select from pg_stat_activity \
     where wait_event_type = 'Lock' and query like '%live.checkpoint for update%')";
const APPLY_WAITS: &str = "select exists (select from pg_stat_activity \
     where wait_event_type = 'Lock' and usename = 'atelier_projector' and query like '%insert into reviews%')";

async fn deaths(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    for (point, source) in POINTS {
        drive.more(20, within(60)).await;
        let killed = rebuild(arena, source, Some(point)).await?;
        if killed.code.is_some() {
            return Err(Stop::from(format!("it did not die at {point:?} from {source}: {killed:?}")));
        }
        // What serves is whole, whatever was left beside it.
        arena.look("a").await;
        drive.more(20, within(60)).await;
        well(&rebuild(arena, source, None).await?)?;
        arena.look("a").await;
    }
    let random = arena.rounds(4, 20);
    for round in 0..random {
        let source = ["stream", "replica:b"][round % 2];
        let mut running = command(arena, source).spawn().map_err(|error| error.to_string())?;
        tokio::time::sleep(Duration::from_millis(arena.random.below(3_500) as u64)).await;
        // It may just have ended: that is a random point too.
        let _killed_or_ended = running.start_kill();
        running.wait().await.map_err(|error| error.to_string())?;
        arena.look("a").await;
        drive.more(20, within(60)).await;
    }
    let began = Instant::now();
    well(&rebuild(arena, "stream", None).await?)?;
    let took = began.elapsed();
    drive.stop().await;
    well(&arena.system.operator().run("projector", ["prune", "--replica", "a"]).await)?;
    no_read_failed(arena)?;
    let note = format!(
        "{} points and {random} random moments; the rebuild after them took {:.1} s; {}",
        POINTS.len(),
        took.as_secs_f64(),
        summary(arena)
    );
    arena.judge(Seen::default().note(note)).await
}

async fn beside_a_death(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan { keyed: 16, plain: 8, readers: 8 });
    let rounds = arena.rounds(1, 3);
    let mut failed = 0;
    for _ in 0..rounds {
        drive.more(100, within(60)).await;
        let running = command(arena, "stream").spawn().map_err(|error| error.to_string())?;
        tokio::time::sleep(Duration::from_millis(500 + arena.random.below(2_000) as u64)).await;
        let postgres = arena.system.process("postgres-b").clone();
        postgres.kill9().await;
        let ended = tokio::time::timeout(REBUILD, running.wait_with_output()).await;
        let ended = ended.map_err(|_| "a rebuild did not end though another replica died".to_owned())?;
        failed += usize::from(!ended.map_err(|error| error.to_string())?.status.success());
        postgres.wait_ready(within(60)).await?;
        eventually("both replicas serve again", within(60), async || serving(arena).await).await;
        drive.more(100, within(60)).await;
    }
    // Whatever became of it: the same command does it now.
    well(&rebuild(arena, "stream", None).await?)?;
    drive.stop().await;
    no_read_failed(arena)?;
    let note = format!("{rounds} deaths, of which {failed} ended the rebuild; {}", summary(arena));
    arena.judge(Seen::default().note(note)).await
}

async fn swaps(arena: &mut Arena) -> Result<Seen, Stop> {
    well(&rebuild(arena, "replica:b", None).await?)?;
    let drive = arena.drive(Plan::USUAL);
    let stop = CancellationToken::new();
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let connection = reader(arena).await?;
        readers.spawn(read_both_tables(connection, stop.clone()));
    }
    let rounds = arena.rounds(20, 300);
    let mut longest: f64 = 0.0;
    for _ in 0..rounds {
        drive.more(5, within(60)).await;
        let said = roll_back(arena).await;
        well(&said)?;
        let told: serde_json::Value = said
            .out
            .lines()
            .last()
            .and_then(|line| serde_json::from_str(line).ok())
            .ok_or_else(|| Stop::from(format!("it told no swap: {said:?}")))?;
        longest = longest.max(told["swap_ms"].as_f64().unwrap_or(f64::MAX));
    }
    arena.look("a").await;
    amid_an_apply(arena).await?;
    arena.look("a").await;
    stop.cancel();
    let (mut reads, mut torn) = (0, Vec::new());
    while let Some(read) = readers.join_next().await {
        let (number, found) = read.map_err(|error| error.to_string())??;
        reads += number;
        torn.extend(found);
    }
    drive.stop().await;
    if !torn.is_empty() {
        return Err(Stop::Failed(torn));
    }
    no_read_failed(arena)?;
    let note = format!(
        "{rounds} swaps, nothing was applied for {longest} ms at the longest; {reads} reads over two tables, none torn, \
         none failed; {}",
        summary(arena)
    );
    arena.judge(Seen::default().note(note)).await
}

/// A swap that comes when an apply transaction has made its first statement and no row yet.
async fn amid_an_apply(arena: &mut Arena) -> Result<(), Stop> {
    let failed = |error: sqlx::Error| Stop::from(error.to_string());
    let mut holding = tables::connect(&arena.system, "a").await.map_err(failed)?;
    let mut watching = tables::connect(&arena.system, "a").await.map_err(failed)?;
    sqlx::raw_sql("begin; lock table reviews in share row exclusive mode")
        .execute(&mut holding)
        .await
        .map_err(failed)?;
    waits(&mut watching, "an apply transaction waits for its rows", APPLY_WAITS).await;
    let swapping = {
        let mut command =
            arena.system.operator().command("projector", ["rollback", "--replica", "a", "--json"]);
        command.spawn().map_err(|error| error.to_string())?
    };
    waits(&mut watching, "the swap waits for the apply transaction", SWAP_WAITS).await;
    sqlx::raw_sql("rollback").execute(&mut holding).await.map_err(failed)?;
    let ended = tokio::time::timeout(REBUILD, swapping.wait_with_output()).await;
    let ended = ended.map_err(|_| "the swap amid an apply transaction did not end".to_owned())?;
    let ended = ended.map_err(|error| error.to_string())?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Stop::from(format!(
        "the swap amid an apply transaction failed: {}",
        String::from_utf8_lossy(&ended.stderr)
    )))
}

async fn waits(connection: &mut PgConnection, what: &str, question: &'static str) {
    eventually(what, within(30), async || {
        let row =
            sqlx::query(question).fetch_one(&mut *connection).await.map_err(|error| error.to_string())?;
        if row.get::<bool, _>(0) { Ok(()) } else { Err("nobody waits".to_owned()) }
    })
    .await;
}

/// One statement, prepared once; each answer must say the same of both tables. How many there were, and which did not.
async fn read_both_tables(
    mut connection: PgConnection,
    stop: CancellationToken,
) -> Result<(usize, Vec<String>), String> {
    let products: Vec<i64> = tests::catalogue::spare_products().take(8).map(|spare| spare.id).collect();
    let (mut reads, mut torn) = (0, Vec::new());
    while !stop.is_cancelled() {
        let product = products[reads % products.len()];
        let row = sqlx::query(BOTH_TABLES).bind(product).fetch_one(&mut connection).await;
        let row = row.map_err(|error| format!("a prepared read failed: {error}"))?;
        let (rows, totals): (i64, i64) = (row.get(0), row.get(1));
        if rows != totals {
            torn.push(format!(
                "product {product} has {rows} reviews and totals of {totals} in one statement"
            ));
        }
        reads += 1;
    }
    Ok((reads, torn))
}

/// A session as a reader's.
async fn reader(arena: &Arena) -> Result<PgConnection, Stop> {
    let url = arena.system.postgres_url("a")?;
    let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| error.to_string())?;
    let password = std::fs::read_to_string(arena.system.data().passwords("a").join("atelier_reader"));
    let password = password.map_err(|error| format!("a reader's password cannot be read: {error}"))?;
    let options =
        options.username("atelier_reader").password(password.trim()).options([("search_path", "live")]);
    Ok(PgConnection::connect_with(&options).await.map_err(|error| error.to_string())?)
}

async fn serving(arena: &Arena) -> Result<(), String> {
    let status = arena.system.operator().status().await?;
    let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
    if replicas.iter().all(|replica| replica["state"] == "serving") {
        Ok(())
    } else {
        Err(status.to_string())
    }
}

fn command(arena: &Arena, source: &str) -> tokio::process::Command {
    arena.system.operator().command("projector", ["rebuild", "--replica", "a", "--from", source, "--json"])
}

async fn rebuild(arena: &Arena, source: &str, die_at: Option<&str>) -> Result<Said, Stop> {
    let mut command = command(arena, source);
    if let Some(point) = die_at {
        command.env("ATELIER_DIE_AT", point);
    }
    let output = tokio::time::timeout(REBUILD, command.stdin(Stdio::null()).output()).await;
    let output =
        output.map_err(|_| format!("a rebuild from {source} did not end within {} s", REBUILD.as_secs()))?;
    let output =
        output.map_err(|error| format!("{} does not run: {error}", Path::new("projector").display()))?;
    Ok(Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

async fn roll_back(arena: &Arena) -> Said {
    arena.system.operator().run("projector", ["rollback", "--replica", "a", "--json"]).await
}

fn well(said: &Said) -> Result<(), Stop> {
    if said.code == Some(0) { Ok(()) } else { Err(Stop::from(format!("a command failed: {said:?}"))) }
}
