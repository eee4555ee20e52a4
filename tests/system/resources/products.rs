//! `GET /products/:product_id`, `/styles`, `/related`

use serde_json::json;
use tests::shared;

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_the_same_object_with_its_features_in_id_order_and_an_absent_value_is_null() {
    let shopper = shared().await.shopper();
    let expected = r#"{"id":1,"name":"Camo Onesie","slogan":"Blend in to your crowd","description":"The So Fatigues will wake you up and fit you in. \"Quoted\", with commas.","category":"Jackets","default_price":"140.00","features":[{"feature":"Fabric","value":"Canvas"},{"feature":"Buttons","value":"Brass"},{"feature":"Non-GMO","value":null}]}"#;
    assert_eq!(shopper.product(1).await.expect(200).body, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_of_which_nothing_is_known_has_nulls_and_no_features_styles_or_relations() {
    let shopper = shared().await.shopper();
    let product = shopper.product(3).await.expect(200).json();
    let expected = json!({"id": 3, "name": "Bare Product", "slogan": null, "description": null, "category": null,
                          "default_price": "40.00", "features": []});
    assert_eq!(product, expected);
    assert_eq!(shopper.styles(3).await.expect(200).body, r#"{"product_id":"3","results":[]}"#);
    assert_eq!(shopper.related(3).await.expect(200).body, "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_in_any_script_comes_back_as_it_was_written() {
    let shopper = shared().await.shopper();
    let product = shopper.product(7).await.expect(200).json();
    assert_eq!(product["name"], "Ünïcode – “Product” 👕");
    assert_eq!(product["slogan"], "slogan ✓");
}

#[tokio::test(flavor = "multi_thread")]
async fn styles_have_the_contract_s_shape_with_skus_keyed_by_sku_id_and_prices_as_strings() {
    let shopper = shared().await.shopper();
    let styles = shopper.styles(1).await.expect(200);
    let expected = json!({"product_id": "1", "results": [
        {"style_id": 1, "name": "Forest Green & Black", "original_price": "140.00", "sale_price": null,
         "default?": true,
         "photos": [{"thumbnail_url": "https://img.example/1-small.jpg", "url": "https://img.example/1.jpg"},
                    {"thumbnail_url": "https://img.example/2-small.jpg", "url": "https://img.example/2.jpg"}],
         "skus": {"1": {"quantity": 8, "size": "XS"}, "2": {"quantity": 16, "size": "S"}, "10": {"quantity": 0, "size": "XL"}}},
        {"style_id": 2, "name": "Desert Brown", "original_price": "140.00", "sale_price": "100.50",
         "default?": false,
         "photos": [{"thumbnail_url": null, "url": null}],
         "skus": {"null": {"quantity": null, "size": null}}}]});
    assert_eq!(styles.json(), expected);
    let (first, tenth) = (styles.body.find(r#""1":{"#).unwrap(), styles.body.find(r#""10":{"#).unwrap());
    let second = styles.body.find(r#""2":{"#).unwrap();
    assert!(first < second && second < tenth, "skus stand in the order of their ids: {}", styles.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_without_photos_has_one_photo_of_nulls_and_one_without_skus_has_one_sku_of_nulls() {
    let shopper = shared().await.shopper();
    let style = &shopper.styles(1).await.json()["results"][1];
    assert_eq!(style["photos"], json!([{"thumbnail_url": null, "url": null}]));
    assert_eq!(style["skus"], json!({"null": {"quantity": null, "size": null}}));
    let other = &shopper.styles(2).await.json()["results"][0];
    assert_eq!(other["photos"], json!([{"thumbnail_url": "https://img.example/3-small.jpg", "url": null}]));
    assert_eq!(other["skus"], json!({"11": {"quantity": 5, "size": null}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn related_products_come_in_id_order_of_the_relation_without_duplicates_without_itself_and_without_0() {
    let shopper = shared().await.shopper();
    assert_eq!(shopper.related(1).await.expect(200).body.replace(' ', ""), "[2,3,8,7]");
    assert_eq!(shopper.related(2).await.expect(200).body, "[1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_is_404_on_every_route_of_products() {
    let shopper = shared().await.shopper();
    for id in [9, 99_999, 1_000_000_000, 9_007_199_254_740_991_i64] {
        for route in ["", "/styles", "/related"] {
            let problem = shopper.get(&format!("/products/{id}{route}")).await.expect_problem(404);
            assert!(problem.json()["detail"].as_str().unwrap().contains(&id.to_string()), "{problem:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_product_id_in_a_path_is_404_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for id in
        ["hello", "0", "-1", "1.0", "+1", "9007199254740992", "99999999999999999999999", "undefined", "1%20"]
    {
        for route in ["", "/styles", "/related"] {
            let problem = shopper.get(&format!("/products/{id}{route}")).await.expect_problem(404);
            assert_eq!(problem.json()["detail"], "Error: invalid product id provided", "{id}{route}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_badly_encoded_is_a_problem_document_too() {
    let shopper = shared().await.shopper();
    for path in ["/products/%ff", "/products/%", "/products/%zz", "/products/1%00"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
        let answer = shopper.send_bytes(request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap();
        assert!(["400", "404"].contains(&status), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
}
