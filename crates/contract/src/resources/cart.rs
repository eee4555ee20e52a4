//! A cart belongs to a session: one line a sku, whose count adds up.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, Refusals};

/// Most pieces that one request adds.
pub const COUNT_LIMIT: i64 = 1_000;

/// `cart.added`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartAdded {
    /// Keyed hash of the session's name; never the name.
    pub session: String,
    /// What is added.
    pub sku_id: i64,
    /// How many pieces, from 1.
    pub count: i64,
}

/// What a shopper sent, checked; the sku is not looked up yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCartLine {
    /// What is added.
    pub sku_id: i64,
    /// How many pieces; 1 unless said.
    pub count: i64,
}

impl NewCartLine {
    /// Parses the body of `POST /cart`.
    ///
    /// # Errors
    /// All fields that are missing or wrong, at once.
    pub fn parse(body: &serde_json::Value) -> Result<NewCartLine, Refusals> {
        Fields::read(body, NewCartLine::read)
    }

    /// Reads the fields: the one place that says which there are.
    pub fn read(fields: &mut Fields<'_>) -> NewCartLine {
        NewCartLine {
            sku_id: fields.id("sku_id"),
            count: fields.optional_integer("count", 1..=COUNT_LIMIT, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_may_be_text_or_absent() {
        for (body, count) in [
            (json!({"sku_id": 7}), Some(1)),
            (json!({"sku_id": "7", "count": "2"}), Some(2)),
            (json!({"sku_id": 7, "count": null}), Some(1)),
            (json!({"sku_id": 7, "count": 0}), None),
            (json!({"sku_id": 7, "count": 1001}), None),
            (json!({"count": 1}), None),
        ] {
            let line = NewCartLine::parse(&body).ok();
            assert_eq!(line, count.map(|count| NewCartLine { sku_id: 7, count }), "{body}");
        }
    }
}
