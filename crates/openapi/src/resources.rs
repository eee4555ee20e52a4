//! The operations and schemas of each resource.

mod answers;
mod cart;
mod interactions;
mod manual;
mod products;
mod questions;
mod reviews;

use utoipa::openapi::path::Operation;

use crate::schema::Described;

/// What a resource puts into the document.
pub(crate) struct Resource {
    /// Its name.
    pub(crate) tag: &'static str,
    /// What it is.
    pub(crate) description: &'static str,
    /// Method, path and operation.
    pub(crate) operations: Vec<(&'static str, &'static str, Operation)>,
    /// By name.
    pub(crate) schemas: Vec<(&'static str, Described)>,
}

/// All of them, in the order of the document.
pub(crate) fn all() -> Vec<Resource> {
    vec![
        products::resource(),
        reviews::resource(),
        questions::resource(),
        answers::resource(),
        cart::resource(),
        interactions::resource(),
        manual::resource(),
    ]
}
