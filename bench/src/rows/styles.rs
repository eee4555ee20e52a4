//! `GET /products/:id/styles`: a product's styles with their photos and skus.

use std::path::Path;

use crate::arguments::RowName;
use crate::error::Error;
use crate::private::Private;
use crate::reading::{self, Route, Shown};
use crate::row::Row;

const ROUTE: Route = Route {
    row: RowName::Styles.name(),
    request: "GET /products/N/styles",
    path: |product| format!("/products/{product}/styles"),
    shown: |answer| Shown::read(answer, "product_id", "style_id"),
    stored: include_str!("styles/of_product.sql"),
};

pub(super) async fn prepare(private: &Private, oha: &Path) -> Result<Row, Error> {
    reading::prepare(&ROUTE, private, oha).await
}
