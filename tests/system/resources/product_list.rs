//! `GET /products`

use tests::{catalogue, shared};

#[tokio::test(flavor = "multi_thread")]
async fn products_come_as_an_array_ordered_by_id_five_on_the_first_page_unless_asked_otherwise() {
    let shopper = shared().await.shopper();
    let page = shopper.products("").await.expect(200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    assert_eq!(page.ids(), [1, 2, 3, 4, 5]);
    assert_eq!(shopper.products("page=1&count=5").await.body, page.body);
    assert_eq!(shopper.products("page=2&count=3").await.ids(), [4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_product_has_exactly_the_contract_s_fields_in_their_order_and_a_price_with_two_decimals() {
    let shopper = shared().await.shopper();
    let page = shopper.products("count=1").await.expect(200);
    let expected = r#"[{"id":1,"name":"Camo Onesie","slogan":"Blend in to your crowd","description":"The So Fatigues will wake you up and fit you in. \"Quoted\", with commas.","category":"Jackets","default_price":"140.00"}]"#;
    assert_eq!(page.body, expected);
    let prices: Vec<String> = shopper
        .products("count=8")
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["default_price"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(prices, ["140.00", "69.00", "40.00", "1.50", "12345678.90", "7.00", "15.99", "1.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_follows_the_one_before_and_one_past_the_end_is_empty() {
    let shopper = shared().await.shopper();
    let mut seen = Vec::new();
    for page in 1.. {
        let ids = shopper.products(&format!("page={page}&count=50")).await.expect(200).ids();
        if ids.is_empty() {
            break;
        }
        seen.extend(ids);
    }
    assert_eq!(seen.len() as i64, catalogue::PRODUCTS);
    assert!(seen.is_sorted() && seen.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(shopper.products("count=10000").await.ids(), seen, "count=10000 means all");
    assert_eq!(shopper.products("count=999999999999999999999").await.ids(), seen, "it is capped silently");
}

#[tokio::test(flavor = "multi_thread")]
async fn count_0_is_an_empty_page_page_0_means_1_and_an_offset_beyond_2_to_the_53_is_an_empty_page() {
    let shopper = shared().await.shopper();
    assert_eq!(shopper.products("count=0").await.expect(200).body, "[]");
    assert_eq!(shopper.products("page=0&count=2").await.expect(200).ids(), [1, 2]);
    for page in ["9007199254740993", "99999999999999999999999999"] {
        assert_eq!(shopper.products(&format!("page={page}&count=10000")).await.expect(200).body, "[]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_count_that_is_no_integer_or_negative_is_422() {
    let shopper = shared().await.shopper();
    for query in
        ["page=-1", "page=x", "page=1.5", "page=undefined", "count=-1", "count=five", "count=5.5", "count="]
    {
        let problem = shopper.products(query).await.expect_problem(422);
        let name = query.split('=').next().unwrap();
        assert_eq!(problem.json()["detail"], format!("Error: invalid {name} provided"), "{query}");
    }
}
