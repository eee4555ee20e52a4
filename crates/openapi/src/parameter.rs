//! Parameters of requests: in paths, queries and headers.

use serde_json::Value;
use service::page::{COUNT_LIMIT, DEFAULT_COUNT};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Object;
use utoipa::openapi::{Ref, RefOr, Required};

use crate::header::TOKEN;
use crate::schema::{form, id, natural, text, with_example};

/// A parameter, or a reference to one.
pub(crate) type Described = RefOr<Parameter>;

/// Parameters that several operations have, by name.
pub(crate) fn shared() -> Vec<(&'static str, Parameter)> {
    let count = format!("Rows of a page; more than {COUNT_LIMIT} means {COUNT_LIMIT}");
    let mut rows = natural();
    rows.default = Some(Value::from(DEFAULT_COUNT));
    let mut first = natural();
    first.default = Some(Value::from(1));
    let key = format!("^[!-~]{{1,{}}}$", contract::headers::IDEMPOTENCY_KEY_LIMIT);
    vec![
        (
            "page",
            optional(
                ParameterIn::Query,
                "page",
                first,
                "The page, from 1; 0 means 1. Past the end it is empty",
            ),
        ),
        ("count", optional(ParameterIn::Query, "count", rows, &count)),
        (
            "product_id",
            required(ParameterIn::Query, "product_id", id(), "The product. An unknown one has empty results"),
        ),
        (
            "Atelier-Min-Position",
            optional(
                ParameterIn::Header,
                "Atelier-Min-Position",
                form(TOKEN),
                "An `Atelier-Position` that the client has seen: the answer shows no less, or says `Atelier-Stale: true`. \
                 The cookie `atelier_position`, which a write sets, demands the same; both hold",
            ),
        ),
        (
            "If-None-Match",
            optional(
                ParameterIn::Header,
                "If-None-Match",
                text(),
                "ETags that the client has: 304 when one of them still holds",
            ),
        ),
        (
            "Idempotency-Key",
            optional(
                ParameterIn::Header,
                "Idempotency-Key",
                form(&key),
                "The client's name for this write: a retry gets the first answer, another body under the same key is 422",
            ),
        ),
        (
            "Atelier-Session",
            optional(
                ParameterIn::Header,
                "Atelier-Session",
                text(),
                "The client's session, any text that nobody can guess: an `Idempotency-Key` counts within it. The \
                 cookie `atelier_session` comes before it",
            ),
        ),
        (
            "X-Request-Id",
            optional(
                ParameterIn::Header,
                "X-Request-Id",
                text(),
                "The answer's id, and every log line's, if it has at most 128 visible ASCII characters; else a new one is made",
            ),
        ),
        (
            "Prefer",
            optional(
                ParameterIn::Header,
                "Prefer",
                text(),
                "`respond-async`: answer as soon as the write is durable, without waiting until replicas show it",
            ),
        ),
    ]
}

/// One of the shared parameters.
pub(crate) fn named(name: &str) -> Described {
    RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")))
}

/// An id in the path.
pub(crate) fn path_id(name: &str, about: &str) -> Described {
    path(name, with_example(id(), 1), about)
}

/// A query's parameter that may be left out.
pub(crate) fn query(name: &str, schema: Object, about: &str) -> Described {
    RefOr::T(optional(ParameterIn::Query, name, schema, about))
}

/// A part of the path.
pub(crate) fn path(name: &str, schema: Object, about: &str) -> Described {
    RefOr::T(required(ParameterIn::Path, name, schema, about))
}

fn optional(place: ParameterIn, name: &str, schema: Object, about: &str) -> Parameter {
    of(place, name, schema, about, Required::False)
}

fn required(place: ParameterIn, name: &str, schema: Object, about: &str) -> Parameter {
    of(place, name, schema, about, Required::True)
}

fn of(place: ParameterIn, name: &str, schema: Object, about: &str, required: Required) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
