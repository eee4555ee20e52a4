//! `bench visible`: how long after its acknowledgement a write is shown, seen from outside.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use contract::Token;
use contract::headers::POSITION;
use futures::FutureExt;
use serde_json::Value;

use crate::contestant::post_and_read_back;
use crate::error::Error;
use crate::figures::percentile;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::rows::writes::reviews;
use crate::{tool, unless_interrupted};

const CONNECTIONS: u32 = 64;
/// A write that is not shown by then is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that is told, in milliseconds.
const BOUNDS_MS: [(f64, f64); 2] = [(0.5, 5.0), (0.99, 25.0)];

/// Measure from a write's acknowledgement to the first read that shows it, on each replica's reader, beside a steady rate of
/// other writes
///
/// The probe writes a review with `Prefer: respond-async`, and reads the product's newest review from both readers at once,
/// again and again, until each shows it. Bounds: 5 ms in the median and 25 ms at p99. Fails when one is broken.
#[derive(Debug, Args)]
pub(crate) struct VisibleArguments {
    /// Other writes a second
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    rate: u32,
    /// How long, in seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
}

/// Measures, prints.
pub(crate) async fn run(arguments: &VisibleArguments) -> Result<(), Error> {
    let started = async { Ok((tool::oha().await?, Private::start(1_000, false).await?)) };
    let (oha, private) = unless_interrupted(started).await?;
    let measured =
        AssertUnwindSafe(unless_interrupted(measure(arguments, &private, &oha))).catch_unwind().await;
    private.stop().await;
    measured.unwrap_or_else(|_| Err(Error::said("the bench has a mistake; see above")))
}

async fn measure(arguments: &VisibleArguments, private: &Private, oha: &Path) -> Result<(), Error> {
    let mut reviews = reviews(private).await?;
    // The probe has a product of its own, whose newest review is the probe's.
    let probe = reviews.pop().ok_or_else(|| Error::said("the catalogue has no products"))?;
    post_and_read_back(private, "visible", &probe).await?;
    let bodies = private.folder.path().join("reviews.jsonl");
    write_lines(&bodies, &reviews.iter().map(Value::to_string).collect::<Vec<_>>())?;
    let load = Load {
        oha: oha.to_owned(),
        connections: CONNECTIONS,
        status: 201,
        rate: Some(arguments.rate),
        requests: Requests::Post {
            url: format!("{}/reviews", private.system.url()),
            bodies,
            header: Some("Prefer: respond-async"),
        },
    };
    let duration = Duration::from_secs(arguments.seconds);
    let background = async {
        match arguments.rate {
            0 => Ok(None),
            _ => load.run("visible", duration).await.map(|loaded| Some(loaded.measured.per_second)),
        }
    };
    let (background, probed) = tokio::join!(background, probe_for(private, &probe, duration));
    let (background, mut probed) = (background?.unwrap_or_default(), probed?);
    let mut broken = Vec::new();
    for (reader, times) in private.system.replicas().iter().zip(&mut probed) {
        let figures: Vec<String> = BOUNDS_MS
            .iter()
            .map(|(share, bound)| {
                let figure = percentile(times, *share);
                if figure > *bound {
                    broken.push(format!(
                        "replica {reader}: p{:.0} {figure:.2} ms, over {bound} ms",
                        share * 100.0
                    ));
                }
                format!("p{:.0} {figure:.2} ms", share * 100.0)
            })
            .collect();
        println!(
            "replica {reader}: {} probes beside {background:.0} writes a second: {}, most {:.2} ms",
            times.len(),
            figures.join(", "),
            percentile(times, 1.0)
        );
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Error::said(format!("not within the bounds: {}", broken.join("; "))))
    }
}

/// Milliseconds from each acknowledgement, for each reader.
async fn probe_for(private: &Private, review: &Value, duration: Duration) -> Result<Vec<Vec<f64>>, Error> {
    let readers = private.system.reader_urls();
    let mut times = vec![Vec::new(); readers.len()];
    let started = Instant::now();
    while started.elapsed() < duration {
        let request = private.http.post(format!("{}/reviews", private.system.url()));
        let answer = request.header("prefer", "respond-async").json(review).send().await?;
        let acknowledged = Instant::now();
        let token = answer.headers().get(POSITION).and_then(|value| value.to_str().ok());
        let token: Token = token.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::wrong("visible", format!("a review is answered with {}", answer.status()))
        })?;
        let shown =
            readers.iter().map(|reader| until_shown(private, reader, review, token.position.0, acknowledged));
        for (times, shown) in times.iter_mut().zip(futures::future::join_all(shown).await) {
            times.push(shown?);
        }
    }
    Ok(times)
}

async fn until_shown(
    private: &Private,
    reader: &str,
    review: &Value,
    id: u64,
    acknowledged: Instant,
) -> Result<f64, Error> {
    let url = format!("{reader}/reviews?product_id={}&sort=newest&count=1", review["product_id"]);
    while acknowledged.elapsed() < PATIENCE {
        let page: Value = serde_json::from_slice(&private.get("visible", &url).await?).unwrap_or_default();
        if page["results"][0]["review_id"].as_u64() == Some(id) {
            return Ok(acknowledged.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Err(Error::wrong("visible", format!("review {id} was not shown by {reader} within {PATIENCE:?}")))
}
