//! POSTs of reviews, each of which must be in the stream afterwards, and applied by every replica.

use std::time::Duration;

use contract::Token;
use contract::headers::POSITION;
use reqwest::StatusCode;
use serde_json::Value;

use crate::error::Error;
use crate::figures::Measured;
use crate::load::Load;
use crate::private::Private;

/// A load of new reviews.
pub(crate) struct Posts {
    /// The load.
    pub(crate) load: Load,
    /// One of its bodies, posted once more after each load and read back; none while no replica applies anything.
    pub(crate) sample: Option<Value>,
}

impl Posts {
    pub(super) async fn measure(
        &self,
        private: &Private,
        line: &str,
        duration: Duration,
    ) -> Result<Measured, Error> {
        let before = private.stream_head().await?;
        let measured = self.load.run(line, duration).await?.measured;
        let stored = private.stream_head().await? - before;
        if stored != measured.count {
            return Err(Error::wrong(
                line,
                format!(
                    "{} writes were acknowledged, and the stream grew by {stored} events",
                    measured.count
                ),
            ));
        }
        if let Some(sample) = &self.sample {
            private.until_applied().await?;
            post_and_read_back(private, line, sample).await?;
        }
        Ok(measured)
    }
}

/// Posts a review through nginx and finds it through each reader; returns its position.
///
/// # Errors
/// When an answer is not what it should be.
pub(crate) async fn post_and_read_back(private: &Private, line: &str, review: &Value) -> Result<u64, Error> {
    let wrong = |what: String| Error::wrong(line, what);
    let answer = private.http.post(format!("{}/reviews", private.system.url())).json(review).send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let token: Option<Token> =
        headers.get(POSITION).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let (StatusCode::CREATED, Some(id), Some(token)) = (status, body["review_id"].as_u64(), token) else {
        return Err(wrong(format!("a review is answered with {status}: {text}")));
    };
    if token.position.0 != id {
        return Err(wrong(format!("review {id} has the position {}", token.position)));
    }
    private.until_applied().await?;
    for reader in private.system.reader_urls() {
        let url = format!("{reader}/reviews?product_id={}&sort=newest&count=1", review["product_id"]);
        let page: Value = serde_json::from_slice(&private.get(line, &url).await?).unwrap_or_default();
        let found = &page["results"][0];
        if found["review_id"].as_u64() != Some(id) || found["body"] != review["body"] {
            return Err(wrong(format!("review {id} is not what {url} shows as the newest")));
        }
    }
    Ok(id)
}
