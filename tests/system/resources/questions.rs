//! `POST /qa/questions`, `PUT /qa/questions/:question_id/helpful`, `/report`

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Shopper, answer, catalogue, question, shared};

async fn asked(shopper: &Shopper) -> (i64, i64) {
    let product = catalogue::spare_product().id;
    (product, shopper.post_question(&question(product)).await.expect(201).made("question_id"))
}

async fn helpfulness(shopper: &Shopper, product: i64) -> Value {
    let page = shopper.questions(&format!("product_id={product}")).await.expect(200).json();
    page["results"][0]["question_helpfulness"].clone()
}

fn with(product: i64, field: &str, value: Value) -> Value {
    let mut body = question(product);
    body[field] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_201_with_its_id_which_is_its_position() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let answer = shopper.post_question(&question(product)).await.expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, json!({"question_id": answer.token().position.as_i64()}).to_string());
    assert!(answer.made("question_id") >= 1_000_000_000 && answer.applied(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_comes_back_as_written_dated_now_and_not_yet_helpful() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let mut body = question(product);
    body["body"] = json!("Line one\nLine two\r\n👕 \u{10FFFF} \u{1} <b>?");
    body["name"] = json!("名前 ");
    let id = shopper.post_question(&body).await.expect(201).made("question_id");
    let page = shopper.questions(&format!("product_id={product}")).await.expect(200).json();
    let found = &page["results"][0];
    let date: contract::Millis = found["question_date"].as_str().unwrap().parse().unwrap();
    let expected = json!({"question_id": id, "question_body": body["body"], "question_date": date.to_string(),
        "asker_name": body["name"], "question_helpfulness": 0, "reported": false, "answers": {}});
    assert_eq!(*found, expected);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    assert!((now - 120_000..=now).contains(&date.0), "{date}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_question_that_is_missing_or_wrong_is_named_at_once() {
    let shopper = shared().await.shopper();
    let problem = shopper.post_question(&json!({})).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["product_id", "body", "name", "email"]);
    let wrong = json!({"product_id": "two", "body": "", "name": "n".repeat(101), "email": "nobody"});
    let problem = shopper.post_question(&wrong).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["product_id", "body", "name", "email"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_a_question_holds_on_both_sides() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let fits = [
        with(product, "product_id", json!(product.to_string())),
        with(product, "body", json!("x")),
        with(product, "body", json!("👕".repeat(10_000))),
        with(product, "name", json!("名".repeat(100))),
        with(product, "email", json!("a@b")),
        with(product, "email", json!(format!("{}@b", "é".repeat(252)))),
        with(product, "unknown", json!({"deeply": [1, {"nested": null}]})),
    ];
    for body in &fits {
        let _asked = shopper.post_question(body).await.expect(201);
    }
    for (field, value) in [
        ("product_id", json!(0)),
        ("product_id", json!(2.5)),
        ("product_id", json!(9_007_199_254_740_992_i64)),
        ("body", json!("")),
        ("body", json!("👕".repeat(10_001))),
        ("body", json!(["text"])),
        ("body", json!("a\0b")),
        ("name", json!("")),
        ("name", json!("名".repeat(101))),
        ("name", json!("\0")),
        ("email", json!("@b")),
        ("email", json!(format!("{}@b", "é".repeat(253)))),
        ("email", json!("nobody.example")),
        ("email", json!("a\0@b.example")),
    ] {
        let answer = shopper.post_question(&with(product, field, value)).await.expect_problem(422);
        assert_eq!(answer.wrong_fields(), [field], "{answer:?}");
    }
    assert_eq!(shopper.question_ids(product).await.len(), fits.len(), "nothing refused was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_an_unknown_product_is_404() {
    let shopper = shared().await.shopper();
    let problem = shopper.post_question(&question(99_999)).await.expect_problem(404);
    assert!(problem.json()["detail"].as_str().unwrap().contains("99999"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_for_a_question_is_204_without_a_body_and_each_counts_whatever_a_put_carries() {
    let shopper = shared().await.shopper();
    let (product, id) = asked(&shopper).await;
    let junk: [&[u8]; 5] = [b"", b"{}", b"not json", b"\xff\xfe\0", &[b'x'; 100_000]];
    for (body, votes) in junk.iter().zip(1..) {
        let request = shopper.request(Method::PUT, &format!("/qa/questions/{id}/helpful"));
        let answer = shopper
            .send(request.header("content-type", "application/json").body(body.to_vec()))
            .await
            .expect(204);
        assert_eq!((answer.body.as_str(), answer.applied()), ("", true));
        assert_eq!(helpfulness(&shopper, product).await, votes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_change_the_order_of_questions() {
    let shopper = shared().await.shopper();
    let (product, first) = asked(&shopper).await;
    let second = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    assert_eq!(shopper.question_ids(product).await, [first, second]);
    let _vote = shopper.put(&format!("/qa/questions/{second}/helpful")).await.expect(204);
    assert_eq!(shopper.question_ids(product).await, [second, first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_question_takes_votes_reports_and_answers() {
    let shopper = shared().await.shopper();
    let (product, id) = asked(&shopper).await;
    let first = shopper.put(&format!("/qa/questions/{id}/report")).await.expect(204);
    let second = shopper.put(&format!("/qa/questions/{id}/report")).await.expect(204);
    assert!(second.token().position > first.token().position, "a second report is 204 and changes nothing");
    let _vote = shopper.put(&format!("/qa/questions/{id}/helpful")).await.expect(204);
    let _answer = shopper.post_answer(id, &answer()).await.expect(201);
    assert_eq!(shopper.question_ids(product).await, Vec::<i64>::new());
    // Imported and hidden.
    let _vote = shopper.put("/qa/questions/39/helpful").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_or_report_for_an_unknown_question_is_404_at_once() {
    let shopper = shared().await.shopper();
    let (_, id) = asked(&shopper).await;
    let review =
        shopper.post_review(&tests::review(catalogue::spare_product().id)).await.expect(201).review_id();
    for id in [999_999_999, 1, 9_007_199_254_740_991, id + 1_000_000, review] {
        for action in ["helpful", "report"] {
            let problem = shopper.put(&format!("/qa/questions/{id}/{action}")).await.expect_problem(404);
            assert!(problem.json()["detail"].as_str().unwrap().contains(&id.to_string()), "{problem:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_question_id_of_a_vote_is_404_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for id in ["x", "0", "-5", "5.5", "9007199254740992", "undefined"] {
        for action in ["helpful", "report"] {
            let problem = shopper.put(&format!("/qa/questions/{id}/{action}")).await.expect_problem(404);
            assert_eq!(problem.json()["detail"], "Error: invalid question id provided", "{id}/{action}");
        }
    }
}
