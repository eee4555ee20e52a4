//! `bench overload`: several times the load that the system can bear, and how it comes through.

mod judgement;
mod requests;
mod tally;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures::FutureExt;
use load::{First, memory};

use crate::error::Error;
use crate::private::Private;
use crate::unless_interrupted;
use judgement::{Judgement, Phases};
use requests::{Kind, Requests};

/// Clients that ask one after another to find out what can be borne.
const CLIENTS: usize = 64;
const CAPACITY: Duration = Duration::from_secs(10);
/// Before the first figure.
const WARM_UP: Duration = Duration::from_secs(3);
/// A rate that is borne with ease is so much of the highest.
const EASY: f64 = 0.5;
const NORMAL: Duration = Duration::from_secs(20);
/// The easy rate goes on for so long when the load is over.
const AFTER: Duration = Duration::from_secs(20);

/// Ask for several times as much as the system can bear, reads and writes mixed, at a steady rate whatever comes back
///
/// First, clients that ask one after another find out what it can bear; half of that, at a steady rate, is what is normal.
/// Then comes the load, and at once after it the normal rate again. Bounds: each process takes at most 100 MB or twice
/// what it takes at rest; what is accepted is answered within three times the normal p99; each refusal is a 503 with
/// Retry-After; no acknowledged write is missing; all is as before within 5 s. Fails when one is broken.
#[derive(Debug, Args)]
pub(crate) struct OverloadArguments {
    /// How long the load lasts, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=300))]
    seconds: u64,
    /// How many times as much as can be borne
    #[arg(long, default_value_t = 3.0)]
    times: f64,
    /// Leave the private system's data and logs where they are, and say where
    #[arg(long)]
    keep: bool,
}

/// Measures, prints.
pub(crate) async fn run(arguments: &OverloadArguments) -> Result<(), Error> {
    let private = unless_interrupted(Private::start(1_000, arguments.keep)).await?;
    let measured = AssertUnwindSafe(unless_interrupted(measure(arguments, &private))).catch_unwind().await;
    private.stop().await;
    measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))
}

async fn measure(arguments: &OverloadArguments, private: &Private) -> Result<(), Error> {
    let requests = Arc::new(Requests::prepare(private).await?);
    let url = private.system.url();
    let address = url.trim_start_matches("http://");
    let rest = memory::now(&private.system);
    // The system's processes have groups of their own.
    let first = First::come();
    if first.is_none() {
        println!("the generator may not come first, as root's would: its own lateness is counted too");
    }
    let _warm = requests.closed(address, CLIENTS, WARM_UP).await;
    private.until_applied().await?;
    let before = private.stream_head().await?;

    let began = Instant::now();
    let capacity = requests.closed(address, CLIENTS, CAPACITY).await;
    let borne = capacity.all() as f64 / began.elapsed().as_secs_f64();
    println!(
        "{CLIENTS} clients, one request after another: {borne:.0} a second are borne{}",
        said(&capacity)
    );
    private.until_applied().await?;

    let normal = requests.open(address, borne * EASY, NORMAL).await;
    println!("normal, {:.0} a second: {}", borne * EASY, told(&normal, NORMAL));

    let watch = memory::Watch::start(&private.system);
    let (processor, began) = (processor_seconds(), Instant::now());
    let rate = borne * arguments.times;
    let duration = Duration::from_secs(arguments.seconds);
    let load = requests.open(address, rate, duration).await;
    let ended = Instant::now();
    let own = (processor_seconds() - processor) / began.elapsed().as_secs_f64();
    println!("{} times that, {rate:.0} a second: {}", arguments.times, told(&load, duration));
    println!("the generator itself took {own:.2} of {} cores meanwhile", cores());

    let late = ended.elapsed();
    let after = requests.open(address, borne * EASY, AFTER).await;
    println!("normal again: {}", told(&after, AFTER));
    let memory = watch.stop();

    private.until_applied().await?;
    let phases = Phases { capacity, normal, load, after, late, duration };
    let mut judgement = Judgement::default();
    judgement.memory(&rest, &memory);
    judgement.answers(&phases);
    judgement.writes(private, before, &phases).await?;
    judgement.tell()
}

/// A phase in a few words.
fn told(tally: &tally::Tally, duration: Duration) -> String {
    let mut words: Vec<String> = Kind::ALL
        .iter()
        .map(|kind| {
            let of = |share| tally.percentile(*kind, Duration::ZERO, Duration::MAX, share);
            format!(
                "{} {:.0} a second done (p50 {:.1} ms, p99 {:.1} ms), {} refused",
                kind.word(),
                tally.count(*kind) as f64 / duration.as_secs_f64(),
                of(0.5),
                of(0.99),
                tally.refused(*kind)
            )
        })
        .collect();
    if tally.slowest_refusal_ms > 0.0 {
        words.push(format!("slowest refusal {:.0} ms", tally.slowest_refusal_ms));
    }
    words.join("; ") + &said(tally)
}

fn said(tally: &tally::Tally) -> String {
    let mut text = String::new();
    if !tally.reasons.is_empty() {
        text += &format!("; refusals: {:?}", tally.reasons);
    }
    if !tally.faults.is_empty() {
        text += &format!("; faults: {:?}", tally.faults);
    }
    if tally.unsent > 0 {
        text += &format!("; {} not sent", tally.unsent);
    }
    text
}

/// Of this process, which is the generator.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks =
        |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    // The kernel counts in hundredths of a second on every Linux.
    (ticks(11) + ticks(12)) / 100.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
