//! What every public request passes before and after its handler: id, span, CORS, preflights, trailing slashes,
//! 404 and 405, bodies that nobody reads, panics, counting.

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use contract::headers::REQUEST_ID;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tracing::Instrument;

use crate::extract::read_body;
use crate::metrics::{HTTP_REQUESTS, HTTP_SECONDS};
use crate::problem::{Problem, pages};
use crate::routes::Route;
use crate::{cors, request_id};

/// Finishes a service's public router.
pub fn finish(routes: Router) -> Router {
    let routes = routes
        .route("/problems/{problem}", get(pages::serve))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()));
    // The slash must be gone before a route is chosen, so the router with the routes lies inside.
    let inside = ServiceBuilder::new().layer(NormalizePathLayer::trim_trailing_slash()).service(routes);
    Router::new().fallback_service(inside).layer(from_fn(around))
}

async fn no_route(request: Request) -> Problem {
    match Route::of(request.uri().path()) {
        Some(route) if !route.answers(request.method()) => Problem::method(&route.allow()),
        _ => Problem::no_route(request.uri().path()),
    }
}

async fn around(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id::of(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let label = Route::of(&path).map_or("none", |route| route.path);
    let span = tracing::info_span!("request", request_id = %id);
    let mut response = answer(request, next).instrument(span.clone()).await;
    cors::on_answer(response.headers_mut());
    let id = HeaderValue::from_str(&id).expect("request ids are visible ASCII");
    response.headers_mut().insert(REQUEST_ID, id);
    let seconds = started.elapsed().as_secs_f64();
    let method = if Route::of(&path).is_some_and(|route| route.answers(&method)) {
        method.to_string()
    } else {
        "other".into()
    };
    let status = response.status();
    // A 503 is a refusal: counted here, its cause logged once where it is known. While a dependency is away there are
    // tens of thousands of them a second.
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        span.in_scope(|| {
            tracing::warn!(method, route = label, status = status.as_u16(), seconds, "a request failed")
        });
    }
    metrics::counter!(HTTP_REQUESTS, "route" => label, "method" => method.clone(), "status" => status.as_u16().to_string()).increment(1);
    metrics::histogram!(HTTP_SECONDS, "route" => label, "method" => method).record(seconds);
    response
}

async fn answer(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return options(&request);
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        // Front ends send GET with a body; reading it keeps the connection in step.
        let (parts, body) = request.into_parts();
        return match read_body(body).await {
            Ok(_) => next.run(Request::from_parts(parts, Body::empty())).await,
            Err(problem) => problem.into_response(),
        };
    }
    next.run(request).await
}

fn options(request: &Request) -> Response {
    let Some(route) = Route::of(request.uri().path()) else {
        return Problem::no_route(request.uri().path()).into_response();
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allow = HeaderValue::from_str(&route.allow()).expect("methods are plain ASCII");
    response.headers_mut().insert(axum::http::header::ALLOW, allow);
    cors::on_preflight(request.headers(), response.headers_mut());
    response
}
