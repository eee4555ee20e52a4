//! `projector verify`: the stream itself. No gaps, and its counts by event type against what each replica has counted, at
//! exactly the position at which the replica was asked. It changes nothing.

mod compare;
mod counters;
mod tally;

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use futures::future::join_all;
use serde::Serialize;
use service::Config;
use service::config::Replica;
use stream::Link;
use tokio_util::sync::CancellationToken;

use self::compare::{Difference, Row, Stream};
use self::counters::Counters;
use self::tally::Tally;
use crate::parking::Decisions;
use crate::rebuild::{base, connect};
use crate::status::grouped;

/// How long a replica may take to tell its counters.
const PATIENCE: Duration = Duration::from_secs(60);
/// Gaps that are told one by one.
const TOLD: usize = 5;

/// Schema version 1. Fields are added within one; docs/operating.md tells them.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    epoch: String,
    /// What this life of the stream goes on from; null when it is the first.
    base: Option<Base>,
    first: u64,
    /// Up to where the stream was read.
    head: u64,
    events: u64,
    missing: u64,
    /// First and last positions without an event; of very many gaps the first ones.
    gaps: Vec<(u64, u64)>,
    seconds: f64,
    replicas: Vec<ReplicaReport>,
    differences: Vec<Difference>,
}

/// What a replica held when the life before ended. Its counts are added to those of the stream.
#[derive(Serialize)]
struct Base {
    previous: String,
    position: u64,
    events: u64,
}

#[derive(Serialize)]
struct ReplicaReport {
    name: String,
    /// Null when it could not be asked or not be compared.
    position: Option<u64>,
    types: Vec<Row>,
}

/// Prints tables, or JSON.
///
/// # Errors
/// When anything differs, or something could not be looked at.
pub(crate) async fn verify(config: &Config, json: bool) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = connect(config, "atelier projector verify", stop).await?;
    let begun = Instant::now();
    // First, so that the stream reaches at least as far as they do.
    let asked = join_all(config.replicas.iter().map(ask)).await;
    let report = compare_all(&link, asked, begun).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    match report.differences.len() {
        0 => Ok(()),
        1 => Err("1 difference".into()),
        differences => Err(format!("{differences} differences").into()),
    }
}

async fn ask(replica: &Replica) -> (&str, Result<Counters, String>) {
    let counters = match tokio::time::timeout(PATIENCE, counters::read(replica)).await {
        Ok(counters) => counters.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    (&replica.name, counters)
}

async fn compare_all(
    link: &Link,
    asked: Vec<(&str, Result<Counters, String>)>,
    begun: Instant,
) -> stream::Result<Report> {
    let (first, head) = (link.first(), link.head().await?);
    let decisions = Decisions::read(link).await?;
    let all = decisions.all();
    let opening = base::opening(link).await?;
    let counted = opening.as_ref().map(|opened| opened.counted.clone()).unwrap_or_default();
    let stream = Stream { epoch: link.epoch(), first, head, decisions: &all, counted: &counted };
    let (mut differences, mut replicas, mut comparable) = (Vec::new(), Vec::new(), Vec::new());
    for (name, counters) in asked {
        let difference = match counters {
            Ok(counters) => match compare::incomparable(&stream, &counters) {
                None => {
                    comparable.push(counters);
                    continue;
                }
                Some(difference) => difference,
            },
            Err(error) => {
                let (what, mend) = (format!("it could not be asked: {error}"), "projector doctor".to_owned());
                Difference { replica: Some(name.to_owned()), what, mend }
            }
        };
        differences.push(difference);
        replicas.push(ReplicaReport { name: name.to_owned(), position: None, types: Vec::new() });
    }
    let positions: BTreeSet<_> = comparable.iter().map(|counters| counters.position).collect();
    let tally = Tally::take(link, (first, head), &positions, &decisions).await?;
    differences.splice(0..0, gaps(&tally));
    let mut compared = Vec::new();
    for counters in comparable {
        let rows = compare::rows(&stream.up_to(&tally.up_to[&counters.position]), &counters);
        differences.extend(compare::differences(&stream, &rows, &counters));
        compared.push((counters, rows));
    }
    differences.extend(compare::among(&compared));
    replicas.extend(compared.into_iter().map(|(counters, types)| ReplicaReport {
        name: counters.replica,
        position: Some(counters.position.0),
        types,
    }));
    replicas.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Report {
        schema_version: 1,
        epoch: link.epoch().to_string(),
        base: opening.map(|opened| Base {
            previous: opened.previous.to_string(),
            position: opened.base.0,
            events: counted.values().sum(),
        }),
        first: first.0,
        head: head.0,
        events: tally.events,
        missing: tally.missing,
        gaps: tally.gaps.iter().map(|gap| (*gap.start(), *gap.end())).collect(),
        seconds: (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        replicas,
        differences,
    })
}

fn gaps(tally: &Tally) -> Vec<Difference> {
    let mend = "projector doctor; then projector recover, see docs/errors/stream-damaged.md";
    let difference = |what: String| Difference { replica: None, what, mend: mend.to_owned() };
    let mut found: Vec<Difference> = tally
        .gaps
        .iter()
        .take(TOLD)
        .map(|gap| match (gap.start(), gap.end()) {
            (one, other) if one == other => difference(format!("the stream has no event {one}")),
            (first, last) => difference(format!("the stream has no events {first} to {last}")),
        })
        .collect();
    if tally.gaps.len() > TOLD {
        found.push(difference(format!("the stream lacks {} events in all", grouped(tally.missing))));
    }
    found
}

fn print(report: &Report) {
    let Report { epoch, first, head, events, seconds, .. } = report;
    let rate = grouped((*events as f64 / seconds.max(0.1)) as u64);
    println!(
        "stream ATELIER, epoch {epoch}: {} events from {first} to {head}, read in {seconds:.1} s ({rate}/s)",
        grouped(*events)
    );
    if let Some(Base { previous, position, events }) = &report.base {
        println!(
            "it goes on from epoch {previous}, of which replicas had counted {} events up to {position}",
            grouped(*events)
        );
    }
    match report.missing {
        0 => println!("no gaps"),
        missing => println!("{} events are missing", grouped(missing)),
    }
    for replica in &report.replicas {
        let Some(position) = replica.position else {
            println!("\nreplica {}: not compared", replica.name);
            continue;
        };
        println!("\nreplica {} at {position}", replica.name);
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header([
            "event type",
            "stream",
            "replica",
            "applied",
            "no-op",
            "rejected",
            "parked",
            "ignored",
        ]);
        for row in &replica.types {
            let numbers =
                [row.stream, row.events, row.applied, row.no_ops, row.rejected, row.parked, row.ignored];
            table.add_row(std::iter::once(row.event_type.clone()).chain(numbers.map(grouped)));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{}", table.trim_fmt());
    }
    for Difference { replica, what, mend } in &report.differences {
        let of = replica.as_ref().map_or(String::new(), |name| format!("replica {name}: "));
        println!("\n{of}{what}\n  to mend: {mend}");
    }
    if report.differences.is_empty() {
        println!("\neverything in the stream is accounted for");
    }
}
