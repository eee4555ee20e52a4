//! `GET /reviews`, `GET /reviews/meta`.

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
    Router::new().route("/reviews", get(list)).route("/reviews/meta", get(meta))
}

async fn list(State(documents): State<Documents>, query: Query) -> Result<Response, Problem> {
    let product_id = query.product_id()?;
    let page = query.page()?;
    let keys = [product_id, answer::bigint(page.offset), answer::bigint(page.count)];
    let document = documents.fetch_page(in_order(query.get("sort")), keys, page.count).await?;
    Ok(answer::found(document))
}

async fn meta(State(documents): State<Documents>, query: Query) -> Result<Response, Problem> {
    let product_id = query.product_id()?;
    let document = documents.fetch(&META, [product_id]).await?;
    Ok(answer::found(document))
}

/// The statement for a `sort`: front ends send the word with quotes around it as well, and words that mean nothing.
fn in_order(sort: Option<&str>) -> &'static Statement {
    match sort.map(|sort| sort.trim_matches('"')) {
        Some("newest") => &NEWEST,
        Some("helpful") => &HELPFUL,
        _ => &RELEVANT,
    }
}

/// Keys: the product's id, rows before the page, rows of the page.
pub(crate) const NEWEST: Statement =
    Statement { name: "reviews/newest", sql: include_str!("reviews/newest.sql"), keys: 3 };
/// Keys: the product's id, rows before the page, rows of the page.
pub(crate) const HELPFUL: Statement =
    Statement { name: "reviews/helpful", sql: include_str!("reviews/helpful.sql"), keys: 3 };
/// Keys: the product's id, rows before the page, rows of the page.
pub(crate) const RELEVANT: Statement =
    Statement { name: "reviews/relevant", sql: include_str!("reviews/relevant.sql"), keys: 3 };
/// Key: the product's id.
pub(crate) const META: Statement =
    Statement { name: "reviews/meta", sql: include_str!("reviews/meta.sql"), keys: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_whatever_front_ends_send() {
        for (sort, statement) in [
            (Some("newest"), &NEWEST),
            (Some("helpful"), &HELPFUL),
            (Some("\"helpful\""), &HELPFUL),
            (Some("relevant"), &RELEVANT),
            (Some("Relevant"), &RELEVANT),
            (Some("undefined"), &RELEVANT),
            (Some(""), &RELEVANT),
            (None, &RELEVANT),
        ] {
            assert_eq!(in_order(sort), statement, "{sort:?}");
        }
    }
}
