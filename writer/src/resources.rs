//! Each resource owns its routes; here they are only merged.

mod reviews;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// All routes of the writer.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new().merge(reviews::routes()).with_state(app)
}
