//! Each resource owns its routes; here they are only merged.

mod answers;
mod cart;
mod interactions;
mod questions;
mod reviews;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// All routes of the writer.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .merge(reviews::routes())
        .merge(questions::routes())
        .merge(answers::routes())
        .merge(cart::routes())
        .merge(interactions::routes())
        .with_state(app)
}
