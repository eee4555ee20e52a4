//! `GET /reviews?product_id=N`: a product's first page, most helpful first.

use std::path::Path;

use crate::arguments::RowName;
use crate::error::Error;
use crate::private::Private;
use crate::reading::{self, Route, Shown};
use crate::row::Row;

const ROUTE: Route = Route {
    row: RowName::Reviews.name(),
    request: "GET /reviews?product_id=N",
    path: |product| format!("/reviews?product_id={product}"),
    shown: |answer| Shown::read(answer, "product", "review_id"),
    stored: include_str!("reviews/first_page.sql"),
};

pub(super) async fn prepare(private: &Private, oha: &Path) -> Result<Row, Error> {
    reading::prepare(&ROUTE, private, oha).await
}
