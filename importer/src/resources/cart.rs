//! What lay in shoppers' carts: cart.csv. A line is one piece of its product's lowest sku.

use contract::catalogue::Table;

use super::{SHORT_TEXT, Source};
use crate::csv::Framing;
use crate::row::{Refusal, Row};

pub(super) const SOURCES: [Source; 1] = [Source {
    name: "cart.csv",
    columns: &["id", "user_session", "product_id", "active"],
    framing: Framing::Lines,
    table: Table::LegacyCartLines,
    clean: line,
}];

fn line(row: &mut Row<'_>) -> Result<(), Refusal> {
    row.id()?;
    row.cart_line(SHORT_TEXT, "inactive lines of carts")
}
