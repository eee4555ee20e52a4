//! `POST /interactions`: what a shopper did on a page.

use contract::fields::Fields;
use contract::resources::interactions::NewInteraction;
use serde_json::json;
use utoipa::openapi::path::Operation;

use super::Resource;
use crate::operation::{Named, create};
use crate::{answer, body};

const TAG: &str = "interactions";

pub(super) fn resource() -> Resource {
    let about = [
        ("element", "What was used"),
        ("widget", "The part of the page that it belongs to"),
        ("time", "When, in the front end's own words"),
    ];
    Resource {
        tag: TAG,
        description: "What shoppers did on pages: recorded, and read by nobody here.",
        operations: vec![("POST", "/interactions", record())],
        schemas: vec![("NewInteraction", body::schema(&Fields::describe(NewInteraction::read), about))],
    }
}

fn record() -> Operation {
    let named_as = Named { tag: TAG, id: "recordInteraction", summary: "Record an interaction" };
    let example =
        json!({"element": "button.add-to-cart", "widget": "Overview", "time": "2026-01-31T12:00:00.000Z"});
    create(named_as, vec![], body::body("NewInteraction", example), answer::recorded("It is recorded"), &[])
        .build()
}
