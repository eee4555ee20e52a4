//! A row about a read: the route through nginx and straight, a constant in the same two ways, pgbench.

use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::constant::Constant;
use crate::contestant::{Contestant, Pgbench, Reads};
use crate::error::Error;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::row::{Line, Row};

const CONNECTIONS: u32 = 64;
/// Products that are asked for; more would only make the preparation longer.
const MOST_PRODUCTS: usize = 5_000;
/// Answers that are compared with the database before the load, and read again after each.
const SAMPLE: usize = 50;
/// Requests in flight while the expected answers are collected.
const AT_ONCE: usize = 8;

const OURS_NGINX: &str = "through nginx";
const OURS_STRAIGHT: &str = "straight from one reader";
const CONSTANT_NGINX: &str = "a constant through nginx";
const CONSTANT_STRAIGHT: &str = "a constant, straight";
const PGBENCH: &str = "pgbench, the text by key, 8 clients";

/// A route that is read.
pub(crate) struct Route {
    /// The row's name.
    pub(crate) row: &'static str,
    /// In words.
    pub(crate) request: &'static str,
    /// A product's path.
    pub(crate) path: fn(i64) -> String,
    /// Reads an answer; None when it is not shaped as it should be.
    pub(crate) shown: fn(&Value) -> Option<Shown>,
    /// The statement that gives the ids that it must show.
    pub(crate) stored: &'static str,
}

/// What an answer shows.
#[derive(PartialEq, Eq)]
pub(crate) struct Shown {
    /// Whose answer it is.
    pub(crate) product: i64,
    /// Of the things listed, in order.
    pub(crate) ids: Vec<i64>,
}

impl Shown {
    /// An answer whose product is a number as text, and which lists results with ids of this name.
    pub(crate) fn read(answer: &Value, product: &str, id: &str) -> Option<Self> {
        let results = answer["results"].as_array()?;
        Some(Self {
            product: answer[product].as_str()?.parse().ok()?,
            ids: results.iter().map(|result| result[id].as_i64()).collect::<Option<_>>()?,
        })
    }
}

/// Collects all answers, compares a sample of them with the database, and starts the references.
///
/// # Errors
/// When an answer is wrong.
pub(crate) async fn prepare(route: &Route, private: &Private, oha: &Path) -> Result<Row, Error> {
    let products = products(private).await?;
    let straight = private.system.reader_urls().swap_remove(0);
    let answers: Vec<(i64, Bytes)> = stream::iter(&products)
        .map(|product| {
            let url = format!("{straight}{}", (route.path)(*product));
            async move { Ok::<_, Error>((*product, private.get(route.row, &url).await?)) }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let sample: Vec<&(i64, Bytes)> = answers.iter().step_by(answers.len().div_ceil(SAMPLE)).collect();
    for (product, answer) in &sample {
        compare(route, private, *product, answer).await?;
    }
    let bytes: usize = answers.iter().map(|(_, answer)| answer.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let mean_bytes = bytes as f64 / answers.len() as f64;

    let reads =
        |name: &str, base: &str, expected: &dyn Fn(&Bytes) -> Bytes, mean_bytes: f64| -> Result<_, Error> {
            let urls = private.folder.path().join(format!("{}-{name}.urls", route.row));
            let url = |product: i64| format!("{base}{}", (route.path)(product));
            write_lines(&urls, &products.iter().map(|product| url(*product)).collect::<Vec<_>>())?;
            Ok(Contestant::Reads(Reads {
                load: Load {
                    oha: oha.to_owned(),
                    connections: CONNECTIONS,
                    status: 200,
                    rate: None,
                    requests: Requests::Get { urls },
                },
                sample: sample.iter().map(|(product, answer)| (url(*product), expected(answer))).collect(),
                mean_bytes,
            }))
        };
    let constant = Constant::start(private, bytes / answers.len()).await?;
    let ours = |answer: &Bytes| answer.clone();
    let same = |_: &Bytes| constant.body.clone();
    #[expect(clippy::cast_precision_loss, reason = "some kilobytes")]
    let constant_bytes = constant.body.len() as f64;
    let texts: Vec<String> =
        answers.iter().map(|(_, answer)| String::from_utf8_lossy(answer).into_owned()).collect();
    let line = |name, beside, contestant| Line { name, beside, contestant };
    Ok(Row {
        name: route.row,
        about: format!(
            "{}, {} products, {CONNECTIONS} connections; an answer has {mean_bytes:.0} bytes in the mean",
            route.request,
            products.len()
        ),
        lines: vec![
            line(OURS_NGINX, &[CONSTANT_NGINX], reads("nginx", &private.system.url(), &ours, mean_bytes)?),
            line(
                OURS_STRAIGHT,
                &[CONSTANT_STRAIGHT, PGBENCH],
                reads("straight", &straight, &ours, mean_bytes)?,
            ),
            line(CONSTANT_NGINX, &[], reads("constant-nginx", &constant.nginx, &same, constant_bytes)?),
            line(CONSTANT_STRAIGHT, &[], reads("constant", &constant.straight, &same, constant_bytes)?),
            line(
                PGBENCH,
                &[],
                Contestant::Pgbench(Pgbench::prepare(&private.system, route.row, &texts).await?),
            ),
        ],
    })
}

/// All products, or as many of them, evenly spread.
async fn products(private: &Private) -> Result<Vec<i64>, Error> {
    let all: Vec<i64> =
        sqlx::query_scalar(include_str!("reading/products.sql")).fetch_all(&private.databases[0]).await?;
    if all.is_empty() {
        return Err(Error::said("the catalogue has no products"));
    }
    Ok(all.iter().copied().step_by(all.len().div_ceil(MOST_PRODUCTS)).collect())
}

async fn compare(route: &Route, private: &Private, product: i64, answer: &Bytes) -> Result<(), Error> {
    let wrong = |what: &str| {
        let start: String = String::from_utf8_lossy(answer).chars().take(200).collect();
        Error::wrong(route.row, format!("the answer for product {product} {what}: {start}"))
    };
    let parsed: Value = serde_json::from_slice(answer).map_err(|_| wrong("is no JSON"))?;
    let shown = (route.shown)(&parsed).ok_or_else(|| wrong("is not shaped as it should be"))?;
    let stored: Vec<i64> =
        sqlx::query_scalar(route.stored).bind(product).fetch_all(&private.databases[0]).await?;
    if shown == (Shown { product, ids: stored }) {
        Ok(())
    } else {
        Err(wrong("shows other ids than the database holds"))
    }
}
