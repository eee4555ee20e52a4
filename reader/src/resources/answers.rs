//! `GET /qa/questions/:question_id/answers`.

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
    Router::new().route("/qa/questions/{question_id}/answers", get(list))
}

async fn list(State(documents): State<Documents>, id: PathId, query: Query) -> Result<Response, Problem> {
    let question_id = id.of("question")?;
    let page = query.page()?;
    let numbers = [page.offset, page.count, page.number].map(answer::bigint);
    let keys = [question_id, numbers[0], numbers[1], numbers[2]];
    let document = documents.fetch_page(&LIST, keys, page.count).await?;
    Ok(answer::found(document))
}

/// Keys: the question's id, rows before the page, rows of the page, the page's number.
pub(crate) const LIST: Statement =
    Statement { name: "answers/list", sql: include_str!("answers/list.sql"), keys: 4 };
