//! What holds for every route: bases, slashes, methods, CORS, request ids, and the oddities of real front ends.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{SKU, Shopper, answer, catalogue, interaction, question, review, shared};

use super::READS;

/// Longer than a replica is behind on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A write of every route that takes one, with a body that it accepts.
fn writes(product: i64) -> [(Method, &'static str, Value); 11] {
    [
        (Method::POST, "/reviews", review(product)),
        (Method::PUT, "/reviews/9/helpful", json!({})),
        (Method::PUT, "/reviews/9/report", json!({})),
        (Method::POST, "/qa/questions", question(product)),
        (Method::POST, "/qa/questions/39/answers", answer()),
        (Method::PUT, "/qa/questions/39/helpful", json!({})),
        (Method::PUT, "/qa/questions/39/report", json!({})),
        (Method::PUT, "/qa/answers/57/helpful", json!({})),
        (Method::PUT, "/qa/answers/57/report", json!({})),
        (Method::POST, "/cart", json!({"sku_id": SKU})),
        (Method::POST, "/interactions", interaction()),
    ]
}

/// A path with its query behind something.
fn with_tail(path: &str, tail: &str) -> String {
    path.split_once('?').map_or(format!("{path}{tail}"), |(path, query)| format!("{path}{tail}?{query}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_api_works_like_the_root() {
    let shopper = shared().await.shopper();
    for path in READS {
        let answer = shopper.get(&format!("/api{path}")).await.expect(200);
        assert_eq!(answer.body, shopper.get(path).await.body, "{path}");
    }
    for (method, path, body) in writes(catalogue::spare_product().id) {
        let request = shopper.request(method, &format!("/api{path}")).json(&body);
        let answer = shopper.send(request).await;
        assert!([201, 204].contains(&answer.status), "{path}: {answer:?}");
    }
    let _problem = shopper.get("/apiproducts").await.expect_problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_slash_means_the_same_as_none() {
    let shopper = shared().await.shopper();
    for path in READS {
        let answer = shopper.get(&with_tail(path, "/")).await.expect(200);
        assert_eq!(answer.body, shopper.get(path).await.body, "{path}");
    }
    for (method, path, body) in writes(catalogue::spare_product().id) {
        let answer = shopper.send(shopper.request(method, &with_tail(path, "/")).json(&body)).await;
        assert!([201, 204].contains(&answer.status), "{path}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_s_answer_says_its_position_and_whether_it_is_applied() {
    let shopper = shared().await.shopper();
    for (method, path, body) in writes(catalogue::spare_product().id) {
        let status = if method == Method::POST { 201 } else { 204 };
        let answer = shopper.send(shopper.request(method.clone(), path).json(&body)).await.expect(status);
        assert!(
            answer.token().position > contract::Position::FIRST && answer.applied(),
            "{path}: {answer:?}"
        );
        let request = shopper.request(method, path).header("prefer", "respond-async").json(&body);
        let early = shopper.send(request).await.expect(status);
        assert_eq!(early.header("preference-applied"), Some("respond-async"), "{path}");
        assert!(early.token().position > answer.token().position, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_may_have_an_idempotency_key_and_happens_once_under_it() {
    let shopper = shared().await.shopper();
    for (method, path, body) in writes(catalogue::spare_product().id) {
        let send = async |path: &str, session: &str| {
            let request = shopper.request(method.clone(), path).header("idempotency-key", "every-write");
            shopper.send(request.header("atelier-session", session).json(&body)).await
        };
        let first = send(path, "every-write").await;
        assert!([201, 204].contains(&first.status), "{path}: {first:?}");
        for path in [path.to_owned(), format!("/api{path}/")] {
            let again = send(&path, "every-write").await;
            assert_eq!(
                (again.status, &again.body, again.token()),
                (first.status, &first.body, first.token()),
                "{path}"
            );
        }
        let another = send(path, "another").await;
        assert!(another.token().position > first.token().position, "it counts in its session: {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_goes_wherever_get_does_without_a_body() {
    let shopper = shared().await.shopper();
    for path in READS {
        let (head, get) =
            (shopper.send(shopper.request(Method::HEAD, path)).await.expect(200), shopper.get(path).await);
        assert_eq!(head.body, "");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    assert_eq!(shopper.send(shopper.request(Method::HEAD, "/products/99999")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_s_answer_says_its_position_and_its_age() {
    let shopper = shared().await.shopper();
    for path in READS.iter().chain(&["/products/99999"]) {
        let answer = shopper.get(path).await;
        assert!(answer.token().position >= contract::Position::FIRST, "{path}");
        assert!(answer.staleness() < PATIENCE && !answer.stale(), "{path}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_allowed_is_405_with_allow() {
    let shopper = shared().await.shopper();
    for (method, path, allow) in [
        ("POST", "/products", "GET, HEAD, OPTIONS"),
        ("PUT", "/products/1", "GET, HEAD, OPTIONS"),
        ("DELETE", "/products/1/styles", "GET, HEAD, OPTIONS"),
        ("PATCH", "/reviews", "GET, HEAD, POST, OPTIONS"),
        ("DELETE", "/reviews/", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/reviews/meta", "GET, HEAD, OPTIONS"),
        ("GET", "/reviews/5/helpful", "PUT, OPTIONS"),
        ("POST", "/reviews/5/report", "PUT, OPTIONS"),
        ("HEAD", "/reviews/5/report", "PUT, OPTIONS"),
        ("PUT", "/qa/questions", "GET, HEAD, POST, OPTIONS"),
        ("PATCH", "/qa/questions/37/answers", "GET, HEAD, POST, OPTIONS"),
        ("GET", "/qa/questions/37/helpful", "PUT, OPTIONS"),
        ("POST", "/qa/questions/37/report/", "PUT, OPTIONS"),
        ("GET", "/qa/answers/8/helpful", "PUT, OPTIONS"),
        ("DELETE", "/qa/answers/8/report", "PUT, OPTIONS"),
        ("DELETE", "/cart", "GET, HEAD, POST, OPTIONS"),
        ("PUT", "/cart", "GET, HEAD, POST, OPTIONS"),
        ("GET", "/interactions", "POST, OPTIONS"),
        ("PUT", "/interactions/", "POST, OPTIONS"),
        ("BREW", "/products", "GET, HEAD, OPTIONS"),
    ] {
        let request = shopper.request(method.parse().unwrap(), path);
        let answer = shopper.send(request).await.expect(405);
        let methods = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(answer.header("allow").map(methods), Some(methods(allow)), "{method} {path}");
        if method != "HEAD" {
            let _problem = answer.expect_problem(405);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_none_is_404_whatever_the_method() {
    let shopper = shared().await.shopper();
    for path in [
        "/",
        "/nothing",
        "/products/1/nothing",
        "/reviews/5",
        "/reviews/5/helpful/more",
        "/qa",
        "/qa/questions/37",
        "/qa/answers",
        "/qa/answers/8",
        "/cart/1",
        "/interactions/1",
        "/products//1",
        "/PRODUCTS",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = shopper.send(shopper.request(method.clone(), path)).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            let _problem = answer.expect_problem(404);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_echoed_or_made() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let id = "a-shopper-s.own_id:42";
    for request in [
        shopper.request(Method::GET, "/products"),
        shopper.request(Method::GET, "/nothing"),
        shopper.request(Method::POST, "/reviews").json(&review(product.id)),
        shopper.request(Method::PUT, "/reviews/x/helpful"),
        shopper.request(Method::GET, "/cart"),
        shopper.request(Method::POST, "/interactions").body("{}"),
        shopper.request(Method::POST, "/reviews").body(vec![b'x'; 300 * 1024]),
    ] {
        let answer = shopper.send(request.header("x-request-id", id)).await;
        assert_eq!(answer.header("x-request-id"), Some(id), "{answer:?}");
    }
    let (one, another) = (shopper.products("").await, shopper.products("").await);
    assert!(one.header("x-request-id").is_some_and(|id| !id.is_empty()));
    assert_ne!(one.header("x-request-id"), another.header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_header_is_accepted_and_ignored() {
    let shopper = shared().await.shopper();
    for value in ["Bearer x", "ghp_rawtokenwithoutscheme", "Basic ???"] {
        let request = shopper.request(Method::GET, "/products/1").header("authorization", value);
        let answer = shopper.send(request).await.expect(200);
        assert_eq!(answer.body, shopper.product(1).await.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_a_body_is_answered_and_keeps_the_connection_in_step() {
    let shopper = shared().await.shopper();
    let get = |path: &str, more: &str, body: &str| {
        let length = body.len();
        format!(
            "GET {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        )
    };
    let requests = [
        get("/products/2", "", "{}"),
        get("/reviews/meta?product_id=2", "", "GET /products/3 HTTP/1.1\r\n\r\n"),
        get("/products/7", "Connection: close\r\n", "{}"),
    ];
    let answers = shopper.send_bytes(requests.concat().as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    let places = [r#"{"id":2,"#, r#""product_id":"2""#, r#"{"id":7,"#]
        .map(|part| answers.find(part).unwrap_or_else(|| panic!("{part}: {answers}")));
    assert!(places.is_sorted(), "{answers}");

    for path in READS {
        let request =
            shopper.request(Method::GET, path).header("content-type", "application/json").body("{}");
        assert_eq!(shopper.send(request).await.expect(200).body, shopper.get(path).await.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_quotes_in_a_query_are_understood_through_nginx() {
    let shopper = shared().await.shopper();
    let body_of = async |target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
        let answer = shopper.send_bytes(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let helpful = shopper.reviews("product_id=2&sort=helpful").await.expect(200).body;
    for target in [
        r#"/reviews?product_id=2&sort="helpful""#,
        r#"/api/reviews/?product_id=2&sort="helpful""#,
        r#"/reviews?sort="helpful"&product_id=2&a="b"&c="d"&e="f""#,
    ] {
        assert_eq!(body_of(target).await, helpful, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_server_can_parse_is_a_problem_document() {
    let shopper = shared().await.shopper();
    for (target, status) in [
        ("/products?a=\u{1}", 400),
        ("/products?a=\u{7f}", 400),
        ("/products?a b", 400),
        (&format!("/products?{}", "\"".repeat(16)), 400),
        ("/products?<script>", 400),
        ("/reviews?product_id=2&sort=<b>", 400),
        // What else must be escaped and often is not, is understood.
        ("/reviews?product_id=2&sort={b}|c^`", 200),
        ("/products?é", 200),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
        let answer = shopper.send_bytes(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target:?}: {answer}");
        if status == 400 {
            assert!(answer.contains("application/problem+json"), "{target:?}: {answer}");
            assert!(answer.contains("\"status\":400"), "{target:?}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_undefined_is_answered_at_once_and_does_no_harm_to_the_next() {
    let shopper = shared().await.shopper();
    for _ in 0..3 {
        let _problem = shopper.reviews("product_id=undefined").await.expect_problem(422);
        assert_eq!(shopper.reviews("product_id=2").await.expect(200).ids().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_s_own_attempt_id_is_overwritten() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let post = || {
        shopper.request(Method::POST, "/reviews").header("atelier-attempt", "mine").json(&review(product.id))
    };
    let (one, another) = (shopper.send(post()).await.expect(201), shopper.send(post()).await.expect(201));
    assert_ne!(one.review_id(), another.review_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_readers_give_the_same_bytes() {
    let system = shared().await;
    for path in READS {
        let mut bodies = Vec::new();
        for url in system.reader_urls() {
            bodies.push(Shopper::at(url).get(path).await.expect(200).body);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{path}");
    }
}
