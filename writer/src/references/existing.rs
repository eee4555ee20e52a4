//! Does what a write refers to exist?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use contract::Epoch;
use contract::fields::{Refusal, Refusals};
use contract::resources::reviews::NewReview;
use service::problem::{Problem, pages};
use sqlx::Row;
use sqlx::postgres::PgRow;
use stream::Connection;

use super::group::Group;
use super::memory::Memory;
use super::replicas::{Asked, Replicas, Unanswered};

const NEW_REVIEW: &str = include_str!("new_review.sql");

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
    pub(super) const ALL: [Kind; 5] = [Kind::Product, Kind::Sku, Kind::Review, Kind::Question, Kind::Answer];

    /// Asks a replica for ids of the kind.
    fn statement(self) -> &'static str {
        match self {
            Kind::Product => include_str!("product.sql"),
            Kind::Sku => include_str!("sku.sql"),
            Kind::Review => include_str!("review.sql"),
            Kind::Question => include_str!("question.sql"),
            Kind::Answer => include_str!("answer.sql"),
        }
    }

    /// What a shopper calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Product => "product",
            Kind::Sku => "sku",
            Kind::Review => "review",
            Kind::Question => "question",
            Kind::Answer => "answer",
        }
    }
}

/// What is known of one thing.
pub(super) enum Look {
    Exists,
    /// A replica that stands at this position does not have it.
    MissingAt(i64),
}

/// What a replica has of all things that a group asked for.
struct Found {
    position: i64,
    /// The life of the stream in which the replica stands; nothing when it cannot be read.
    epoch: Option<Epoch>,
    importing: bool,
    /// The whole catalogue is there, or the replica is live: what it does not know does not exist.
    certain: bool,
    known: HashSet<i64>,
    /// The products of those characteristics that exist.
    owners: HashMap<i64, i64>,
}

impl Found {
    fn read(
        asked: &Asked,
        owners: impl Fn(&PgRow) -> sqlx::Result<HashMap<i64, i64>>,
    ) -> sqlx::Result<Found> {
        let row = &asked.row;
        let known: Vec<i64> = row.try_get("known")?;
        Ok(Found {
            position: row.try_get("position")?,
            epoch: row.try_get::<&str, _>("epoch")?.parse().ok(),
            importing: row.try_get("importing")?,
            certain: asked.live || row.try_get("complete")?,
            known: known.into_iter().collect(),
            owners: owners(row)?,
        })
    }

    /// Whether a thing exists.
    ///
    /// # Errors
    /// 503 while a catalogue is being imported, or when the replica may only be behind.
    fn exists(&self, id: i64) -> Result<bool, Problem> {
        if self.importing {
            let detail = "the catalogue is being imported: nothing was stored; try again";
            return Err(Problem::unavailable(pages::IMPORTING, detail));
        }
        let known = self.known.contains(&id);
        if known || self.certain {
            return Ok(known);
        }
        let detail = "no replica that is up to date can be asked: nothing was stored; try again";
        Err(Problem::unavailable(pages::REPLICAS_AWAY, detail))
    }
}

/// A new review's product and characteristics.
type Reviewed = (i64, Vec<i64>);

/// Asks whether things exist, those of one kind together.
pub(super) struct Existing {
    kinds: [Group<i64, Found>; Kind::ALL.len()],
    reviews: Group<Reviewed, Found>,
    memory: Memory,
    connection: Connection,
}

impl Existing {
    pub(super) fn new(replicas: &Arc<Replicas>, connection: Connection) -> Existing {
        Existing {
            memory: Memory::default(),
            connection,
            kinds: Kind::ALL.map(|kind| {
                let replicas = replicas.clone();
                Group::start("reference checks", move |ids: Vec<i64>| {
                    let replicas = replicas.clone();
                    async move {
                        let asked = replicas.ask(|| sqlx::query(kind.statement()).bind(ids.clone())).await?;
                        Found::read(&asked, |_| Ok(HashMap::new())).map_err(unreadable)
                    }
                })
            }),
            reviews: {
                let replicas = replicas.clone();
                Group::start("reference checks", move |reviews: Vec<Reviewed>| {
                    let replicas = replicas.clone();
                    async move {
                        let (products, characteristics): (Vec<i64>, Vec<Vec<i64>>) =
                            reviews.into_iter().unzip();
                        let characteristics = characteristics.concat();
                        let statement =
                            || sqlx::query(NEW_REVIEW).bind(products.clone()).bind(characteristics.clone());
                        Found::read(&replicas.ask(statement).await?, owners).map_err(unreadable)
                    }
                })
            },
        }
    }

    /// Looks for one thing.
    ///
    /// # Errors
    /// 503 while nobody can tell.
    pub(super) async fn look(&self, kind: Kind, id: i64) -> Result<Look, Problem> {
        if self.epoch().is_some_and(|now| self.memory.knows(&now, kind, id)) {
            return Ok(Look::Exists);
        }
        let found = self.kinds[kind as usize].ask(id).await.map_err(away)?;
        if !found.exists(id)? {
            return Ok(Look::MissingAt(found.position));
        }
        if let Some(epoch) = &found.epoch {
            self.memory.remember(epoch, kind, id);
        }
        Ok(Look::Exists)
    }

    /// Checks a new review's product and characteristics.
    ///
    /// # Errors
    /// As [`super::References::new_review`] says.
    pub(super) async fn new_review(&self, review: &NewReview) -> Result<(), Problem> {
        let product = review.product_id;
        let ids: Vec<i64> = review.characteristics.iter().map(|rating| rating.id).collect();
        if let Some(now) = self.epoch()
            && self.memory.knows(&now, Kind::Product, product)
            && let Some(owners) = self.memory.owners(&now, &ids)
        {
            return all_of(product, &ids, &owners);
        }
        let found = self.reviews.ask((product, ids.clone())).await.map_err(away)?;
        if !found.exists(product)? {
            return Err(Problem::unknown("product", product));
        }
        if let Some(epoch) = &found.epoch {
            self.memory.remember(epoch, Kind::Product, product);
            let owners = ids.iter().filter_map(|id| Some((*id, *found.owners.get(id)?)));
            self.memory.remember_owners(epoch, owners);
        }
        all_of(product, &ids, &found.owners)
    }

    /// The life of the stream that is written to now, if it can be reached.
    fn epoch(&self) -> Option<Epoch> {
        self.connection.current().ok().map(|link| link.epoch().clone())
    }
}

/// Whether these characteristics exist and are this product's.
fn all_of(product: i64, characteristics: &[i64], owners: &HashMap<i64, i64>) -> Result<(), Problem> {
    if let Some(unknown) = characteristics.iter().find(|id| !owners.contains_key(id)) {
        return Err(Problem::unknown("characteristic", *unknown));
    }
    let foreign = characteristics.iter().filter(|id| owners[id] != product).map(|id| Refusal {
        field: format!("characteristics.{id}"),
        message: format!("is no characteristic of product {product}"),
    });
    let foreign: Vec<Refusal> = foreign.collect();
    if foreign.is_empty() { Ok(()) } else { Err(Problem::fields(Refusals(foreign))) }
}

fn owners(row: &PgRow) -> sqlx::Result<HashMap<i64, i64>> {
    let (characteristics, products): (Vec<i64>, Vec<i64>) =
        (row.try_get("characteristics")?, row.try_get("products")?);
    Ok(characteristics.into_iter().zip(products).collect())
}

fn unreadable(error: sqlx::Error) -> Unanswered {
    tracing::error!(%error, "a reference check's answer could not be read");
    Unanswered
}

fn away(_: Unanswered) -> Problem {
    Problem::unavailable(
        pages::REPLICAS_AWAY,
        "no replica can be asked whether the write refers to something that exists: nothing was stored; try again",
    )
}
