//! What a replica really holds, read in one snapshot.

use local::System;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};
use tests::tables;

use crate::model::{Holder, Post, Review, State};

const CHECKPOINT: &str = include_str!("replica/checkpoint.sql");
const PRODUCTS: &str = include_str!("replica/products.sql");
const SKUS: &str = include_str!("replica/skus.sql");
const REVIEWS: &str = include_str!("replica/reviews.sql");
const REVIEW_PHOTOS: &str = include_str!("replica/review_photos.sql");
const RATINGS: &str = include_str!("replica/ratings.sql");
const REVIEW_TOTALS: &str = include_str!("replica/review_totals.sql");
const CHARACTERISTIC_TOTALS: &str = include_str!("replica/characteristic_totals.sql");
const QUESTIONS: &str = include_str!("replica/questions.sql");
const ANSWERS: &str = include_str!("replica/answers.sql");
const ANSWER_PHOTOS: &str = include_str!("replica/answer_photos.sql");
const CART: &str = include_str!("replica/cart.sql");
const INTERACTIONS: &str = include_str!("replica/interactions.sql");
const REJECTIONS: &str = include_str!("replica/rejections.sql");
const KEYS: &str = include_str!("replica/keys.sql");

/// Reads everything of a replica's serving generation that the model knows.
///
/// # Errors
/// When the replica does not answer.
pub(crate) async fn read(system: &System, replica: &str) -> Result<State, String> {
    let state = async {
        let mut connection = tables::connect(system, replica).await?;
        sqlx::raw_sql("begin isolation level repeatable read, read only").execute(&mut connection).await?;
        let state = in_snapshot(&mut connection).await?;
        connection.close().await?;
        Ok::<State, sqlx::Error>(state)
    };
    state.await.map_err(|error| format!("replica {replica} cannot be read: {error}"))
}

async fn in_snapshot(connection: &mut PgConnection) -> sqlx::Result<State> {
    let checkpoint = sqlx::query(CHECKPOINT).fetch_one(&mut *connection).await?;
    let mut rows = Reader(connection);
    Ok(State {
        position: checkpoint.try_get(0)?,
        event_hash: checkpoint.try_get(1)?,
        clock: checkpoint.try_get(2)?,
        products: rows.all(PRODUCTS, |row| row.try_get(0)).await?,
        skus: rows.all(SKUS, |row| row.try_get(0)).await?,
        reviews: rows.all(REVIEWS, |row| Ok((row.try_get(0)?, review(row)?))).await?,
        review_photos: rows.all(REVIEW_PHOTOS, part).await?,
        ratings: rows
            .all(RATINGS, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))))
            .await?,
        review_totals: rows.all(REVIEW_TOTALS, totals).await?,
        characteristic_totals: rows
            .all(CHARACTERISTIC_TOTALS, |row| {
                Ok(((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, row.try_get(3)?)))
            })
            .await?,
        questions: rows.all(QUESTIONS, |row| Ok((row.try_get(0)?, post(row)?))).await?,
        answers: rows.all(ANSWERS, |row| Ok((row.try_get(0)?, post(row)?))).await?,
        answer_photos: rows.all(ANSWER_PHOTOS, part).await?,
        cart: rows
            .all(CART, |row| Ok(((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, row.try_get(3)?))))
            .await?,
        interactions: rows
            .all(INTERACTIONS, |row| {
                let seen = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
                Ok((row.try_get(0)?, seen))
            })
            .await?,
        rejections: rows
            .all(REJECTIONS, |row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))))
            .await?,
        keys: rows.all(KEYS, holder).await?,
    })
}

struct Reader<'a>(&'a mut PgConnection);

impl Reader<'_> {
    async fn all<T, C: FromIterator<T>>(
        &mut self,
        statement: &'static str,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<C> {
        sqlx::query(statement).fetch_all(&mut *self.0).await?.iter().map(read).collect()
    }
}

fn part(row: &PgRow) -> sqlx::Result<(i64, (i64, String))> {
    Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))
}

fn review(row: &PgRow) -> sqlx::Result<Review> {
    Ok(Review {
        product: row.try_get(1)?,
        rating: row.try_get(2)?,
        date: row.try_get(3)?,
        summary: row.try_get(4)?,
        body: row.try_get(5)?,
        recommend: row.try_get(6)?,
        reported: row.try_get(7)?,
        name: row.try_get(8)?,
        email: row.try_get(9)?,
        helpfulness: row.try_get(10)?,
    })
}

fn totals(row: &PgRow) -> sqlx::Result<(i64, [i64; 7])> {
    let mut totals = [0; 7];
    for (total, column) in totals.iter_mut().zip(1..) {
        *total = row.try_get::<i64, usize>(column)?;
    }
    Ok((row.try_get(0)?, totals))
}

fn post(row: &PgRow) -> sqlx::Result<Post> {
    Ok(Post {
        of: row.try_get(1)?,
        body: row.try_get(2)?,
        date: row.try_get(3)?,
        name: row.try_get(4)?,
        email: row.try_get(5)?,
        reported: row.try_get(6)?,
        helpfulness: row.try_get(7)?,
    })
}

fn holder(row: &PgRow) -> sqlx::Result<(String, Holder)> {
    let holder = Holder {
        position: row.try_get(1)?,
        body: row.try_get(2)?,
        outcome: row.try_get(3)?,
        clock: row.try_get(4)?,
    };
    Ok((row.try_get(0)?, holder))
}
