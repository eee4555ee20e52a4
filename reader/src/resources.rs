//! The routes of each resource; a module owns its own.

pub(crate) mod products;
pub(crate) mod reviews;

use axum::Router;

use crate::document::Documents;

/// All public routes of a reader.
pub(crate) fn routes() -> Router<Documents> {
    Router::new().merge(products::routes()).merge(reviews::routes())
}
