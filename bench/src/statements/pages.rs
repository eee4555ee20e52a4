//! Pages of a product with thousands of reviews, whole: from the request to the last byte, through the reader.

use std::time::Instant;

use reqwest::StatusCode;

use crate::error::Error;
use crate::statements::table::{Figures, PageRow};
use crate::statements::target::Target;

/// Before those that count.
const WARM_UP: usize = 20;
/// Counted requests for each page, one after another on one connection.
const RUNS: usize = 200;

/// The last page of five, and all at once, in each order.
pub(crate) const PAGES: [Page; 6] = [
    Page("sort=newest&page=1000&count=5"),
    Page("sort=helpful&page=1000&count=5"),
    Page("sort=relevant&page=1000&count=5"),
    Page("sort=newest&count=10000"),
    Page("sort=helpful&count=10000"),
    Page("sort=relevant&count=10000"),
];

/// The query, but for the product.
pub(crate) struct Page(&'static str);

impl Page {
    /// Asks for it again and again.
    pub(crate) async fn measure(&self, target: &Target, product: i64) -> Result<PageRow, Error> {
        let url = format!("{}/reviews?product_id={product}&{}", target.url, self.0);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let (mut milliseconds, mut bytes) = (Vec::with_capacity(RUNS), 0);
        for run in 0..WARM_UP + RUNS {
            let started = Instant::now();
            let answer = client.get(&url).send().await?;
            let status = answer.status();
            bytes = answer.bytes().await?.len();
            if status != StatusCode::OK {
                return Err(Error::wrong("pages", format!("{url} answers {status}")));
            }
            if run >= WARM_UP {
                milliseconds.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        Ok(PageRow { query: self.0, bytes, figures: Figures::of(&mut milliseconds) })
    }
}
