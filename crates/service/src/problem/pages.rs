//! The pages behind `type`: what each problem means and what to do. Every service serves them at `/problems/{name}`.
//!
//! A problem can only be made with one of these, so each has its page.

use std::hash::{DefaultHasher, Hasher};

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// A page of `docs/errors/`.
#[derive(Debug)]
pub struct Page {
    /// Its name, the last part of `type`.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! pages {
    ($($constant:ident = $name:literal,)*) => {
        $(
            #[doc = concat!("docs/errors/", $name, ".md")]
            pub const $constant: &Page =
                &Page { name: $name, text: include_str!(concat!("../../../../docs/errors/", $name, ".md")) };
        )*
        /// All pages; nginx's own problems are among them.
        pub const ALL: &[&Page] = &[$($constant),*];
    };
}

pages! {
    BAD_REQUEST = "bad-request",
    BODY_TOO_LARGE = "body-too-large",
    HEADERS_TOO_LARGE = "headers-too-large",
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused",
    IMPORTING = "importing",
    INTERNAL = "internal",
    INVALID_BODY = "invalid-body",
    INVALID_FIELDS = "invalid-fields",
    INVALID_HEADER = "invalid-header",
    INVALID_ID = "invalid-id",
    INVALID_PARAMETER = "invalid-parameter",
    METHOD_NOT_ALLOWED = "method-not-allowed",
    NO_READER_ANSWERED = "no-reader-answered",
    NO_ROUTE = "no-route",
    NO_WRITER_ANSWERED = "no-writer-answered",
    NOT_REACHED = "not-reached",
    OUTCOME_UNKNOWN = "outcome-unknown",
    OVERLOADED = "overloaded",
    READ_TOO_SLOW = "read-too-slow",
    REJECTED = "rejected",
    REPLICA_AWAY = "replica-away",
    REPLICA_BEHIND = "replica-behind",
    REPLICAS_AWAY = "replicas-away",
    REQUEST_TIMEOUT = "request-timeout",
    STOPPING = "stopping",
    STREAM_AWAY = "stream-away",
    STREAM_DAMAGED = "stream-damaged",
    STREAM_FULL = "stream-full",
    STREAM_REFUSED = "stream-refused",
    STREAM_UNHEALTHY = "stream-unhealthy",
    UNKNOWN_ID = "unknown-id",
    URI_TOO_LONG = "uri-too-long",
}

impl Page {
    /// The same from every process of a build, and weak, because nginx compresses under it.
    fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.text.as_bytes());
        format!("W/\"{:016x}\"", hasher.finish())
    }
}

/// The page of a problem, as Markdown.
pub(crate) async fn serve(path: Option<Path<String>>) -> Response {
    let name = path.map(|Path(name)| name).unwrap_or_default();
    match ALL.iter().find(|page| page.name == name) {
        Some(page) => {
            let headers = [
                (header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
                (header::ETAG, page.tag()),
                // As a reader says of everything that is everybody's.
                (header::CACHE_CONTROL, "no-cache".to_owned()),
                (header::VARY, "Accept-Encoding".to_owned()),
            ];
            (headers, page.text).into_response()
        }
        None => Problem::no_route().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_problems_that_nginx_answers_itself_have_pages() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/nginx");
        let mut names = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for rest in text.split("/problems/").skip(1) {
                let name = rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap();
                assert!(ALL.iter().any(|page| page.name == name), "docs/errors/{name}.md is missing");
                names += 1;
            }
        }
        assert!(names > 5, "nginx's problems are found where they are looked for");
    }
}
