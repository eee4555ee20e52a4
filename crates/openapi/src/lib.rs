//! The HTTP contract as an OpenAPI 3.1 document.
//!
//! Nothing in it is written twice: paths and methods come from the table of routes, bodies of requests from the code
//! that parses them ([`contract::fields::Fields::describe`]), problems from the pages that explain them. What answers
//! look like is written here, and a test holds every real answer against it.

mod answer;
mod body;
mod header;
mod operation;
mod parameter;
mod problem;
mod resources;
mod schema;

use std::sync::LazyLock;

use service::routes::ROUTES;
use utoipa::openapi::path::{HttpMethod, PathItemBuilder, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use resources::Resource;

/// What the document says before its routes.
const INTRODUCTION: &str = include_str!("introduction.md");
/// The name's scheme: a cart named by the cookie.
pub(crate) const CART_COOKIE: &str = "cart_cookie";
/// A cart named by our header.
pub(crate) const CART_HEADER: &str = "cart_header";
/// A cart named by whatever stands in `Authorization`.
pub(crate) const CART_AUTHORIZATION: &str = "cart_authorization";

/// The document as it is served and kept in docs/: indented, with a line break at its end.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_string_pretty(&document()).expect("a document is plain data");
        text + "\n"
    });
    &TEXT
}

/// The document.
pub fn document() -> OpenApi {
    let resources = resources::all();
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        let operations = route.methods.iter().filter_map(|method| operation(&resources, method, route.path));
        let item = operations.fold(PathItemBuilder::new(), |item, (method, operation)| {
            item.operation(method, operation.clone())
        });
        paths = paths.path(route.path, item.build());
    }
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0"));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Atelier")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(INTRODUCTION))
                .license(Some(license.build()))
                .build(),
        )
        .servers(Some([
            ServerBuilder::new().url("/").build(),
            ServerBuilder::new()
                .url("/api")
                .description(Some("The same, for front ends that use this base"))
                .build(),
        ]))
        .tags(Some(resources.iter().map(|resource| {
            TagBuilder::new().name(resource.tag).description(Some(resource.description)).build()
        })))
        .paths(paths)
        .components(Some(components(&resources)))
        .build()
}

fn operation<'r>(
    resources: &'r [Resource],
    method: &str,
    path: &str,
) -> Option<(HttpMethod, &'r utoipa::openapi::path::Operation)> {
    let http = match method {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        _ => return None,
    };
    let mut operations = resources.iter().flat_map(|resource| &resource.operations);
    let (_, _, operation) = operations.find(|(of, at, _)| *of == method && *at == path)?;
    Some((http, operation))
}

fn components(resources: &[Resource]) -> utoipa::openapi::Components {
    let mut components = ComponentsBuilder::new().schema("Problem", problem::schema());
    for resource in resources {
        for (name, schema) in &resource.schemas {
            components = components.schema(*name, schema.clone());
        }
    }
    for (name, response) in problem::responses() {
        components = components.response(name, response);
    }
    for (name, header) in header::all() {
        components = components.header(name, header);
    }
    for (name, parameter) in parameter::shared() {
        components = components.parameter(name, parameter);
    }
    let named = |description| move |name| ApiKeyValue::with_description(name, description);
    components
        .security_scheme(
            CART_COOKIE,
            SecurityScheme::ApiKey(ApiKey::Cookie(named(
                "The cart's session, set by the answer to a POST /cart that carries none",
            )(contract::headers::SESSION_COOKIE))),
        )
        .security_scheme(
            CART_HEADER,
            SecurityScheme::ApiKey(ApiKey::Header(named(
                "The cart's session, for clients without cookies: any text that nobody else can guess",
            )("Atelier-Session"))),
        )
        .security_scheme(
            CART_AUTHORIZATION,
            SecurityScheme::ApiKey(ApiKey::Header(named(
                "Without cookie and header, the value of Authorization, whatever its scheme, names the cart",
            )("Authorization"))),
        )
        .build()
}

#[cfg(test)]
mod tests;
