//! A write happens once, however often it is sent.

use reqwest::Method;
use serde_json::json;
use tests::{Answer, Shopper, catalogue, review, shared, tables};

async fn post(shopper: &Shopper, header: (&str, &str), body: &serde_json::Value) -> Answer {
    shopper.send(shopper.request(Method::POST, "/reviews").header(header.0, header.1).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_attempt_is_one_event_whichever_writer_gets_it() {
    let system = shared().await;
    let product = catalogue::spare_product();
    let writers: Vec<Shopper> = system.writer_urls().into_iter().map(Shopper::at).collect();
    assert_eq!(writers.len(), 2);
    let attempt = ("atelier-attempt", "0123456789abcdef0123456789abcdef");
    let tries = (0..10).map(|number| {
        let (writer, body) = (writers[number % 2].clone(), review(product.id));
        tokio::spawn(async move { post(&writer, attempt, &body).await.expect(201).review_id() })
    });
    let mut ids: Vec<i64> = futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "all tries of a request are told the same id");
    assert_eq!(system.shopper().review_ids(product.id, "newest").await, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_attempt_of_a_vote_counts_once() {
    let system = shared().await;
    let product = catalogue::spare_product();
    let id = system.shopper().post_review(&review(product.id)).await.expect(201).review_id();
    for url in system.writer_urls() {
        let writer = Shopper::at(url);
        let request = writer.request(Method::PUT, &format!("/reviews/{id}/helpful"));
        let _vote = writer.send(request.header("atelier-attempt", "one-vote")).await.expect(204);
    }
    let page = system.shopper().reviews(&format!("product_id={}", product.id)).await.json();
    assert_eq!(page["results"][0]["helpfulness"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_gets_the_first_answer_and_makes_one_review() {
    let system = shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product();
    let key = ("idempotency-key", "order-66");
    let mut body = review(product.id);
    body["product_id"] = json!(product.id);
    let first = post(&shopper, key, &body).await.expect(201);
    for url in [system.url()].into_iter().chain(system.writer_urls()) {
        let again = post(&Shopper::at(url), key, &body).await.expect(201);
        assert_eq!(
            (&again.body, again.header("atelier-position")),
            (&first.body, first.header("atelier-position"))
        );
    }
    assert_eq!(shopper.review_ids(product.id, "newest").await, [first.review_id()]);
    let tables = tables::equal(&system, first.review_id()).await;
    let held = tables
        .of("idempotency_keys")
        .iter()
        .filter(|row| row.contains(&first.review_id().to_string()))
        .count();
    assert_eq!(held, 1, "replicas remember who holds the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_body_under_the_same_idempotency_key_is_422_and_stores_nothing() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let key = ("idempotency-key", "same-key-other-body");
    let first = post(&shopper, key, &review(product.id)).await.expect(201);
    let mut other = review(product.id);
    other["rating"] = json!(1);
    let problem = post(&shopper, key, &other).await.expect_problem(422);
    assert_eq!(problem.json()["type"], "/problems/idempotency-key-reused");
    assert_eq!(shopper.review_ids(product.id, "newest").await, [first.review_id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_s_body_is_left_out_when_requests_under_one_key_are_compared() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let id = shopper.post_review(&review(product.id)).await.expect(201).review_id();
    let vote = |body: &'static str| {
        shopper
            .request(Method::PUT, &format!("/reviews/{id}/helpful"))
            .header("idempotency-key", "vote")
            .body(body)
    };
    let first = shopper.send(vote("{}")).await.expect(204);
    let again = shopper.send(vote("junk")).await.expect(204);
    assert_eq!(first.header("atelier-position"), again.header("atelier-position"));
    let page = shopper.reviews(&format!("product_id={}", product.id)).await.json();
    assert_eq!(page["results"][0]["helpfulness"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_counts_within_the_session_that_the_request_carried() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let post = async |session: &str| {
        let request = shopper
            .request(Method::POST, "/reviews")
            .header("idempotency-key", "k")
            .header("atelier-session", session);
        shopper.send(request.json(&review(product.id))).await.expect(201).review_id()
    };
    let (one, another) = (post("one").await, post("another").await);
    assert_ne!(one, another);
    assert_eq!(post("one").await, one);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_is_no_session_but_on_the_cart() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let post = async |token: &str| {
        let request = shopper.request(Method::POST, "/reviews").header("idempotency-key", "authorized");
        shopper
            .send(request.header("authorization", token).json(&review(product.id)))
            .await
            .expect(201)
            .review_id()
    };
    assert_eq!(post("one").await, post("another").await, "a token that was renewed between two tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_idempotency_key_is_422() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let long = "k".repeat(256);
    for key in ["", "two words", "tab\there", long.as_str()] {
        let _problem =
            post(&shopper, ("idempotency-key", key), &review(product.id)).await.expect_problem(422);
    }
    let twice = shopper
        .request(Method::POST, "/reviews")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    let _problem = shopper.send(twice.json(&review(product.id))).await.expect_problem(422);
    let longest = "k".repeat(255);
    let _written = post(&shopper, ("idempotency-key", &longest), &review(product.id)).await.expect(201);
    assert_eq!(shopper.review_ids(product.id, "newest").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_any_id_are_many() {
    let system = shared().await;
    let product = catalogue::spare_product();
    let writer = Shopper::at(system.writer_url());
    let (one, another) =
        (writer.post_review(&review(product.id)).await, writer.post_review(&review(product.id)).await);
    assert_ne!(one.expect(201).review_id(), another.expect(201).review_id());
}
