//! `GET /cart`: the cart of the caller's session.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use contract::keyed_hash::HashingKey;
use service::{Problem, session};

use crate::answer;
use crate::document::Documents;
use crate::resources::Sources;
use crate::statement::Statement;

pub(crate) fn routes() -> Router<Sources> {
    Router::new().route("/cart", get(cart))
}

async fn cart(
    State(documents): State<Documents>,
    State(hashing): State<HashingKey>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // No session has the empty name, so that whoever has none gets an empty cart, with its position.
    let session = session::of_cart(&headers).map(|value| hashing.session(value)).unwrap_or_default();
    let document = documents.fetch(&CART, session).await?;
    Ok(answer::private(document))
}

/// Key: the session's keyed hash, a text.
pub(crate) const CART: Statement =
    Statement { name: "cart/cart", sql: include_str!("cart/cart.sql"), keys: 1 };
