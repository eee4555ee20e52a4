//! `bench follow`: the highest rate of writes that both replicas follow, on the same cores.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use futures::FutureExt;
use serde_json::Value;
use sqlx::Row;

use crate::contestant::post_and_read_back;
use crate::error::Error;
use crate::figures::Measured;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::rows::writes::reviews;
use crate::{tool, unless_interrupted};

const CONNECTIONS: u32 = 256;
/// Each rate is so many times the one before.
const STEP: f64 = 1.25;
/// How long each rate is tried before the last one is held.
const TRIAL: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// Replicas that are no further from the head than what comes in so many seconds follow.
const FOLLOWING_SECONDS: f64 = 1.0;

/// Find the highest rate of POST /reviews (`Prefer: respond-async`, through nginx) that both replicas follow: rates rise
/// until one is not answered or not followed, and the highest is held for a minute
#[derive(Debug, Args)]
pub(crate) struct FollowArguments {
    /// The first rate, in writes a second
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    from: u32,
    /// How long the highest rate is held, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
}

/// Measures, prints a line for each rate.
pub(crate) async fn run(arguments: &FollowArguments) -> Result<(), Error> {
    let started = async { Ok((tool::oha().await?, Private::start(1_000, false).await?)) };
    let (oha, private) = unless_interrupted(started).await?;
    let measured =
        AssertUnwindSafe(unless_interrupted(search(arguments, &private, &oha))).catch_unwind().await;
    private.stop().await;
    measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))
}

async fn search(arguments: &FollowArguments, private: &Private, oha: &Path) -> Result<(), Error> {
    let reviews = reviews(private).await?;
    let sample = reviews.first().ok_or_else(|| Error::said("the catalogue has no products"))?;
    post_and_read_back(private, "follow", sample).await?;
    let bodies = private.folder.path().join("reviews.jsonl");
    write_lines(&bodies, &reviews.iter().map(Value::to_string).collect::<Vec<_>>())?;
    let load = |rate| Load {
        oha: oha.to_owned(),
        connections: CONNECTIONS,
        status: 201,
        rate: Some(rate),
        requests: Requests::Post {
            url: format!("{}/reviews", private.system.url()),
            bodies: bodies.clone(),
            header: Some("Prefer: respond-async"),
        },
    };
    let (mut rate, mut highest) = (arguments.from, None);
    loop {
        let tried = attempt(private, &load(rate), TRIAL).await?;
        println!("{}", tried.line(rate));
        if !tried.follows(rate) {
            break;
        }
        highest = Some(rate);
        rate = next(rate);
    }
    let Some(mut rate) = highest else {
        return Err(Error::said(format!(
            "{} writes a second are not followed; begin lower with --from",
            arguments.from
        )));
    };
    // What holds for ten seconds may not hold for a minute.
    loop {
        let held = attempt(private, &load(rate), Duration::from_secs(arguments.seconds)).await?;
        println!("{}", held.line(rate));
        if held.follows(rate) {
            return Ok(());
        }
        rate = previous(rate);
    }
}

/// What came of a rate.
struct Tried {
    /// Or why not all were answered as they should be.
    measured: Result<Measured, String>,
    /// The largest distance of a replica from the head, in events, in the second half of the time.
    distance: u64,
    seconds: u64,
}

impl Tried {
    /// Nearly all that should have been sent was answered, and the replicas stayed near.
    fn follows(&self, rate: u32) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "some events")]
        let near = (self.distance as f64) < f64::from(rate) * FOLLOWING_SECONDS;
        near && self.measured.as_ref().is_ok_and(|measured| measured.per_second > f64::from(rate) * 0.97)
    }

    fn line(&self, rate: u32) -> String {
        let answered = match &self.measured {
            Ok(measured) => format!(
                "{:.0} answered a second, p50 {:.1} ms, p99 {:.1} ms",
                measured.per_second, measured.p50_ms, measured.p99_ms
            ),
            Err(why) => why.clone(),
        };
        let followed = if self.follows(rate) { "followed" } else { "not followed" };
        format!(
            "{rate} writes a second for {} s: {answered}; replicas at most {} events behind: {followed}",
            self.seconds, self.distance
        )
    }
}

async fn attempt(private: &Private, load: &Load, duration: Duration) -> Result<Tried, Error> {
    let running = load.run("follow", duration);
    tokio::pin!(running);
    let (started, mut distance) = (Instant::now(), 0);
    let loaded = loop {
        tokio::select! {
            loaded = &mut running => break loaded,
            () = tokio::time::sleep(BETWEEN_LOOKS) => {
                if started.elapsed() > duration / 2 && started.elapsed() < duration {
                    distance = distance.max(furthest(private).await?);
                }
            }
        }
    };
    private.until_applied().await?;
    let measured = loaded.map(|loaded| loaded.measured).map_err(|error| error.to_string());
    Ok(Tried { measured, distance, seconds: duration.as_secs() })
}

/// How far the replica that is furthest behind is from the head. The head is asked first, so a distance is never too large.
async fn furthest(private: &Private) -> Result<u64, Error> {
    let head = private.stream_head().await?;
    let mut furthest = 0;
    for database in &private.databases {
        let row = sqlx::query(include_str!("private/position.sql")).fetch_one(database).await?;
        let position = u64::try_from(row.try_get::<i64, _>("position")?).unwrap_or_default();
        furthest = furthest.max(head.saturating_sub(position));
    }
    Ok(furthest)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate of some thousands")]
fn next(rate: u32) -> u32 {
    (f64::from(rate) * STEP).round() as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate of some thousands")]
fn previous(rate: u32) -> u32 {
    (f64::from(rate) / STEP.sqrt()).round() as u32
}
