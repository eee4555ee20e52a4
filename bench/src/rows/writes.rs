//! `POST /reviews`: reviews that are on disk when they are answered.

use std::path::Path;

use serde_json::{Value, json};

use crate::arguments::RowName;
use crate::contestant::{Contestant, Posts, Publishes, post_and_read_back};
use crate::disk;
use crate::error::Error;
use crate::load::{Load, Requests, write_lines};
use crate::private::Private;
use crate::row::{Line, Row};

const CONNECTIONS: u32 = 256;
const PUBLISHES: &str = "plain publishes from a loop, 256 in flight";

pub(super) async fn prepare(private: &Private, oha: &Path) -> Result<Row, Error> {
    let folder = private.folder.path();
    let file_system = disk::file_system(folder);
    if disk::is_memory(&file_system) {
        return Err(Error::said(format!(
            "{} lies on {file_system}, where nothing is ever on a disk; name a folder on a disk with TMPDIR",
            folder.display()
        )));
    }
    let reviews = reviews(private).await?;
    let sample = reviews.first().ok_or_else(|| Error::said("the catalogue has no products"))?;
    let position = post_and_read_back(private, RowName::Writes.name(), sample).await?;
    let publishes = Publishes::prepare(&private.stream, position, CONNECTIONS as usize).await?;
    let about = format!("POST /reviews, {CONNECTIONS} connections; an event has {} bytes", publishes.bytes());

    let bodies = private.folder.path().join("reviews.jsonl");
    write_lines(&bodies, &reviews.iter().map(Value::to_string).collect::<Vec<_>>())?;
    let posts = |name, header| Line {
        name,
        beside: &[PUBLISHES],
        contestant: Contestant::Posts(Posts {
            load: Load {
                oha: oha.to_owned(),
                connections: CONNECTIONS,
                status: 201,
                rate: None,
                requests: Requests::Post {
                    url: format!("{}/reviews", private.system.url()),
                    bodies: bodies.clone(),
                    header,
                },
            },
            sample: Some(sample.clone()),
        }),
    };
    Ok(Row {
        name: RowName::Writes.name(),
        about,
        lines: vec![
            posts("through nginx, Prefer: respond-async", Some("Prefer: respond-async")),
            posts("through nginx, waiting for the replicas", None),
            Line { name: PUBLISHES, beside: &[], contestant: Contestant::Publishes(publishes) },
        ],
    })
}

/// A review for each product, as a front end sends it: it rates all of the product's characteristics.
pub(crate) async fn reviews(private: &Private) -> Result<Vec<Value>, Error> {
    let products: Vec<(i64, Vec<i64>)> =
        sqlx::query_as(include_str!("writes/characteristics.sql")).fetch_all(&private.databases[0]).await?;
    let review = |(product, characteristics): (i64, Vec<i64>)| {
        let ratings: serde_json::Map<String, Value> =
            characteristics.iter().map(|id| (id.to_string(), json!(id % 5 + 1))).collect();
        json!({
            "product_id": product,
            "rating": product % 5 + 1,
            "summary": "Better than it looks on the page",
            "body": "I have worn it for a month now, on most days, and washed it more than once: the colour has stayed, the seams \
                     have held, and it fits as it did on the first day.",
            "recommend": product % 5 > 1,
            "name": "bench_shopper",
            "email": "bench.shopper@example.com",
            "photos": ["https://images.example.com/photo-1501088430049-71c79fa3283e"],
            "characteristics": ratings,
        })
    };
    Ok(products.into_iter().map(review).collect())
}
