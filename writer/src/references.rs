//! Does what a write refers to exist? Asked of the most advanced live replica, before the event is written.

use std::collections::HashMap;
use std::time::Duration;

use contract::fields::{Refusal, Refusals};
use contract::fold::{Outcome, Reason};
use contract::resources::reviews::NewReview;
use contract::{Idempotency, Position};
use replica::{Role, SCHEMA_LIVE, connect_options};
use service::Config;
use service::problem::{Problem, pages};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Decode, Postgres, Row, Type, postgres::PgArguments};
use stream::Connection;

use crate::visibility::Visibility;

const NEW_REVIEW: &str = include_str!("references/new_review.sql");
const OUTCOME: &str = include_str!("references/outcome.sql");
/// How long one replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a write may refer to by its id alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `products`
    Product,
    /// `skus`
    Sku,
    /// `reviews`
    Review,
    /// `questions`
    Question,
    /// `answers`
    Answer,
}

impl Kind {
    /// Asks a replica for one id of the kind.
    fn statement(self) -> &'static str {
        match self {
            Kind::Product => include_str!("references/product.sql"),
            Kind::Sku => include_str!("references/sku.sql"),
            Kind::Review => include_str!("references/review.sql"),
            Kind::Question => include_str!("references/question.sql"),
            Kind::Answer => include_str!("references/answer.sql"),
        }
    }

    /// What a shopper calls it.
    fn word(self) -> &'static str {
        match self {
            Kind::Product => "product",
            Kind::Sku => "sku",
            Kind::Review => "review",
            Kind::Question => "question",
            Kind::Answer => "answer",
        }
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A replica's answer.
struct Asked {
    row: PgRow,
    /// It is live: what it does not know does not exist. Another one may only be behind, so its "no" counts only once it
    /// has the whole catalogue.
    certain: bool,
}

impl Asked {
    /// Whether the thing asked for exists.
    ///
    /// # Errors
    /// 503 while a catalogue is being imported, or when the replica may only be behind.
    fn exists(&self) -> Result<bool, Problem> {
        if self.get("importing")? {
            let detail = "the catalogue is being imported: nothing was stored; try again";
            return Err(Problem::unavailable(pages::IMPORTING, detail));
        }
        let (known, complete): (bool, bool) = (self.get("known")?, self.get("complete")?);
        if known || complete || self.certain {
            return Ok(known);
        }
        let detail = "no replica that is up to date can be asked: nothing was stored; try again";
        Err(Problem::unavailable(pages::REPLICAS_AWAY, detail))
    }

    fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(&'r self, column: &str) -> Result<T, Problem> {
        self.row.try_get(column).map_err(|error| {
            tracing::error!(%error, column, "a reference check's answer could not be read");
            Problem::internal()
        })
    }
}

/// Asks replicas.
pub(crate) struct References {
    replicas: Vec<(String, PgPool)>,
    connection: Connection,
    visibility: Visibility,
    wait: Duration,
}

impl References {
    /// Pools that connect when they are first used.
    ///
    /// # Errors
    /// When a replica's url or password cannot be read.
    pub(crate) fn new(
        config: &Config,
        connection: Connection,
        visibility: Visibility,
    ) -> Result<References, replica::Error> {
        let mut replicas = Vec::new();
        for replica in &config.replicas {
            let options =
                connect_options(&replica.url, &replica.passwords, Role::Writer, "writer")?.options([
                    ("search_path", SCHEMA_LIVE),
                    ("default_transaction_read_only", "on"),
                    ("statement_timeout", "1000"),
                ]);
            let pool =
                PgPoolOptions::new().max_connections(config.writer.connections).acquire_timeout(PATIENCE);
            replicas.push((replica.name.clone(), pool.connect_lazy_with(options)));
        }
        let wait = Duration::from_millis(config.writer.reference_wait_ms);
        Ok(References { replicas, connection, visibility, wait })
    }

    /// Checks a new review's product and characteristics.
    ///
    /// # Errors
    /// 404 when one is unknown, 422 when a characteristic is another product's, 503 while nobody can tell.
    pub(crate) async fn new_review(&self, review: &NewReview) -> Result<(), Problem> {
        let ids: Vec<i64> = review.characteristics.iter().map(|rating| rating.id).collect();
        let asked = self.ask(|| sqlx::query(NEW_REVIEW).bind(review.product_id).bind(ids.clone())).await?;
        if !asked.exists()? {
            return Err(Problem::unknown("product", review.product_id));
        }
        let (characteristics, products): (Vec<i64>, Vec<i64>) =
            (asked.get("characteristics")?, asked.get("products")?);
        let owners: HashMap<i64, i64> = characteristics.into_iter().zip(products).collect();
        if let Some(unknown) = ids.iter().find(|id| !owners.contains_key(id)) {
            return Err(Problem::unknown("characteristic", *unknown));
        }
        let foreign = ids.iter().filter(|id| owners[id] != review.product_id).map(|id| Refusal {
            field: format!("characteristics.{id}"),
            message: format!("is no characteristic of product {}", review.product_id),
        });
        let foreign: Vec<Refusal> = foreign.collect();
        if foreign.is_empty() { Ok(()) } else { Err(Problem::fields(Refusals(foreign))) }
    }

    /// Checks that something exists. What was just written may not have reached the replica: it is waited for.
    ///
    /// # Errors
    /// 404 when it does not, 503 while nobody can tell.
    pub(crate) async fn exists(&self, kind: Kind, id: i64) -> Result<(), Problem> {
        let mut waited = false;
        loop {
            let asked = self.ask(|| sqlx::query(kind.statement()).bind(id)).await?;
            let (position, checkpoint): (Position, i64) = (Position::from_i64(id), asked.get("position")?);
            if asked.exists()? {
                return Ok(());
            } else if position < Position::FIRST || checkpoint >= id {
                return Err(Problem::unknown(kind.word(), id));
            } else if waited {
                return Err(Problem::unavailable(
                    pages::NOT_REACHED,
                    format!("no replica has reached {} {id} yet: nothing was stored; try again", kind.word()),
                ));
            }
            if position > self.head().await? {
                return Err(Problem::unknown(kind.word(), id));
            }
            // Reached or not: the next look decides.
            self.visibility.wait_for_any(position, self.wait).await;
            waited = true;
        }
    }

    /// What became of an event that some replica has applied; `None` when nobody can tell.
    pub(crate) async fn outcome(
        &self,
        position: Position,
        key: Option<&Idempotency>,
    ) -> Option<(Outcome, Option<Position>)> {
        let key = key.map(|key| key.key.clone());
        let asked = self.ask(|| sqlx::query(OUTCOME).bind(position.as_i64()).bind(key.clone())).await.ok()?;
        let row = asked.row;
        let read = || -> sqlx::Result<(i64, Option<String>, Option<i64>)> {
            Ok((row.try_get("checkpoint")?, row.try_get("reason")?, row.try_get("holder")?))
        };
        let (checkpoint, reason, holder) = read().ok()?;
        if checkpoint < position.as_i64() {
            return None;
        }
        if let Some(reason) = reason {
            let reason: Reason = serde_json::from_value(serde_json::Value::String(reason)).ok()?;
            return Some((Outcome::Rejected(reason), None));
        }
        match holder.map(Position::from_i64) {
            Some(first) if first < position => Some((Outcome::NoOp, Some(first))),
            _ => Some((Outcome::Applied, None)),
        }
    }

    /// Asks the live replicas, the most advanced first, then the others.
    async fn ask<'q>(&self, statement: impl Fn() -> Statement<'q>) -> Result<Asked, Problem> {
        let live = self.visibility.live_replicas();
        let rank = |name: &str| live.iter().position(|replica| replica == name).unwrap_or(usize::MAX);
        let mut replicas: Vec<_> = self.replicas.iter().collect();
        replicas.sort_by_key(|(name, _)| rank(name));
        for (name, pool) in replicas {
            match tokio::time::timeout(PATIENCE, statement().fetch_one(pool)).await {
                Ok(Ok(row)) => return Ok(Asked { row, certain: live.contains(name) }),
                Ok(Err(error)) => {
                    tracing::warn!(replica = name, %error, "a reference could not be checked on this replica")
                }
                Err(_) => tracing::warn!(replica = name, "a reference check took too long on this replica"),
            }
        }
        Err(Problem::unavailable(
            pages::REPLICAS_AWAY,
            "no replica can be asked whether the write refers to something that exists: nothing was stored; try again",
        ))
    }

    async fn head(&self) -> Result<Position, Problem> {
        let away = |_| {
            Problem::unavailable(
                pages::STREAM_AWAY,
                "the event stream cannot be reached: nothing was stored; try again",
            )
        };
        let link = self.connection.current().map_err(|error| away(error.to_string()))?;
        link.head().await.map_err(|error| away(error.to_string()))
    }
}
