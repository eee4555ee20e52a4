//! What shoppers fill in: bodies that are accepted.

use serde_json::{Value, json};

/// A sku of the tests' catalogue; carts are kept apart by their sessions.
pub const SKU: i64 = 10;

/// A review for a product of the tests' catalogue.
#[must_use]
pub fn review(product: i64) -> Value {
    json!({
        "product_id": product,
        "rating": 4,
        "summary": "Fits",
        "body": "It fits as it should",
        "recommend": true,
        "name": "jo",
        "email": "jo@shopper.example"
    })
}

/// A question about a product of the tests' catalogue.
#[must_use]
pub fn question(product: i64) -> Value {
    json!({"product_id": product, "body": "Does it fit?", "name": "jo", "email": "jo@shopper.example"})
}

/// An answer to any question.
#[must_use]
pub fn answer() -> Value {
    json!({"body": "It fits as it should", "name": "jo", "email": "jo@shopper.example"})
}

/// An interaction.
#[must_use]
pub fn interaction() -> Value {
    json!({"element": "button.add", "widget": "overview", "time": "Mon Nov 23 2026 15:50:00"})
}
