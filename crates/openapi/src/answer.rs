//! Answers that are no problems.

use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Response, ResponseBuilder};

use crate::header;
use crate::schema::Described;

const UNCHANGED: &str = "What the answer shows has not changed since the ETag that the client has";
/// Headers of every answer.
const OF_EVERY_ANSWER: [&str; 3] =
    ["X-Request-Id", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"];
/// Headers of a read's answer, and the components that describe them.
const OF_A_READ: [(&str, &str); 5] = [
    ("Atelier-Position", "Served-Position"),
    ("Atelier-Staleness-Ms", "Atelier-Staleness-Ms"),
    ("Atelier-Stale", "Atelier-Stale"),
    ("ETag", "ETag"),
    ("Cache-Control", "Cache-Control"),
];
/// Headers of a write's answer, and the components that describe them.
const OF_A_WRITE: [(&str, &str); 4] = [
    ("Atelier-Position", "Written-Position"),
    ("Atelier-Applied", "Atelier-Applied"),
    ("Preference-Applied", "Preference-Applied"),
    ("Set-Cookie", "Set-Cookie"),
];

/// 200 of a read.
pub(crate) fn found(about: &str, schema: Described) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    with(ResponseBuilder::new().description(about).content("application/json", content), &OF_A_READ)
}

/// 304 of a read.
pub(crate) fn unchanged() -> Response {
    with(ResponseBuilder::new().description(UNCHANGED), &OF_A_READ)
}

/// 304 of what is no data of the shop.
pub(crate) fn document_unchanged() -> Response {
    kept(with(ResponseBuilder::new().description(UNCHANGED), &[]))
}

/// 201 of a write that made something with an id.
pub(crate) fn created(about: &str, schema: Described) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    with(ResponseBuilder::new().description(about).content("application/json", content), &OF_A_WRITE)
}

/// 201 of a write that made nothing with an id: the word that front ends got from the legacy service.
pub(crate) fn recorded(about: &str) -> Response {
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([json!("Created")]));
    let content = ContentBuilder::new().schema(Some(word)).build();
    with(ResponseBuilder::new().description(about).content("text/plain; charset=utf-8", content), &OF_A_WRITE)
}

/// 204 of a write.
pub(crate) fn done(about: &str) -> Response {
    with(ResponseBuilder::new().description(about), &OF_A_WRITE)
}

/// 200 with something that is no data of the shop.
pub(crate) fn document(about: &str, kind: &str, schema: Option<Described>) -> Response {
    let content = ContentBuilder::new().schema(schema).build();
    with(ResponseBuilder::new().description(about).content(kind, content), &[])
}

/// The same, with what a browser needs to ask whether it still holds.
pub(crate) fn kept(answer: Response) -> Response {
    let headers = OF_A_READ.iter().filter(|(name, _)| !name.starts_with("Atelier-"));
    let headers = headers.map(|(name, component)| ((*name).to_owned(), header::named(component)));
    let mut answer = answer;
    answer.headers.extend(headers);
    answer
}
/// The answer with headers, by name and component, and those that every answer has.
pub(crate) fn with(response: ResponseBuilder, headers: &[(&str, &str)]) -> Response {
    let mut response = response.build();
    let common = OF_EVERY_ANSWER.iter().map(|name| (*name, *name));
    let headers = headers.iter().copied().chain(common);
    response.headers = headers.map(|(name, component)| (name.to_owned(), header::named(component))).collect();
    response
}
