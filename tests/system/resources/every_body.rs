//! What holds for every body that a shopper sends.

use std::sync::OnceLock;

use reqwest::Method;
use serde_json::json;
use tests::hostile::bodies::{self, COUNTS, NO_SKUS, Post, pieces};
use tests::{Shopper, catalogue, shared};

fn posts() -> [Post; 5] {
    static PRODUCT: OnceLock<i64> = OnceLock::new();
    bodies::posts(*PRODUCT.get_or_init(|| catalogue::spare_product().id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_is_400_on_every_route() {
    let shopper = shared().await.shopper();
    for Post { path, .. } in posts() {
        for body in bodies::no_json() {
            let answer = shopper.post_bytes(path, body.clone()).await;
            assert_eq!(answer.status, 400, "{answer:?} to {}", body.chars().take(40).collect::<String>());
            let _problem = answer.expect_problem(400);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_utf_8_and_lone_surrogates_are_400_in_every_place() {
    let shopper = shared().await.shopper();
    for post in posts() {
        for text in bodies::NO_TEXT {
            for body in post.with_text(text) {
                let answer = shopper.post_bytes(post.path, body.clone()).await;
                assert_eq!(answer.status, 400, "{answer:?} to {}", String::from_utf8_lossy(&body));
                let _problem = answer.expect_problem(400);
            }
        }
        let pair = post.with(br#""unknown":"\ud83d\udc55""#);
        assert_eq!(
            shopper.post_bytes(post.path, pair).await.status,
            201,
            "a pair of surrogates is a character"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_no_object_is_422_on_every_route() {
    let shopper = shared().await.shopper();
    for Post { path, .. } in posts() {
        for body in ["[]", "null", "5", "\"text\"", "true"] {
            let _problem = shopper.post_bytes(path, body).await.expect_problem(422);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_content_type_is_taken_for_json_on_every_route() {
    let shopper = shared().await.shopper();
    for Post { path, body, .. } in posts() {
        for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("nonsense")] {
            let mut request = shopper.request(Method::POST, path).body(body.to_string());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let _written = shopper.send(request).await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_256_kb_is_413_on_every_route_through_nginx_and_without_it() {
    let system = shared().await;
    for Post { path, mut body, .. } in posts() {
        body["unknown"] = json!("");
        let length = body.to_string().len();
        body["unknown"] = json!("x".repeat(256 * 1024 - length));
        let fits = body.to_string();
        body["unknown"] = json!("x".repeat(256 * 1024 + 1 - length));
        for shopper in [system.shopper(), Shopper::at(system.writer_url())] {
            let _written = shopper.post_bytes(path, fits.clone()).await.expect(201);
            let _problem = shopper.post_bytes(path, body.to_string()).await.expect_problem(413);
        }
    }
    for path in ["/reviews/9/helpful", "/qa/questions/39/helpful", "/qa/answers/57/helpful"] {
        let request = system.shopper().request(Method::PUT, path).body(vec![b'x'; 256 * 1024 + 1]);
        let _problem = system.shopper().send(request).await.expect_problem(413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_at_the_edges_are_stored_exactly_or_refused_and_never_an_error_of_ours() {
    let shopper = shared().await.shopper();
    let session = "numbers-at-the-edges";
    let mut added = 0;
    for (count, expected) in COUNTS {
        let body = format!(r#"{{"sku_id":10,"count":{count}}}"#);
        let request = shopper.request(Method::POST, "/cart").header("atelier-session", session).body(body);
        let answer = shopper.send(request).await;
        assert_eq!(answer.status, expected, "{count}: {answer:?}");
        if expected == 201 {
            added += pieces(count);
            assert_eq!(
                shopper.cart(session).await.json(),
                json!([{"sku_id": 10, "count": added.to_string()}]),
                "{count}"
            );
        }
    }
    for id in NO_SKUS {
        let body = format!(r#"{{"sku_id":{id}}}"#);
        let problem = shopper.post_bytes("/cart", body).await.expect_problem(422);
        assert_eq!(problem.wrong_fields(), ["sku_id"], "{id}");
    }
}
