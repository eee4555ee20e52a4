//! Fills the stream with ordinary events, past the writers: in atomic batches, as large as the server takes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use contract::Millis;
use service::Config;
use service::keys;
use sqlx::Row;
use stream::{BATCH_LIMIT, Connection, Link, Message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::mix::{Mix, Shop};
use super::say;
use crate::error::Error;
use crate::private::Private;

const ACKNOWLEDGE: Duration = Duration::from_secs(30);
/// Batches that are made ahead of those that are sent.
const AHEAD: usize = 4;

/// Publishes so many events; answers the positions of the first and the last.
///
/// # Errors
/// When one is not stored, or the stream is written to by somebody else.
pub(super) async fn publish(private: &Private, config: &Config, events: u64) -> Result<(u64, u64), Error> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = link(config, stop).await?;
    let failed = |error: keys::Error| Error::said(error.to_string());
    let sealer = keys::ring(&config.keys).map_err(failed)?.current().clone();
    let first = private.stream_head().await? + 1;
    let mut mix = Mix::new(shop(private).await?, sealer, first.cast_signed());
    let began = Instant::now();
    let (sender, mut made) = mpsc::channel::<Vec<Message>>(AHEAD);
    let making = tokio::task::spawn_blocking(move || {
        let mut left = events;
        while left > 0 {
            let number = left.min(BATCH_LIMIT as u64);
            let now = Millis(milliseconds());
            let batch = (0..number).map(|_| {
                let (envelope, event) = mix.next(now);
                Message::new(&envelope, &event)
            });
            if sender.blocking_send(batch.collect()).is_err() {
                return;
            }
            left -= number;
        }
    });
    let (mut next, mut bytes) = (first, 0);
    while let Some(batch) = made.recv().await {
        let messages: Vec<&Message> = batch.iter().collect();
        bytes += batch.iter().map(Message::size).sum::<usize>();
        let name = format!("bench-{next}");
        let placed = link.publish_batch(&name, &messages, ACKNOWLEDGE).await;
        let placed = placed.map_err(|error| Error::said(error.to_string()))?;
        if placed.0 != next {
            return Err(Error::said("somebody else writes to the stream: what events refer to is wrong"));
        }
        next += batch.len() as u64;
    }
    making.await.map_err(|error| Error::said(error.to_string()))?;
    let seconds = began.elapsed().as_secs_f64();
    say(&format!(
        "published {events} events, {:.0} bytes of payload each, in {seconds:.1} s: {:.0} a second",
        bytes as f64 / events as f64,
        events as f64 / seconds
    ));
    Ok((first, next - 1))
}

async fn link(config: &Config, stop: CancellationToken) -> Result<Link, Error> {
    let connection = Connection::open(config.stream_settings(), "atelier bench", stop);
    connection.verified().await.map_err(|error| Error::said(error.to_string()))
}

async fn shop(private: &Private) -> Result<Shop, Error> {
    let database = &private.databases[0];
    let products = sqlx::query_as(include_str!("shop.sql")).fetch_all(database).await?;
    let some = sqlx::query(include_str!("some_ids.sql")).fetch_one(database).await?;
    Ok(Shop {
        products,
        skus: some.try_get("skus")?,
        reviews: some.try_get("reviews")?,
        questions: some.try_get("questions")?,
        answers: some.try_get("answers")?,
    })
}

fn milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
