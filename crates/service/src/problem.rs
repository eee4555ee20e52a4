//! Errors as shoppers' front ends see them: RFC 9457 problem details.

pub mod pages;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::fields::{Refusal, Refusals};
use pages::Page;
use serde::Serialize;

use crate::overload::Overload;

/// A problem document. `type` leads to a page of the same name under `docs/errors/`.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    page: &'static Page,
    title: &'static str,
    detail: String,
    errors: Vec<Refusal>,
    headers: Vec<(HeaderName, HeaderValue)>,
    overload: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[Refusal]>::is_empty")]
    errors: &'a [Refusal],
}

impl Problem {
    fn new(
        status: StatusCode,
        page: &'static Page,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            status,
            page,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            overload: false,
        }
    }

    /// 404: the id in the path cannot be one; `resource` as in `product`.
    pub fn invalid_id(resource: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            pages::INVALID_ID,
            "Not found",
            format!("Error: invalid {resource} id provided"),
        )
    }

    /// 404: nothing has this id.
    pub fn unknown(what: &str, id: i64) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            pages::UNKNOWN_ID,
            "Not found",
            format!("there is no {what} {id}"),
        )
    }

    /// 404: no such path. It is not repeated: what was typed there may be an address.
    pub fn no_route() -> Problem {
        let detail = "nothing is served at this path";
        Problem::new(StatusCode::NOT_FOUND, pages::NO_ROUTE, "Not found", detail)
    }

    /// 405 with `Allow`.
    pub fn method(allowed: &str) -> Problem {
        let detail = format!("this path allows {allowed}");
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, pages::METHOD_NOT_ALLOWED, "Method not allowed", detail)
            .with(header::ALLOW, allowed)
    }

    /// 422: a parameter of the query cannot be read.
    pub fn parameter(name: &str) -> Problem {
        let detail = format!("Error: invalid {name} provided");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, pages::INVALID_PARAMETER, "Invalid parameter", detail)
    }

    /// 422: a header cannot be read.
    pub fn header(name: &str, must: &str) -> Problem {
        let detail = format!("the header {name} {must}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, pages::INVALID_HEADER, "Invalid header", detail)
    }

    /// 422: fields are missing or wrong, all named.
    pub fn fields(refusals: Refusals) -> Problem {
        let detail = match refusals.0.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            all => format!(
                "{} of the body's fields {} missing or wrong",
                all.len(),
                if all.len() == 1 { "is" } else { "are" }
            ),
        };
        let problem =
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, pages::INVALID_FIELDS, "Invalid fields", detail);
        Problem { errors: refusals.0, ..problem }
    }

    /// 400: the body is no JSON.
    pub fn body(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, pages::INVALID_BODY, "Invalid body", detail)
    }

    /// 413: the body is too large.
    pub fn too_large(limit: usize) -> Problem {
        let detail = format!("the body has more than {} kB", limit / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, pages::BODY_TOO_LARGE, "Body too large", detail)
    }

    /// 409: acknowledged, then rejected on record.
    pub fn rejected(reason: &str) -> Problem {
        let detail = format!(
            "the write was stored and then rejected on record: {reason}. A retry with the same Idempotency-Key gets this answer too"
        );
        Problem::new(StatusCode::CONFLICT, pages::REJECTED, "Rejected", detail)
    }

    /// 422: the key was used for another request.
    pub fn key_reused() -> Problem {
        let detail = "this Idempotency-Key was used with another body: nothing was stored. Use a new key for a new write";
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            pages::IDEMPOTENCY_KEY_REUSED,
            "Idempotency-Key reused",
            detail,
        )
    }

    /// 503: try again later. For a write the detail must say whether it may still land.
    pub fn unavailable(page: &'static Page, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, page, "Temporarily unavailable", detail)
            .with(header::RETRY_AFTER, "1")
    }

    /// 503: more is asked for than can be answered, here and elsewhere: nobody else is to be asked either.
    pub fn overloaded(detail: impl Into<String>) -> Problem {
        Problem { overload: true, ..Problem::unavailable(pages::OVERLOADED, detail) }
    }

    /// 408: the body does not come.
    pub fn slow_body() -> Problem {
        let detail = "the request did not arrive in time; nothing was stored; send it again";
        Problem::new(StatusCode::REQUEST_TIMEOUT, pages::REQUEST_TIMEOUT, "Request time-out", detail)
    }

    /// 500: our fault; the log has more under the request's id.
    pub fn internal() -> Problem {
        let detail =
            "the request failed inside the server; the operator finds it in the log under its X-Request-Id";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, pages::INTERNAL, "Internal error", detail)
    }

    fn with(mut self, name: HeaderName, value: &str) -> Problem {
        self.headers
            .push((name, HeaderValue::from_str(value).expect("header values of problems are plain ASCII")));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: format!("/problems/{}", self.page.name),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).expect("a problem is plain data");
        // What is wrong now may be right a moment later.
        let headers =
            [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        let mut response = (self.status, headers, body).into_response();
        response.headers_mut().extend(self.headers);
        if self.overload {
            response.extensions_mut().insert(Overload);
        }
        response
    }
}
