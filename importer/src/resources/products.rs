//! What the shop sells: product.csv, features.csv, styles.csv, skus.csv, photos.csv, related.csv.

use contract::catalogue::Table;

use super::{HIGHEST_COUNT, LONG_TEXT, SHORT_TEXT, Source, URL};
use crate::csv::Framing;
use crate::row::{Refusal, Row};

pub(super) const SOURCES: [Source; 6] = [
    Source {
        name: "product.csv",
        columns: &["id", "name", "slogan", "description", "category", "default_price"],
        framing: Framing::Quotes,
        table: Table::Products,
        clean: product,
    },
    Source {
        name: "features.csv",
        columns: &["id", "product_id", "feature", "value"],
        framing: Framing::Quotes,
        table: Table::Features,
        clean: feature,
    },
    Source {
        name: "styles.csv",
        columns: &["id", "productId", "name", "sale_price", "original_price", "default_style"],
        framing: Framing::Quotes,
        table: Table::Styles,
        clean: style,
    },
    Source {
        name: "skus.csv",
        columns: &["id", "styleId", "size", "quantity"],
        framing: Framing::Quotes,
        table: Table::Skus,
        clean: sku,
    },
    Source {
        name: "photos.csv",
        columns: &["id", "styleId", "url", "thumbnail_url"],
        framing: Framing::Lines,
        table: Table::StylePhotos,
        clean: photo,
    },
    Source {
        name: "related.csv",
        columns: &["id", "current_product_id", "related_product_id"],
        framing: Framing::Lines,
        table: Table::RelatedProducts,
        clean: related,
    },
];

fn product(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.text(SHORT_TEXT)?;
    row.optional_text(SHORT_TEXT)?;
    row.optional_text(LONG_TEXT)?;
    row.optional_text(SHORT_TEXT)?;
    row.price()
}

fn feature(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Products)?;
    row.text(SHORT_TEXT)?;
    row.optional_text(SHORT_TEXT)
}

fn style(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Products)?;
    row.text(SHORT_TEXT)?;
    row.optional_price()?;
    row.price()?;
    row.boolean()
}

fn sku(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Styles)?;
    row.optional_text(SHORT_TEXT)?;
    row.integer(0, HIGHEST_COUNT)
}

fn photo(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.parent(Table::Styles)?;
    row.optional_text(URL)?;
    row.optional_text(URL)
}

fn related(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.pair(Table::Products, "related to product 0 or to itself")
}
