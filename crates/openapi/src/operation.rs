//! An operation: a method of a route, with all that it takes and can answer.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{Operation, OperationBuilder};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::{RefOr, Response};

use crate::schema::Described;
use crate::{answer, parameter, problem};

/// What an operation is called.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    /// The resource that it belongs to.
    pub(crate) tag: &'static str,
    /// Its name for programs.
    pub(crate) id: &'static str,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
}

/// A read: its parameters, what it shows, and the problems of its own.
pub(crate) fn read(
    named: Named,
    parameters: Vec<parameter::Described>,
    shows: (&str, Described),
    problems: &[u16],
) -> OperationBuilder {
    let common = ["Atelier-Min-Position", "If-None-Match"].map(parameter::named);
    let operation = begun(named, parameters.into_iter().chain(common))
        .response("200", answer::found(shows.0, shows.1))
        .response("304", answer::unchanged());
    with_problems(operation, &[problems, &[422, 503]].concat())
}

/// Problems of a write that refers to something.
pub(crate) const REFERS: [u16; 2] = [404, 409];

/// A write that makes something.
pub(crate) fn create(
    named: Named,
    parameters: Vec<parameter::Described>,
    body: RequestBody,
    created: Response,
    problems: &[u16],
) -> OperationBuilder {
    let operation = write(named, parameters).request_body(Some(body)).response("201", created);
    with_problems(operation, &[problems, &[422, 503]].concat())
}

/// A write without a body, about what the path names.
pub(crate) fn vote(named: Named, id: parameter::Described, done: &str) -> Operation {
    let operation = write(named, vec![id])
        .description(Some("A body is ignored, whatever it holds."))
        .response("204", answer::done(done));
    with_problems(operation, &[&REFERS[..], &[422, 503]].concat()).build()
}

/// Anything else that is fetched, and fetched again only when it has changed.
pub(crate) fn fetch_once(
    named: Named,
    mut parameters: Vec<parameter::Described>,
    found: Response,
    problems: &[u16],
) -> OperationBuilder {
    parameters.push(parameter::named("If-None-Match"));
    let operation = begun(named, parameters)
        .response("200", answer::kept(found))
        .response("304", answer::document_unchanged());
    with_problems(operation, problems)
}

/// Says of an answer that its id can be used in other operations.
pub(crate) fn linked<const N: usize>(mut answer: Response, id: &str, operations: [&str; N]) -> Response {
    for operation in operations {
        let value = format!("$response.body#/{id}");
        let link = LinkBuilder::new().operation_id(operation).parameter(id, value).build();
        answer.links.insert(operation.to_owned(), RefOr::T(link));
    }
    answer
}

fn write(named: Named, parameters: Vec<parameter::Described>) -> OperationBuilder {
    let common = ["Idempotency-Key", "Atelier-Session", "Prefer"].map(parameter::named);
    begun(named, parameters.into_iter().chain(common))
}

fn begun(named: Named, parameters: impl IntoIterator<Item = parameter::Described>) -> OperationBuilder {
    let operation =
        OperationBuilder::new().tag(named.tag).operation_id(Some(named.id)).summary(Some(named.summary));
    // The builder itself takes no references.
    let mut operation = operation.build();
    operation.parameters = Some(parameters.into_iter().chain([parameter::named("X-Request-Id")]).collect());
    operation.into()
}

fn with_problems(operation: OperationBuilder, problems: &[u16]) -> OperationBuilder {
    let mut statuses: Vec<u16> = problems.iter().copied().chain(problem::OF_EVERY_ROUTE).collect();
    statuses.sort_unstable();
    statuses.into_iter().fold(operation, |operation, status| {
        operation.response(status.to_string(), problem::named_by(status))
    })
}
