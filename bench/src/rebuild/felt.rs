//! What shoppers feel of rebuilds and rollbacks of one replica, with nginx over both.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::say;
use super::shoppers::{Felt, Shoppers};
use super::verb::{self, Ran};
use crate::error::Error;
use crate::private::Private;

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long it is looked what is normal.
const NORMAL: Duration = Duration::from_secs(20);
/// The swap lies in so long before a verb says what it did, and is felt so long after.
const BEFORE_DONE: Duration = Duration::from_millis(500);
const AFTER_DONE: Duration = Duration::from_millis(250);

/// One verb under load.
#[derive(Debug, Serialize)]
pub(super) struct Verb {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) felt: Felt,
    /// Around the swap.
    pub(super) swap: Felt,
    pub(super) swap_ms: Option<f64>,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct UnderLoad {
    pub(super) normal: Felt,
    pub(super) verbs: Vec<Verb>,
    /// Normal once more, after everything.
    pub(super) after: Felt,
    /// The first faults, in words.
    pub(super) faults: Vec<String>,
}

/// Rebuilds a replica from the stream, rolls it back, and rebuilds it from the other one, under load.
///
/// # Errors
/// When a verb fails.
pub(super) async fn measure(
    private: &Private,
    other: usize,
    rebuilt: usize,
    max_rate: Option<u64>,
) -> Result<UnderLoad, Error> {
    let names = private.system.replicas();
    let (name, from_other) = (&names[rebuilt], format!("replica:{}", names[other]));
    say("shoppers read and write");
    let shoppers = Shoppers::start(private).await?;
    tokio::time::sleep(WARM_UP).await;
    let normal = normal(&shoppers).await;
    let rate = max_rate.map(|rate| rate.to_string());
    let paced: Vec<&str> = rate.iter().flat_map(|rate| ["--max-rate", rate]).collect();
    let rebuild = |from| [vec!["rebuild", "--replica", name, "--from", from], paced.clone()].concat();
    let all: [(&str, Vec<&str>); 3] = [
        ("rebuild from the stream", rebuild("stream")),
        ("rollback", vec!["rollback", "--replica", name]),
        ("rebuild from a replica", rebuild(&from_other)),
    ];
    let mut verbs = Vec::new();
    for (named, arguments) in all {
        let ran = verb::run(private, &arguments).await?;
        tokio::time::sleep(AFTER_DONE).await;
        let verb = of(named, &ran, &shoppers);
        say(&format!("  {named}: {:?}", verb.felt));
        verbs.push(verb);
    }
    let after = self::normal(&shoppers).await;
    let faults = shoppers.stop(private).await?;
    for fault in &faults {
        say(fault);
    }
    Ok(UnderLoad { normal, verbs, after, faults })
}

async fn normal(shoppers: &Shoppers) -> Felt {
    let from = Instant::now();
    tokio::time::sleep(NORMAL).await;
    let felt = shoppers.felt(from, Instant::now());
    say(&format!("  normal: {felt:?}"));
    felt
}

fn of(named: &str, ran: &Ran, shoppers: &Shoppers) -> Verb {
    Verb {
        name: named.to_owned(),
        seconds: ran.ended.duration_since(ran.began).as_secs_f64(),
        felt: shoppers.felt(ran.began, ran.ended),
        swap: shoppers.felt(ran.ended - BEFORE_DONE, ran.ended + AFTER_DONE),
        swap_ms: ran.report().and_then(|report| report["swap_ms"].as_f64()),
    }
}
