//! `GET /qa/questions`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use service::Problem;
use service::page::Query;

use crate::answer;
use crate::document::Documents;
use crate::resources::Sources;
use crate::statement::Statement;

pub(crate) fn routes() -> Router<Sources> {
    Router::new().route("/qa/questions", get(list))
}

async fn list(State(documents): State<Documents>, query: Query) -> Result<Response, Problem> {
    let product_id = query.product_id()?;
    let page = query.page()?;
    let keys = [product_id, answer::bigint(page.offset), answer::bigint(page.count)];
    let document = documents.fetch_page(&LIST, keys, page.count).await?;
    Ok(answer::found(document))
}

/// Keys: the product's id, rows before the page, rows of the page.
pub(crate) const LIST: Statement =
    Statement { name: "questions/list", sql: include_str!("questions/list.sql"), keys: 3 };
