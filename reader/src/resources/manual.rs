//! `GET /openapi.json`, `GET /docs` and the files of that page: the contract, for programs and for people.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use service::Problem;
use utoipa_swagger_ui::Config;

use crate::answer;
use crate::resources::Sources;
use crate::revalidation;

/// The page. It finds its files and the document beside itself, so it works under every base.
const PAGE: &str = include_str!("manual/docs.html");
/// What the page is made of.
const ASSETS: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// Something that stays the same as long as the reader runs.
struct Fixed {
    kind: HeaderValue,
    bytes: Bytes,
    tag: HeaderValue,
}

pub(crate) fn routes() -> Router<Sources> {
    Router::new()
        .route("/openapi.json", get(|| async { DOCUMENT.answer() }))
        .route("/docs", get(|| async { DOCS.answer() }))
        .route("/docs/{asset}", get(asset))
}

async fn asset(path: Option<Path<String>>) -> Response {
    let name = path.map(|Path(name)| name).unwrap_or_default();
    match FILES.iter().find(|(of, _)| *of == name) {
        Some((_, file)) => file.answer(),
        None => Problem::no_route().into_response(),
    }
}

static DOCUMENT: LazyLock<Fixed> =
    LazyLock::new(|| Fixed::new("application/json", Bytes::from_static(openapi::text().as_bytes())));

static DOCS: LazyLock<Fixed> =
    LazyLock::new(|| Fixed::new("text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes())));

/// The page's files by name.
static FILES: LazyLock<Vec<(&str, Fixed)>> = LazyLock::new(|| {
    // It would only matter for a file that is not among ours.
    let config = Arc::new(Config::new(["/openapi.json"]));
    let file = |name| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok().flatten();
        let file = file.expect("the crate holds the files of the page");
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        (name, Fixed::new(&file.content_type, bytes))
    };
    ASSETS.into_iter().map(file).collect()
});

impl Fixed {
    fn new(kind: &str, bytes: Bytes) -> Fixed {
        let kind = HeaderValue::from_str(kind).expect("content types are plain ASCII");
        Fixed { kind, tag: revalidation::tag(&bytes), bytes }
    }

    fn answer(&self) -> Response {
        (answer::shared(self.kind.clone(), self.tag.clone()), self.bytes.clone()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_that_is_not_served_here() {
        for (name, file) in FILES.iter() {
            assert!(PAGE.contains(name), "{name} is served for nobody");
            assert!(!file.bytes.is_empty(), "{name}");
        }
        assert!(!PAGE.contains("https:") && !PAGE.contains("http:"), "the page works offline");
        let kinds: Vec<_> = FILES.iter().map(|(_, file)| file.kind.to_str().unwrap()).collect();
        assert_eq!(kinds, ["text/css", "text/javascript", "image/png"]);
    }
}
