//! What every public request passes before and after its handler: id, span, CORS, preflights, trailing slashes,
//! 404 and 405, bodies that nobody reads, panics, counting.

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::VARY;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use contract::headers::REQUEST_ID;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tracing::Instrument;

use crate::cors::Origins;
use crate::extract::read_body;
use crate::metrics::{HTTP_REQUESTS, HTTP_SECONDS};
use crate::problem::{Problem, pages};
use crate::routes::Route;
use crate::{cors, request_id, unread};

/// Finishes a service's public router. Pages of the listed origins may send cookies.
pub fn finish(routes: Router, origins: Origins) -> Router {
    let routes = routes
        .route("/problems/{problem}", get(pages::serve))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()));
    // The slash must be gone before a route is chosen, so the router with the routes lies inside.
    let inside = ServiceBuilder::new().layer(NormalizePathLayer::trim_trailing_slash()).service(routes);
    Router::new()
        .fallback_service(inside)
        .layer(from_fn(move |request, next| around(origins.clone(), request, next)))
}

async fn no_route(request: Request) -> Problem {
    match Route::of(request.uri().path()) {
        Some(route) if !route.answers(request.method()) => Problem::method(&route.allow()),
        _ => Problem::no_route(),
    }
}

async fn around(origins: Origins, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id::of(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let label = Route::of(&path).map_or("none", |route| route.path);
    let span = tracing::info_span!("request", request_id = %id);
    let shared = origins.answer(request.headers());
    origins.before(request.headers_mut());
    let (request, unread) = unread::watch(request);
    let mut response = answer(request, next).instrument(span.clone()).await;
    if let Some(unread) = unread {
        unread.drain().await;
    }
    for (name, value) in &shared {
        // What a handler says that its answer depends on stays.
        if name == VARY {
            response.headers_mut().append(name, value.clone());
        } else {
            response.headers_mut().insert(name, value.clone());
        }
    }
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
        return Problem::no_route().into_response();
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allow = HeaderValue::from_str(&route.allow()).expect("methods are plain ASCII");
    response.headers_mut().insert(axum::http::header::ALLOW, allow);
    cors::on_preflight(request.headers(), response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::header::COOKIE;
    use tower::Service;

    use super::*;

    /// What a service with two listed origins answers.
    async fn answer(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let cart = |headers: HeaderMap| async move {
            let cookie = headers.get(COOKIE).map_or("none", |value| value.to_str().unwrap()).to_owned();
            ([(VARY, "Cookie")], cookie)
        };
        async fn fails() -> &'static str {
            panic!("a test asks for it")
        }
        let routes = Router::new().route("/cart", get(cart)).route("/products", get(fails));
        let mut service = finish(routes, Origins::new(&["https://shop.example".into()]));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        service.call(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_listed_origin_sends_cookies_and_reads_the_answer_and_another_does_neither() {
        let request = |origin| [("origin", origin), ("sec-fetch-site", "cross-site"), ("cookie", "a=b")];
        let listed = answer("GET", "/cart", &request("https://shop.example")).await;
        assert_eq!(listed.headers()["access-control-allow-origin"], "https://shop.example");
        assert_eq!(listed.headers()["access-control-allow-credentials"], "true");
        let vary: Vec<_> = listed.headers().get_all("vary").iter().cloned().collect();
        assert_eq!(vary, ["Cookie", "Origin"], "the handler's own word stays");
        assert_eq!(text(listed).await, "a=b");
        let other = answer("GET", "/cart", &request("https://other.example")).await;
        assert_eq!(other.headers()["access-control-allow-origin"], "*");
        assert_eq!(text(other).await, "none");
    }

    #[tokio::test]
    async fn every_failure_is_a_problem_document_that_a_page_may_read() {
        for (method, path, status) in [
            ("GET", "/nowhere", 404),
            ("GET", "/%FF", 404),
            ("DELETE", "/cart", 405),
            ("GET", "/interactions", 405),
            ("OPTIONS", "/nowhere", 404),
            ("GET", "/products", 500),
        ] {
            let answer = answer(method, path, &[("origin", "https://other.example")]).await;
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{method} {path}");
            assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{method} {path}");
            assert!(answer.headers().contains_key(REQUEST_ID), "{method} {path}");
            let document: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
            assert_eq!(document["status"], status, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_for_every_route_and_may_be_remembered() {
        for path in ["/cart", "/interactions", "/qa/questions/1/answers", "/qa/answers/1/report/"] {
            let preflight = [
                ("origin", "https://shop.example"),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type,idempotency-key"),
            ];
            let answer = answer("OPTIONS", path, &preflight).await;
            assert_eq!(answer.status(), 204, "{path}");
            let headers = answer.headers();
            assert_eq!(headers["access-control-allow-headers"], "content-type,idempotency-key", "{path}");
            assert_eq!(headers["access-control-allow-credentials"], "true", "{path}");
            assert_eq!(headers["access-control-max-age"], "7200", "{path}");
            assert_eq!(headers.get_all("vary").iter().count(), 2, "{path}");
        }
    }
}
