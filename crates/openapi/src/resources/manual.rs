//! `GET /openapi.json`, `/docs`, `/docs/:asset`, `/problems/:problem`: what explains the rest.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::Resource;
use crate::answer::document;
use crate::operation::{Named, fetch_once};
use crate::parameter::path;
use crate::schema::{form, text, with_example};

const TAG: &str = "manual";

pub(super) fn resource() -> Resource {
    Resource {
        tag: TAG,
        description: "This document, the same for people, and a page for each problem.",
        operations: vec![
            ("GET", "/openapi.json", itself()),
            ("GET", "/docs", page()),
            ("GET", "/docs/{asset}", asset()),
            ("GET", "/problems/{problem}", problem()),
        ],
        schemas: vec![],
    }
}

fn itself() -> Operation {
    let named_as = Named { tag: TAG, id: "getOpenApi", summary: "This document" };
    let any = ObjectBuilder::new().schema_type(Type::Object).build();
    fetch_once(named_as, vec![], document("OpenAPI 3.1", "application/json", Some(any.into())), &[]).build()
}

fn page() -> Operation {
    let named_as = Named { tag: TAG, id: "getDocs", summary: "This document as a page" };
    fetch_once(
        named_as,
        vec![],
        document("A page that needs nothing from elsewhere", "text/html; charset=utf-8", Some(text().into())),
        &[],
    )
    .build()
}

fn asset() -> Operation {
    let named_as = Named { tag: TAG, id: "getDocsAsset", summary: "What that page is made of" };
    let name = path("asset", with_example(form(FILE), "swagger-ui.css"), "A file's name");
    fetch_once(named_as, vec![name], document("The file", "*/*", None), &[404]).build()
}

fn problem() -> Operation {
    let named_as = Named { tag: TAG, id: "getProblem", summary: "What a problem means and what to do" };
    let name =
        path("problem", with_example(form(FILE), "invalid-fields"), "The last part of a problem's `type`");
    fetch_once(
        named_as,
        vec![name],
        document("Markdown", "text/markdown; charset=utf-8", Some(text().into())),
        &[404],
    )
    .build()
}

/// Names that stay within one part of a path.
const FILE: &str = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$";
