//! One module a resource; each owns its routes.

pub(crate) mod answers;
pub(crate) mod cart;
pub(crate) mod manual;
pub(crate) mod products;
pub(crate) mod questions;
pub(crate) mod reviews;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn, from_fn_with_state};
use contract::keyed_hash::HashingKey;

use crate::document::Documents;
use crate::listener::{self, Listener};
use crate::revalidation;

/// What handlers answer from; each takes the part that it needs.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The replica.
    pub(crate) documents: Documents,
    /// Under it sessions are named.
    pub(crate) hashing: HashingKey,
}

impl FromRef<Sources> for Documents {
    fn from_ref(sources: &Sources) -> Documents {
        sources.documents.clone()
    }
}

impl FromRef<Sources> for HashingKey {
    fn from_ref(sources: &Sources) -> HashingKey {
        sources.hashing.clone()
    }
}

/// All public routes of one of a reader's listeners.
pub(crate) fn routes(listener: Listener) -> Router<Sources> {
    let data = Router::new()
        .merge(products::routes())
        .merge(reviews::routes())
        .merge(questions::routes())
        .merge(answers::routes())
        .merge(cart::routes())
        .layer(from_fn_with_state(listener, listener::around));
    // What makes a 304 lies outside: that has been judged as well.
    data.merge(manual::routes()).layer(from_fn(revalidation::unless_modified))
}
