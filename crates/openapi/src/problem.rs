//! Problems: one answer for each status that is none of a route's own.

use contract::fields::Refusal;
use serde_json::json;
use service::problem::pages;
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::answer;
use crate::schema::{Described, about, form, integer, named, object, text};

/// Statuses that every route can answer with, whatever it does: most of them are nginx's own.
pub(crate) const OF_EVERY_ROUTE: [u16; 9] = [400, 413, 414, 431, 500, 501, 502, 504, 505];

/// Status, name and meaning.
const PROBLEMS: [(u16, &str, &str); 15] = [
    (400, "BadRequest", "The request or its body cannot be parsed"),
    (404, "NotFound", "The path holds no id, or nothing has an id that the request names"),
    (405, "MethodNotAllowed", "The path does not allow this method"),
    (409, "Rejected", "The write was stored and then rejected on record"),
    (413, "BodyTooLarge", "The body is over 256 kB"),
    (414, "AddressTooLong", "Path and query are too long"),
    (422, "Invalid", "Parameters, headers or fields are missing or wrong; all fields are named at once"),
    (431, "HeadersTooLarge", "The headers are too large"),
    (500, "Internal", "The request failed inside the server"),
    (501, "NotImplemented", "The body's transfer encoding is not known"),
    (502, "NoneAnswered", "No service answered"),
    (
        503,
        "Unavailable",
        "It cannot be answered just now; for a write the detail says whether it may still land",
    ),
    (504, "NoneAnsweredInTime", "No service answered in time"),
    (505, "VersionNotSupported", "HTTP/1.1 is spoken here"),
    (404, "NoRoute", "Nothing is served at this path"),
];

/// A problem document.
pub(crate) fn schema() -> Described {
    // Their names are in the code; what fills them is checked by the compiler here.
    let Refusal { field, message } = Refusal { field: "field".into(), message: "message".into() };
    let refusal = object([(field.as_str(), text().into()), (message.as_str(), text().into())]);
    let names: Vec<&str> = pages::ALL.iter().map(|page| page.name).collect();
    let kind = about(
        form(&format!("^/problems/(?:{})$", names.join("|"))),
        "Which problem: the address of a page that says what it means and what to do",
    );
    let mut problem = object([
        ("type", kind.into()),
        ("title", text().into()),
        ("status", integer(400, Some(599)).into()),
        ("detail", about(text(), "What is wrong with this request").into()),
    ]);
    let errors = ArrayBuilder::new()
        .items(refusal)
        .min_items(Some(1))
        .description(Some("The fields of the body that are missing or wrong, all of them"));
    problem.properties.insert("errors".into(), errors.build().into());
    Schema::Object(problem).into()
}

/// The problems as answers, by name.
pub(crate) fn responses() -> Vec<(&'static str, Response)> {
    PROBLEMS.iter().map(|(status, name, meaning)| (*name, response(*status, meaning))).collect()
}

/// The answer for a status.
pub(crate) fn named_by(status: u16) -> RefOr<Response> {
    let name = PROBLEMS.iter().find(|(of, _, _)| *of == status).map_or("Problem", |(_, name, _)| *name);
    Ref::from_response_name(name).into()
}

fn response(status: u16, meaning: &str) -> Response {
    let this = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([json!(status)]));
    let this_status = ObjectBuilder::new().property("status", this);
    let schema = AllOfBuilder::new().item(named("Problem")).item(this_status);
    let response = ResponseBuilder::new()
        .description(meaning)
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build());
    let more: &[(&str, &str)] = match status {
        405 => &[("Allow", "Allow")],
        502..=504 => &[("Retry-After", "Retry-After")],
        _ => &[],
    };
    answer::with(response, more)
}
