//! What shoppers thought: reviews.csv, reviews_photos.csv, characteristics.csv, characteristic_reviews.csv.

use contract::catalogue::Table;
use contract::resources::reviews::{BODY_LIMIT, SUMMARY_LIMIT};

use super::{EMAIL, HIGHEST_COUNT, LONG_TEXT, NAME, SHORT_TEXT, Source, URL};
use crate::csv::Framing;
use crate::row::{Refusal, Row};

pub(super) const SOURCES: [Source; 4] = [
    Source {
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
        framing: Framing::Quotes,
        table: Table::Reviews,
        clean: review,
    },
    Source {
        name: "reviews_photos.csv",
        columns: &["id", "review_id", "url"],
        framing: Framing::Lines,
        table: Table::ReviewPhotos,
        clean: photo,
    },
    Source {
        name: "characteristics.csv",
        columns: &["id", "product_id", "name"],
        framing: Framing::Quotes,
        table: Table::Characteristics,
        clean: characteristic,
    },
    Source {
        name: "characteristic_reviews.csv",
        columns: &["id", "characteristic_id", "review_id", "value"],
        framing: Framing::Lines,
        table: Table::CharacteristicRatings,
        clean: rating,
    },
];

fn review(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Products)?;
    row.integer(1, 5)?;
    row.date()?;
    row.text_or_empty(SUMMARY_LIMIT)?;
    row.text(BODY_LIMIT)?;
    row.boolean()?;
    row.boolean()?;
    row.text(NAME)?;
    row.sealed(EMAIL)?;
    row.optional_text(LONG_TEXT)?;
    row.integer(0, HIGHEST_COUNT)
}

fn photo(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Reviews)?;
    row.text(URL)
}

fn characteristic(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Products)?;
    row.text(SHORT_TEXT)
}

fn rating(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Characteristics)?;
    row.parent(Table::Reviews)?;
    row.integer(1, 5)
}
