//! Reviews: `reviews`, `review_photos`, `characteristic_ratings`, and the totals over reviews that are not reported.

use contract::Position;
use contract::fold::Occurrence;
use contract::resources::reviews::{ReviewCreated, ReviewHelpful, ReviewReported};
use sqlx::PgConnection;

use crate::failure::Failure;

const CREATED: &str = include_str!("reviews/created.sql");
const CREATED_PHOTOS: &str = include_str!("reviews/created_photos.sql");
const CREATED_RATINGS: &str = include_str!("reviews/created_ratings.sql");
const HELPFUL: &str = include_str!("reviews/helpful.sql");
const REPORTED: &str = include_str!("reviews/reported.sql");

/// What a batch changes, column by column, as the statements take it.
#[derive(Default)]
pub(super) struct Changes<'a> {
    reviews: Reviews<'a>,
    photos: Photos<'a>,
    ratings: Ratings,
    helpful: Vec<i64>,
    reported: Vec<i64>,
}

#[derive(Default)]
struct Reviews<'a> {
    ids: Vec<i64>,
    products: Vec<i64>,
    ratings: Vec<i16>,
    times: Vec<i64>,
    summaries: Vec<&'a str>,
    bodies: Vec<&'a str>,
    recommends: Vec<bool>,
    names: Vec<&'a str>,
    emails: Vec<&'a str>,
    photos: Vec<Option<String>>,
}

#[derive(Default)]
struct Photos<'a> {
    ids: Vec<i64>,
    reviews: Vec<i64>,
    urls: Vec<&'a str>,
}

#[derive(Default)]
struct Ratings {
    ids: Vec<i64>,
    products: Vec<i64>,
    characteristics: Vec<i64>,
    reviews: Vec<i64>,
    values: Vec<i16>,
}

impl<'a> Changes<'a> {
    pub(super) fn created(&mut self, occurrence: &Occurrence, event: &'a ReviewCreated) {
        let position = occurrence.position;
        let id = position.as_i64();
        self.reviews.ids.push(id);
        self.reviews.products.push(event.product_id);
        self.reviews.ratings.push(event.rating.into());
        self.reviews.times.push(occurrence.time.0);
        self.reviews.summaries.push(&event.summary);
        self.reviews.bodies.push(&event.body);
        self.reviews.recommends.push(event.recommend);
        self.reviews.names.push(&event.reviewer_name);
        self.reviews.emails.push(&event.reviewer_email);
        self.reviews.photos.push(shown(position, &event.photos));
        for (index, url) in event.photos.iter().enumerate() {
            self.photos.ids.push(position.part(index));
            self.photos.reviews.push(id);
            self.photos.urls.push(url);
        }
        for (index, rating) in event.characteristics.iter().enumerate() {
            self.ratings.ids.push(position.part(index));
            self.ratings.products.push(event.product_id);
            self.ratings.characteristics.push(rating.id);
            self.ratings.reviews.push(id);
            self.ratings.values.push(rating.value.into());
        }
    }

    pub(super) fn helpful(&mut self, event: &ReviewHelpful) {
        self.helpful.push(event.review_id);
    }

    pub(super) fn reported(&mut self, event: &ReviewReported) {
        self.reported.push(event.review_id);
    }

    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), Failure> {
        let Changes { reviews, photos, ratings, helpful, reported } = self;
        if !reviews.ids.is_empty() {
            sqlx::query(CREATED)
                .bind(reviews.ids)
                .bind(reviews.products)
                .bind(reviews.ratings)
                .bind(reviews.times)
                .bind(reviews.summaries)
                .bind(reviews.bodies)
                .bind(reviews.recommends)
                .bind(reviews.names)
                .bind(reviews.emails)
                .bind(reviews.photos)
                .execute(&mut *connection)
                .await?;
        }
        if !photos.ids.is_empty() {
            let photos = sqlx::query(CREATED_PHOTOS).bind(photos.ids).bind(photos.reviews).bind(photos.urls);
            photos.execute(&mut *connection).await?;
        }
        if !ratings.ids.is_empty() {
            sqlx::query(CREATED_RATINGS)
                .bind(ratings.ids)
                .bind(ratings.products)
                .bind(ratings.characteristics)
                .bind(ratings.reviews)
                .bind(ratings.values)
                .execute(&mut *connection)
                .await?;
        }
        if !helpful.is_empty() {
            sqlx::query(HELPFUL).bind(helpful).execute(&mut *connection).await?;
        }
        if !reported.is_empty() {
            sqlx::query(REPORTED).bind(reported).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Photos as GET /reviews lists them, in the bytes that reviews/photos.sql gives imported ones.
fn shown(position: Position, urls: &[String]) -> Option<String> {
    let photos = urls.iter().enumerate().map(|(index, url)| {
        let url = serde_json::to_string(url).expect("text becomes JSON");
        format!("{{\"id\":{},\"url\":{url}}}", position.part(index))
    });
    let photos: Vec<String> = photos.collect();
    (!photos.is_empty()).then(|| photos.join(","))
}
