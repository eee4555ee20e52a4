//! `POST /reviews`

use serde_json::{Value, json};
use tests::{catalogue, review, shared};

fn with(product: i64, field: &str, value: Value) -> Value {
    let mut body = review(product);
    body[field] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_201_with_its_id_which_is_its_position() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let answer = shopper.post_review(&review(product.id)).await.expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json().as_object().unwrap().len(), 1);
    assert!(answer.review_id() >= 1_000_000_000);
    assert_eq!(answer.token().position.as_i64(), answer.review_id());
    assert_eq!(answer.header("atelier-applied"), Some("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn summary_photos_and_characteristics_may_be_absent_or_null() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let mut body = review(product.id);
    for field in ["summary", "photos", "characteristics"] {
        body[field] = Value::Null;
        let _written = shopper.post_review(&body).await.expect(201);
        body.as_object_mut().unwrap().remove(field);
        let _written = shopper.post_review(&body).await.expect(201);
    }
    let page = shopper.reviews(&format!("product_id={}&sort=newest&count=1", product.id)).await.json();
    assert_eq!((&page["results"][0]["summary"], &page["results"][0]["photos"]), (&json!(""), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_required_field_that_is_missing_is_named_at_once() {
    let shopper = shared().await.shopper();
    let problem = shopper.post_review(&json!({})).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["product_id", "rating", "body", "recommend", "name", "email"]);
    for error in problem.json()["errors"].as_array().unwrap() {
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_at_once() {
    let shopper = shared().await.shopper();
    let body = json!({"product_id": "two", "rating": 6, "summary": "s".repeat(1_001), "body": "", "recommend": "yes",
        "name": "n".repeat(101), "email": "nobody", "photos": ["ftp://x", "https://ok.example/a", 5],
        "characteristics": {"14": 6, "x": 1}});
    let problem = shopper.post_review(&body).await.expect_problem(422);
    let mut wrong = problem.wrong_fields();
    wrong.sort();
    let expected = [
        "body",
        "characteristics.14",
        "characteristics.x",
        "email",
        "name",
        "photos[0]",
        "photos[2]",
        "product_id",
        "rating",
        "recommend",
        "summary",
    ];
    assert_eq!(wrong, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_holds_on_both_sides() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let id = product.id;
    let url = |length: usize| format!("https://img.example/{}", "x".repeat(length - 20));
    let fits = [
        with(id, "rating", json!(1)),
        with(id, "rating", json!(5)),
        with(id, "summary", json!("é".repeat(1_000))),
        with(id, "body", json!("👕".repeat(10_000))),
        with(id, "body", json!("x")),
        with(id, "name", json!("名".repeat(100))),
        with(id, "email", json!("a@b")),
        with(id, "email", json!(format!("{}@b", "é".repeat(252)))),
        with(
            id,
            "photos",
            json!([
                url(2_000),
                "http://a.example",
                "https://b.example/",
                "HTTPS://c.example/",
                "https://d.example/?q#f"
            ]),
        ),
        with(id, "characteristics", json!({product.fit.to_string(): 1, product.quality.to_string(): 5})),
    ];
    for body in &fits {
        let answer = shopper.post_review(body).await;
        assert_eq!(
            answer.status,
            201,
            "{answer:?} to {}",
            body.to_string().chars().take(300).collect::<String>()
        );
    }
    let seventeen: Value =
        (1..=17).map(|id| (id.to_string(), json!(3))).collect::<serde_json::Map<_, _>>().into();
    for (field, value, named) in [
        ("rating", json!(0), "rating"),
        ("rating", json!(6), "rating"),
        ("rating", json!(4.5), "rating"),
        ("rating", json!(null), "rating"),
        ("summary", json!("é".repeat(1_001)), "summary"),
        ("body", json!("👕".repeat(10_001)), "body"),
        ("body", json!(""), "body"),
        ("name", json!(""), "name"),
        ("name", json!("名".repeat(101)), "name"),
        ("email", json!("@b"), "email"),
        ("email", json!(format!("{}@b", "é".repeat(253))), "email"),
        ("email", json!("nobody.example"), "email"),
        ("photos", json!(vec!["https://a.example"; 6]), "photos"),
        ("photos", json!("https://a.example"), "photos"),
        ("photos", json!([url(2_001)]), "photos[0]"),
        ("photos", json!(["/relative.jpg"]), "photos[0]"),
        ("photos", json!(["javascript:alert(1)"]), "photos[0]"),
        ("characteristics", seventeen, "characteristics"),
        ("characteristics", json!([1]), "characteristics"),
        ("product_id", json!(0), "product_id"),
        ("product_id", json!(9_007_199_254_740_992_i64), "product_id"),
        ("recommend", json!("perhaps"), "recommend"),
    ] {
        let answer = shopper.post_review(&with(id, field, value)).await;
        assert_eq!(
            (answer.status, answer.wrong_fields()),
            (422, vec![named.to_owned()]),
            "{field}: {answer:?}"
        );
    }
    assert_eq!(shopper.review_ids(id, "newest").await.len(), fits.len(), "nothing refused was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_booleans_may_be_text_and_unknown_fields_are_ignored() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let mut body = review(product.id);
    body["product_id"] = json!(product.id.to_string());
    body["rating"] = json!("3");
    body["recommend"] = json!("false");
    body["characteristics"] = json!({product.fit.to_string(): "2"});
    body["unknown"] = json!({"deeply": [1, {"nested": null}]});
    body["session"] = json!("x");
    let _written = shopper.post_review(&body).await.expect(201);
    let meta = shopper.meta(product.id).await.json();
    assert_eq!(
        (&meta["ratings"], &meta["recommended"]),
        (&json!({"3": "1"}), &json!({"false": "1", "true": "0"}))
    );
    assert_eq!(meta["characteristics"]["Fit"]["value"], "2.0000000000000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_or_characteristic_is_404_and_another_product_s_characteristic_is_422() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let _problem = shopper.post_review(&review(99_999)).await.expect_problem(404);
    let unknown = with(product.id, "characteristics", json!({"999999": 3}));
    let problem = shopper.post_review(&unknown).await.expect_problem(404);
    assert!(problem.json()["detail"].as_str().unwrap().contains("999999"), "{problem:?}");
    let foreign = with(product.id, "characteristics", json!({product.fit.to_string(): 3, "14": 3}));
    let problem = shopper.post_review(&foreign).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["characteristics.14"]);
    assert_eq!(shopper.review_ids(product.id, "newest").await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_character_nul_is_422_wherever_it_stands() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    for (field, value, named) in [
        ("summary", json!("a\0b"), "summary"),
        ("body", json!("\0"), "body"),
        ("name", json!("a\0"), "name"),
        ("email", json!("a\0@b.example"), "email"),
        ("photos", json!(["https://a.example/\0"]), "photos[0]"),
    ] {
        let answer = shopper.post_review(&with(product.id, field, value)).await.expect_problem(422);
        assert_eq!(answer.wrong_fields(), [named]);
    }
}
