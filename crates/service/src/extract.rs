//! What handlers take from a request.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use contract::fields::parse_id;
use tokio::time::timeout;

use crate::page::Query;
use crate::problem::Problem;

/// Most bytes of a body.
pub const BODY_LIMIT: usize = 256 * 1024;

/// How long a body may take. nginx has all of it before it asks a service; whoever comes without nginx gets no longer.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// The id in the path, or nothing when what stands there cannot be one.
pub struct PathId(Option<i64>);

impl PathId {
    /// The id.
    ///
    /// # Errors
    /// 404 in the legacy words; `resource` as in `product`.
    pub fn of(self, resource: &str) -> Result<i64, Problem> {
        self.0.ok_or_else(|| Problem::invalid_id(resource))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<PathId, Self::Rejection> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(PathId(text.ok().and_then(|Path(text)| parse_id(&text))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, Self::Rejection> {
        Ok(Query::parse(parts.uri.query()))
    }
}

/// Reads a body whole.
///
/// # Errors
/// 413 above [`BODY_LIMIT`]; 400 when the client did not send all of it; 408 when it takes too long.
pub async fn read_body(body: Body) -> Result<Bytes, Problem> {
    let Ok(read) = timeout(BODY_WITHIN, to_bytes(body, BODY_LIMIT)).await else {
        return Err(Problem::slow_body());
    };
    read.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
            Problem::too_large(BODY_LIMIT)
        } else {
            Problem::body("the body did not arrive whole")
        }
    })
}

/// Reads a body as JSON, whatever its content type.
///
/// # Errors
/// 400 when it is no JSON, too deep, not UTF-8 or holds a lone surrogate.
pub fn json(body: &[u8]) -> Result<serde_json::Value, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::body(format!("the body is no JSON: {error}")))
}
