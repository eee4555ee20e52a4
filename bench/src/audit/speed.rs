//! How long an audit takes beside plain SQL over the same tables, and what it costs those who write.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{AuditArguments, MOST_RATIO, MOST_SLOWDOWN, audit};
use crate::error::Error;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::rows::writes::reviews;

const FILL: &str = include_str!("fill.sql");
/// The projector's own: the reference's session is like an audit's.
const SETTINGS: &str = include_str!("../../../projector/src/audit/settings.sql");
const TABLES: &str = include_str!("../../../projector/src/audit/tables.sql");
/// Parts of the rows, as `fill.sql` deals them out.
const PARTS: u64 = 10;
const ROUNDS: usize = 3;
const CONNECTIONS: u32 = 32;

/// Measures and prints; answers which bounds are broken.
pub(super) async fn measure(
    private: &Private,
    oha: &Path,
    arguments: &AuditArguments,
) -> Result<Vec<String>, Error> {
    let mut broken = Vec::new();
    fill(private, arguments.rows / PARTS).await?;
    let (mut ratios, mut audits, mut plains, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let mut plain = Duration::ZERO;
        for replica in private.system.replicas() {
            let (counted, took) = reference(private, replica).await?;
            (plain, rows) = (plain + took, counted);
        }
        let (report, took) = audit(private).await?;
        if report["result"] != "equal" || report["replicas"][0]["rows"].as_i64().unwrap_or_default() < rows {
            return Err(Error::wrong(
                "audit",
                format!("it says {} of {}", report["result"], report["replicas"]),
            ));
        }
        ratios.push(took.as_secs_f64() / plain.as_secs_f64());
        audits.push(took.as_secs_f64());
        plains.push(plain.as_secs_f64());
    }
    let replicas = private.system.replicas().len();
    let (ratio, took, plain) = (median(&mut ratios), median(&mut audits), median(&mut plains));
    println!(
        "audit of {rows} rows in each of {replicas} replicas: {took:.2} s, the whole command; plain SQL that counts and sums a \
         hash over the same tables, one replica after the other: {plain:.2} s; {ratio:.2} x (one replica alone: {:.2} s, {:.2} x)",
        plain / replicas as f64,
        took / plain * replicas as f64
    );
    if ratio > MOST_RATIO {
        broken.push(format!("an audit takes {ratio:.2} x plain SQL, over {MOST_RATIO}"));
    }
    broken.extend(applying(private, oha, arguments).await?);
    Ok(broken)
}

/// The same rows in both replicas, by plain SQL.
async fn fill(private: &Private, part: u64) -> Result<(), Error> {
    let started = Instant::now();
    let fill = |replica: &str| {
        let url = private.system.postgres_url(replica);
        async move {
            let mut connection = PgConnection::connect(&url?).await?;
            sqlx::raw_sql("set search_path = live; set synchronous_commit = off")
                .execute(&mut connection)
                .await?;
            for statement in FILL.replace("{part}", &part.to_string()).split(';') {
                sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
            }
            Ok::<(), Error>(())
        }
    };
    futures::future::try_join_all(private.system.replicas().iter().map(|replica| fill(replica))).await?;
    eprintln!("made {} rows in each replica in {:.1} s", part * PARTS, started.elapsed().as_secs_f64());
    Ok(())
}

/// Plain SQL over all tables of one replica: how many rows, and how long it took.
async fn reference(private: &Private, replica: &str) -> Result<(i64, Duration), Error> {
    let mut connection = PgConnection::connect(&private.system.postgres_url(replica)?).await?;
    let script = format!("set search_path = live; {SETTINGS}");
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await?;
    let tables = sqlx::query(TABLES).fetch_all(&mut connection).await?;
    let (started, mut rows) = (Instant::now(), 0);
    for table in tables {
        let table: String = table.try_get("name")?;
        let sum = format!(
            "select count(*) as rows, sum(hashtextextended(it::text collate \"C\", 0))::text as sum from {table} as it"
        );
        rows +=
            sqlx::query(AssertSqlSafe(sum)).fetch_one(&mut connection).await?.try_get::<i64, _>("rows")?;
    }
    Ok((rows, started.elapsed()))
}

/// A steady rate of writes, each answered when both replicas have applied it: without comparisons and with one after another.
async fn applying(
    private: &Private,
    oha: &Path,
    arguments: &AuditArguments,
) -> Result<Option<String>, Error> {
    let bodies = private.folder.path().join("reviews.jsonl");
    let reviews = reviews(private).await?;
    write_lines(&bodies, &reviews.iter().map(Value::to_string).collect::<Vec<_>>())?;
    let load = Load {
        oha: oha.to_owned(),
        connections: CONNECTIONS,
        status: 201,
        rate: Some(arguments.rate),
        requests: Requests::Post { url: format!("{}/reviews", private.system.url()), bodies, header: None },
    };
    let duration = Duration::from_secs(arguments.seconds);
    let without = watched(private, &load, duration).await?;
    println!("applying without comparisons: {}", without.words());
    let comparing = async {
        let mut count = 0;
        loop {
            let (report, _) = audit(private).await?;
            if report["result"] != "equal" {
                return Err::<(), Error>(Error::wrong("audit", format!("it says {}", report["result"])));
            }
            count += 1;
            eprintln!("compared {count} times while writes go on");
        }
    };
    let with = tokio::select! {
        ended = comparing => return Err(ended.err().unwrap_or_else(|| Error::said("comparing ended"))),
        with = watched(private, &load, duration) => with?,
    };
    println!("applying with one comparison after another: {}", with.words());
    let slowed = 1.0 - with.applied / without.applied;
    println!("applied events a second with comparisons: {:.1} % less", slowed.max(0.0) * 100.0);
    Ok((slowed > MOST_SLOWDOWN).then(|| format!("applying is slowed by {:.0} %", slowed * 100.0)))
}

/// What was seen of applying.
struct Watched {
    /// Events a second that the slowest replica applied.
    applied: f64,
    p50_ms: f64,
    p99_ms: f64,
    behind: u64,
}

impl Watched {
    fn words(&self) -> String {
        let Watched { applied, p50_ms, p99_ms, behind } = self;
        format!(
            "{applied:.0} events/s applied, visible on both replicas p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, at most {behind} events \
             behind"
        )
    }
}

async fn watched(private: &Private, load: &Load, duration: Duration) -> Result<Watched, Error> {
    let (before, started) = (lowest(private).await?, Instant::now());
    let running = load.run("audit", duration);
    tokio::pin!(running);
    let mut behind = 0;
    let loaded = loop {
        tokio::select! {
            loaded = &mut running => break loaded?,
            () = tokio::time::sleep(Duration::from_millis(250)) => {
                let head = private.stream_head().await?;
                behind = behind.max(head.saturating_sub(lowest(private).await?));
            }
        }
    };
    let applied = lowest(private).await? - before;
    let applied = applied as f64 / started.elapsed().as_secs_f64();
    let measured = loaded.measured;
    Ok(Watched { applied, p50_ms: measured.p50_ms, p99_ms: measured.p99_ms, behind })
}

/// Where the replica stands that is furthest behind.
async fn lowest(private: &Private) -> Result<u64, Error> {
    let mut lowest = u64::MAX;
    for database in &private.databases {
        let row = sqlx::query(include_str!("../private/position.sql")).fetch_one(database).await?;
        lowest = lowest.min(u64::try_from(row.try_get::<i64, _>("position")?).unwrap_or_default());
    }
    Ok(lowest)
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
