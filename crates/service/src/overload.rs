//! What nginx is told when more is asked for than can be answered.
//!
//! A 503 makes nginx ask the next reader, which is right when this one alone is at fault. Under overload it multiplies the
//! load: whoever is asked next is as busy. So between a service and nginx such a refusal has a status of its own, which
//! nginx does not repeat, and of which it makes the 503 that the shopper sees.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use contract::headers::ATTEMPT;

/// Marks an answer that refuses because of overload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overload;

/// The status that nginx knows; nobody else ever sees it.
const TO_NGINX: u16 = 529;

/// Changes the status of such a refusal when it is nginx that asks. It goes around everything else, so that all that is
/// counted and logged is the 503.
pub async fn tell_nginx(request: Request, next: Next) -> Response {
    let is_nginx = request.headers().contains_key(ATTEMPT);
    let mut response = next.run(request).await;
    if is_nginx && response.extensions().get::<Overload>().is_some() {
        *response.status_mut() = StatusCode::from_u16(TO_NGINX).expect("it has three digits");
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tower::Service;

    use super::*;
    use crate::Problem;
    use crate::problem::pages;

    async fn status(path: &str, by_nginx: bool) -> u16 {
        let routes = Router::new()
            .route("/overload", get(async || Problem::overloaded("too much").into_response()))
            .route("/behind", get(async || Problem::unavailable(pages::REPLICA_BEHIND, "").into_response()));
        let mut request = Request::builder().uri(path);
        if by_nginx {
            request = request.header(ATTEMPT, "1");
        }
        let answer = routes.layer(from_fn(tell_nginx)).call(request.body(Body::empty()).unwrap()).await;
        answer.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_nginx_is_told_and_only_of_overload() {
        assert_eq!(status("/overload", true).await, 529);
        assert_eq!(status("/overload", false).await, 503);
        assert_eq!(status("/behind", true).await, 503);
    }

    #[test]
    fn nginx_knows_the_status_and_does_not_repeat_it() {
        let text = include_str!("../../../deploy/nginx/nginx.conf");
        let places = text.matches("readers$atelier_target;").count();
        assert!(places > 0);
        assert_eq!(text.matches("error_page 529 =503 /.atelier/problem/read-overloaded;").count(), places);
        assert!(!text.contains("http_529"));
    }
}
