//! What shoppers ask for: reads of products that nobody writes about, whose answers never change, and writes about others.

use serde_json::Value;

use super::chance::Chance;
use crate::error::Error;
use crate::private::Private;
use crate::rows::writes::reviews;

/// Products that are written about; the rest of those that are asked for are only read.
const WRITTEN: usize = 200;

/// One request.
pub(super) struct Request {
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
    pub(super) status: u16,
    /// Its answer is always the same one: this place among them. None: it is a write.
    pub(super) same: Option<usize>,
    /// It makes a review of this product.
    pub(super) review_of: Option<i64>,
}

/// All that may be asked for.
pub(super) struct Asked {
    /// Those that are only read.
    quiet: Vec<i64>,
    /// Bodies of reviews of those that are written about.
    reviews: Vec<Value>,
    /// Their imported reviews.
    voted: Vec<i64>,
    skus: Vec<i64>,
}

impl Asked {
    pub(super) async fn prepare(private: &Private) -> Result<Self, Error> {
        let mut reviews = reviews(private).await?;
        if reviews.len() < 2 * WRITTEN {
            return Err(Error::said(format!("the load needs {} products", 2 * WRITTEN)));
        }
        let product = |review: &Value| review["product_id"].as_i64().unwrap_or_default();
        let quiet = reviews.split_off(WRITTEN).iter().map(product).collect();
        let written: Vec<i64> = reviews.iter().map(product).collect();
        let database = &private.databases[0];
        let statement =
            "select id from live.reviews where product_id = any($1) and id < 1000000000 order by id";
        let voted = sqlx::query_scalar(statement).bind(written).fetch_all(database).await?;
        let statement = "select id from live.skus order by id limit 5000";
        let skus = sqlx::query_scalar(statement).fetch_all(database).await?;
        Ok(Self { quiet, reviews, voted, skus })
    }

    /// The read of this number.
    pub(super) fn read(&self, number: u64) -> Request {
        const KINDS: usize = 10;
        let mut chance = Chance::new(number);
        let (place, kind) = (chance.place(self.quiet.len()), chance.place(KINDS));
        let id = self.quiet[place];
        let target = match kind {
            0..=2 => format!("/reviews?product_id={id}"),
            3 => format!("/reviews?product_id={id}&sort=helpful&count=20"),
            4 => format!("/reviews/meta?product_id={id}"),
            5 => format!("/qa/questions?product_id={id}"),
            6 => format!("/products/{id}"),
            7 => format!("/products/{id}/related"),
            _ => format!("/products/{id}/styles"),
        };
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes();
        let same = Some(place * KINDS + kind);
        Request { what: format!("GET {target}"), bytes, status: 200, same, review_of: None }
    }

    /// The write of this number.
    pub(super) fn write(&self, number: u64) -> Request {
        let mut chance = Chance::new(number);
        let (mut review_of, mut status) = (None, 201);
        let (method, target, body) = match chance.place(10) {
            0..=2 => {
                let review = &self.reviews[chance.place(self.reviews.len())];
                review_of = review["product_id"].as_i64();
                ("POST", "/reviews".to_owned(), review.to_string())
            }
            3..=5 => {
                status = 204;
                let id = self.voted[chance.place(self.voted.len())];
                ("PUT", format!("/reviews/{id}/helpful"), String::new())
            }
            6..=7 => {
                let sku = self.skus[chance.place(self.skus.len())];
                ("POST", "/cart".to_owned(), format!("{{\"sku_id\":{sku}}}"))
            }
            _ => {
                let body = r#"{"element":"button","widget":"overview","time":"now"}"#;
                ("POST", "/interactions".to_owned(), body.to_owned())
            }
        };
        let bytes = format!(
            "{method} {target} HTTP/1.1\r\nHost: shop.example\r\nAtelier-Session: bench-{}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            number % 5_000,
            body.len()
        );
        Request {
            what: format!("{method} {target}"),
            bytes: bytes.into_bytes(),
            status,
            same: None,
            review_of,
        }
    }
}
