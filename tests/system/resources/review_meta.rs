//! `GET /reviews/meta`

use serde_json::json;
use tests::{catalogue, review, shared};

#[tokio::test(flavor = "multi_thread")]
async fn meta_has_the_contract_s_shape_and_counts_without_reported_reviews() {
    let shopper = shared().await.shopper();
    let expected = json!({"product_id": "2", "ratings": {"2": "1", "3": "1", "4": "2"},
        "recommended": {"false": "1", "true": "3"},
        "characteristics": {"Size": {"id": 14, "value": "4.0000000000000000"}, "Width": {"id": 15, "value": null},
                            "Comfort": {"id": 16, "value": "3.5000000000000000"}}});
    assert_eq!(shopper.meta(2).await.expect(200).json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mean_is_a_decimal_string_as_postgres_writes_it() {
    let shopper = shared().await.shopper();
    let meta = shopper.meta(4).await.expect(200).json();
    assert_eq!(meta["characteristics"]["Fit"], json!({"id": 18, "value": "3.3333333333333333"}));
    assert_eq!(meta["ratings"], json!({"5": "4"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_reviews_there_are_no_ratings_zeros_and_characteristics_without_a_value() {
    let shopper = shared().await.shopper();
    let expected = json!({"product_id": "6", "ratings": {}, "recommended": {"false": "0", "true": "0"},
                          "characteristics": {"Fit": {"id": 17, "value": null}}});
    assert_eq!(shopper.meta(6).await.expect(200).json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_has_no_characteristics_and_is_no_error() {
    let shopper = shared().await.shopper();
    let expected = json!({"product_id": "99999", "ratings": {}, "recommended": {"false": "0", "true": "0"}, "characteristics": {}});
    assert_eq!(shopper.meta(99_999).await.expect(200).json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_review_counts_and_a_report_takes_it_out_again_once() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let before = shopper.meta(product.id).await.expect(200).json();
    let mut body = review(product.id);
    body["rating"] = json!(3);
    body["characteristics"] = json!({product.fit.to_string(): 5, product.quality.to_string(): 2});
    let first = shopper.post_review(&body).await.expect(201).review_id();
    body["rating"] = json!(5);
    body["recommend"] = json!(false);
    body["characteristics"] = json!({product.fit.to_string(): 2});
    let second = shopper.post_review(&body).await.expect(201).review_id();

    let both = shopper.meta(product.id).await.expect(200).json();
    assert_eq!(both["ratings"], json!({"3": "1", "5": "1"}));
    assert_eq!(both["recommended"], json!({"false": "1", "true": "1"}));
    assert_eq!(both["characteristics"]["Fit"]["value"], "3.5000000000000000");
    assert_eq!(both["characteristics"]["Quality"]["value"], "2.0000000000000000");

    for _ in 0..2 {
        let _reported = shopper.report(first).await.expect(204);
        let one = shopper.meta(product.id).await.expect(200).json();
        assert_eq!(one["ratings"], json!({"5": "1"}));
        assert_eq!(one["recommended"], json!({"false": "1", "true": "0"}));
        assert_eq!(one["characteristics"]["Fit"]["value"], "2.0000000000000000");
        assert_eq!(one["characteristics"]["Quality"]["value"], json!(null));
    }
    let _reported = shopper.report(second).await.expect(204);
    assert_eq!(shopper.meta(product.id).await.expect(200).json(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_slash_before_the_query_is_none() {
    let shopper = shared().await.shopper();
    let with = shopper.get("/reviews/meta/?product_id=2").await.expect(200);
    assert_eq!(with.body, shopper.meta(2).await.body);
}
