//! `GET /products`, `/products/:product_id`, `/products/:product_id/styles`, `/products/:product_id/related`.
//!
//! Products do not change after the import, so each answer was made when the catalogue closed and is only fetched.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use service::Problem;
use service::extract::PathId;
use service::page::Query;

use crate::answer;
use crate::document::Documents;
use crate::resources::Sources;
use crate::statement::Statement;

pub(crate) fn routes() -> Router<Sources> {
    Router::new()
        .route("/products", get(list))
        .route("/products/{product_id}", get(product))
        .route("/products/{product_id}/styles", get(styles))
        .route("/products/{product_id}/related", get(related))
}

async fn list(State(documents): State<Documents>, query: Query) -> Result<Response, Problem> {
    let page = query.page()?;
    let keys = [page.offset, page.count].map(answer::bigint);
    let document = documents.fetch_page(&LIST, keys, page.count).await?;
    Ok(answer::found(document))
}

async fn product(State(documents): State<Documents>, id: PathId) -> Result<Response, Problem> {
    of_one_product(&PRODUCT, &documents, id).await
}

async fn styles(State(documents): State<Documents>, id: PathId) -> Result<Response, Problem> {
    of_one_product(&STYLES, &documents, id).await
}

async fn related(State(documents): State<Documents>, id: PathId) -> Result<Response, Problem> {
    of_one_product(&RELATED, &documents, id).await
}

async fn of_one_product(
    statement: &'static Statement,
    documents: &Documents,
    id: PathId,
) -> Result<Response, Problem> {
    let id = id.of("product")?;
    let document = documents.fetch(statement, [id]).await?;
    Ok(answer::found_or(document, || Problem::unknown("product", id)))
}

/// Keys: rows before the page, rows of the page.
pub(crate) const LIST: Statement =
    Statement { name: "products/list", sql: include_str!("products/list.sql"), keys: 2 };
/// Key: the product's id.
pub(crate) const PRODUCT: Statement =
    Statement { name: "products/product", sql: include_str!("products/product.sql"), keys: 1 };
/// Key: the product's id.
pub(crate) const STYLES: Statement =
    Statement { name: "products/styles", sql: include_str!("products/styles.sql"), keys: 1 };
/// Key: the product's id.
pub(crate) const RELATED: Statement =
    Statement { name: "products/related", sql: include_str!("products/related.sql"), keys: 1 };
