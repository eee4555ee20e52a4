//! Gives a private system's biggest product as many reviews as a big one has.

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde_json::json;

use crate::error::Error;
use crate::private::Private;
use crate::statements::target::{BIG, Target};

/// Reviews in flight.
const AT_ONCE: usize = 64;

/// Writes reviews, as shoppers do, until a product has enough of them.
pub(crate) async fn until_a_product_is_big(private: &Private) -> Result<(), Error> {
    let (product, reviews) = Target::of(private.system.data()).await?.big_product().await?;
    if reviews >= BIG {
        return Ok(());
    }
    eprintln!("writing {} reviews of product {product}", BIG - reviews);
    let url = format!("{}/reviews", private.system.url());
    stream::iter(reviews..BIG)
        .map(|number| {
            let review = review(product, number);
            let request = private.http.post(&url).header("prefer", "respond-async").json(&review);
            async move {
                match request.send().await?.status() {
                    StatusCode::CREATED => Ok(()),
                    other => Err(Error::said(format!("a review was answered with {other}"))),
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    private.until_applied().await
}

/// About as long as the sample's, and every fourth has photos.
fn review(product: i64, number: i64) -> serde_json::Value {
    let photo = format!("https://images.example.com/photo-1501088430049-71c79fa3283e?id={number}");
    let photos = if number % 4 == 0 { vec![photo.clone(), photo] } else { vec![] };
    json!({
        "product_id": product,
        "rating": number % 5 + 1,
        "summary": "Better than it looks on the page",
        "body": "I have worn it for a month now, on most days, and washed it more than once: the colour has stayed, \
                 the seams have held, and it fits as it did on the first day.",
        "recommend": number % 5 > 1,
        "name": format!("bench_shopper_{number}"),
        "email": "bench.shopper@example.com",
        "photos": photos,
    })
}
