//! What shoppers thought: reviews.csv, reviews_photos.csv, characteristics.csv, characteristic_reviews.csv.

use super::Create;
use crate::Error;
use crate::dates::{self, Form};
use crate::dirt::Dirt;
use crate::random::{Random, Share};
use crate::sheet::{Format, Sheet};
use crate::summary::FileSummary;
use crate::text::{self, people, review as words};

const REVIEWS: Format = Format {
    name: "reviews.csv",
    columns: &[
        "id",
        "product_id",
        "rating",
        "date",
        "summary",
        "body",
        "recommend",
        "reported",
        "reviewer_name",
        "reviewer_email",
        "response",
        "helpfulness",
    ],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};
const REVIEWS_PHOTOS: Format = Format {
    name: "reviews_photos.csv",
    columns: &["id", "review_id", "url"],
    header_spaces: false,
    carriage_returns: false,
    last_line_ends: true,
};
const CHARACTERISTICS: Format = Format {
    name: "characteristics.csv",
    columns: &["id", "product_id", "name"],
    header_spaces: true,
    carriage_returns: false,
    last_line_ends: false,
};
const CHARACTERISTIC_REVIEWS: Format = Format {
    name: "characteristic_reviews.csv",
    columns: &["id", "characteristic_id", "review_id", "value"],
    header_spaces: false,
    carriage_returns: true,
    last_line_ends: true,
};

// Rows of the legacy export at full size. There, as here, a review rates each characteristic of its product:
// 19,327,575 / 5,774,952 is 3,347,679 / 1,000,011.
const REVIEWS_PER_PRODUCT: f64 = 5_774_952.0 / 1_000_011.0;
const PHOTOS_PER_REVIEW: f64 = 2_742_540.0 / 5_774_952.0;
const CHARACTERISTICS_PER_PRODUCT: f64 = 3_347_679.0 / 1_000_011.0;

const NAMES: [&str; 6] = ["Size", "Width", "Comfort", "Quality", "Length", "Fit"];

/// The files of this resource, open.
#[derive(Debug)]
pub(super) struct Files {
    reviews: Sheet,
    photos: Sheet,
    characteristics: Sheet,
    ratings: Sheet,
    review_share: Share,
    photo_share: Share,
    characteristic_share: Share,
    /// The characteristics of the product being written.
    known: Vec<u64>,
    date: String,
}

impl Files {
    pub(super) fn create(create: &mut Create<'_>) -> Result<Self, Error> {
        Ok(Self {
            reviews: create(&REVIEWS)?,
            photos: create(&REVIEWS_PHOTOS)?,
            characteristics: create(&CHARACTERISTICS)?,
            ratings: create(&CHARACTERISTIC_REVIEWS)?,
            review_share: Share::new(REVIEWS_PER_PRODUCT),
            photo_share: Share::new(PHOTOS_PER_REVIEW),
            characteristic_share: Share::new(CHARACTERISTICS_PER_PRODUCT),
            known: Vec::with_capacity(NAMES.len()),
            date: String::new(),
        })
    }

    pub(super) fn write(&mut self, product: u64, weight: f64, random: &mut Random) -> Result<(), Error> {
        self.known.clear();
        let count = self.characteristic_share.take(text::varied(random, 6)).min(NAMES.len() as u64);
        let first = random.below(NAMES.len() as u64);
        for index in 0..count {
            let id = self.characteristics.begin();
            let name = NAMES[usize::try_from(first + index).unwrap_or(0) % NAMES.len()];
            if self.characteristics.parent(product, random).text(name).end()? {
                self.known.push(id);
            }
        }
        for _ in 0..self.review_share.take(weight) {
            self.write_review(product, random)?;
        }
        Ok(())
    }

    fn write_review(&mut self, product: u64, random: &mut Random) -> Result<(), Error> {
        let row = &mut self.reviews;
        let review = row.begin();
        // As in real shops, more than half are content.
        let rating = [1, 2, 3, 3, 4, 4, 4, 5, 5, 5][usize::try_from(random.below(10)).unwrap_or(0)];
        row.parent(product, random).number(rating);
        if dates::write(random, &mut self.date) != Form::Iso {
            row.mark(Dirt::DateForm);
        }
        if random.percent(50) {
            row.raw(&self.date);
        } else {
            row.text(&self.date);
        }
        row.text(random.pick(words::summaries(rating))).text(&words::body(rating, random));
        row.boolean(rating >= 3, random);
        let reported = random.percent(2);
        row.boolean(reported, random);
        let name = people::name(random);
        row.text(&name);
        if random.percent(1) {
            row.null(random);
        } else {
            row.text(&people::email(random));
        }
        if random.percent(85) {
            row.null(random);
        } else {
            row.text(random.pick(words::RESPONSES));
        }
        row.number(random.below(31));
        if !row.end()? {
            return Ok(());
        }
        for _ in 0..self.photo_share.take(if random.percent(25) { 8.0 * random.fraction() } else { 0.0 }) {
            self.photos.begin();
            self.photos.parent(review, random).text(&words::photo(random)).end()?;
        }
        for characteristic in &self.known {
            self.ratings.begin();
            // One parent of the two can be missing.
            if random.percent(50) {
                self.ratings.parent(*characteristic, random).number(review);
            } else {
                self.ratings.number(*characteristic).parent(review, random);
            }
            let value = (rating + random.below(3)).saturating_sub(1).clamp(1, 5);
            self.ratings.number(value).end()?;
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.reviews.rows() + self.photos.rows() + self.characteristics.rows() + self.ratings.rows()
    }

    pub(super) fn finish(self, summaries: &mut Vec<FileSummary>) -> Result<(), Error> {
        for sheet in [self.reviews, self.photos, self.characteristics, self.ratings] {
            summaries.push(sheet.finish()?);
        }
        Ok(())
    }
}
