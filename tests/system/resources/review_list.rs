//! `GET /reviews`

use serde_json::json;
use tests::{catalogue, review, shared};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_exactly_the_contract_s_shape() {
    let shopper = shared().await.shopper();
    let page = shopper.reviews("product_id=2&sort=relevant&page=1&count=1").await.expect(200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    let expected = r#"{"product":"2","page":0,"count":1,"results":[{"review_id":5,"rating":3,"summary":"I'm enjoying wearing these shades","recommend":false,"response":null,"body":"Comfortable and practical.","date":"2019-04-14T00:00:00.000Z","reviewer_name":"shortandsweeet","helpfulness":5,"photos":[{"id":1,"url":"https://img.example/review-1.jpg"},{"id":2,"url":"https://img.example/review-2.jpg"}]}]}"#;
    // The tool that joins the parts puts blanks and breaks between them.
    let text = page.body.replace(", \n ", ",").replace(",\n ", ",");
    assert_eq!(serde_json::from_str::<serde_json::Value>(expected).unwrap(), page.json());
    let order = [
        "product",
        "page",
        "count",
        "results",
        "review_id",
        "rating",
        "summary",
        "recommend",
        "response",
        "body",
        "date",
        "reviewer_name",
        "helpfulness",
        "photos",
    ];
    let places: Vec<usize> = order.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "the fields stand in the contract's order: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_legacy_form_of_a_date_is_shown_as_utc_with_milliseconds() {
    let shopper = shared().await.shopper();
    let page = shopper.reviews("product_id=2&sort=newest").await.expect(200).json();
    let dates: Vec<&str> =
        page["results"].as_array().unwrap().iter().map(|r| r["date"].as_str().unwrap()).collect();
    assert_eq!(
        dates,
        [
            "2020-02-29T23:59:59.999Z",
            "2019-06-08T13:20:00.123Z",
            "2019-04-14T00:00:00.000Z",
            "2019-01-02T00:00:00.000Z"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_null_when_there_is_none_and_photos_are_an_empty_array() {
    let shopper = shared().await.shopper();
    let page = shopper.reviews("product_id=2&sort=newest").await.expect(200).json();
    let responses: Vec<_> =
        page["results"].as_array().unwrap().iter().map(|r| r["response"].clone()).collect();
    assert_eq!(responses, [json!(null), json!("Thanks!"), json!(null), json!(null)]);
    assert_eq!(page["results"][0]["photos"], json!([]));
    assert_eq!(page["results"][0]["body"], "A day\nthat is rare");
    assert_eq!(page["results"][3]["summary"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_review_is_left_out_of_every_order() {
    let shopper = shared().await.shopper();
    for sort in ["newest", "helpful", "relevant"] {
        let ids = shopper.review_ids(2, sort).await;
        assert_eq!(ids.len(), 4);
        assert!(!ids.contains(&9), "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_is_date_descending() {
    assert_eq!(shared().await.shopper().review_ids(2, "newest").await, [8, 6, 5, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn helpful_is_helpfulness_descending_then_review_id_descending() {
    assert_eq!(shared().await.shopper().review_ids(2, "helpful").await, [7, 5, 6, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn relevant_is_helpfulness_descending_then_date_descending_and_what_any_other_value_means() {
    let shopper = shared().await.shopper();
    for sort in ["relevant", "Relevant", "undefined", "", "null", "%22relevant%22"] {
        assert_eq!(shopper.review_ids(2, sort).await, [5, 7, 6, 8], "{sort}");
    }
    assert_eq!(shopper.reviews("product_id=2").await.expect(200).ids(), [5, 7, 6, 8], "it is the default");
}

#[tokio::test(flavor = "multi_thread")]
async fn ties_end_by_review_id_descending_so_paging_is_stable() {
    let shopper = shared().await.shopper();
    for sort in ["newest", "helpful", "relevant"] {
        assert_eq!(shopper.review_ids(4, sort).await, [23, 22, 21, 20], "{sort}");
        let mut paged = Vec::new();
        for page in 1..=4 {
            paged.extend(
                shopper.reviews(&format!("product_id=4&sort={sort}&page={page}&count=1")).await.ids(),
            );
        }
        assert_eq!(paged, [23, 22, 21, 20], "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn page_echoes_the_offset_in_rows_and_count_the_count_asked_for() {
    let shopper = shared().await.shopper();
    for (query, page, count, ids) in [
        ("", 0, 5, &[31, 32, 33, 34, 35][..]),
        ("&page=2&count=5", 5, 5, &[36, 37, 38, 39, 40]),
        ("&page=3", 10, 5, &[41, 42]),
        ("&page=4", 15, 5, &[]),
        ("&page=0&count=2", 0, 2, &[31, 32]),
        ("&count=0", 0, 0, &[]),
        ("&page=3&count=0", 0, 0, &[]),
    ] {
        let answer = shopper.reviews(&format!("product_id=5{query}")).await.expect(200);
        let body = answer.json();
        assert_eq!(
            (&body["product"], &body["page"], &body["count"]),
            (&json!("5"), &json!(page), &json!(count)),
            "{query}"
        );
        assert_eq!(answer.ids(), ids, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn count_is_capped_at_ten_thousand_silently_and_a_page_far_past_the_end_is_empty() {
    let shopper = shared().await.shopper();
    let all = shopper.reviews("product_id=5&count=20000").await.expect(200);
    assert_eq!(all.ids().len(), 12);
    assert_eq!(all.json()["count"], 10_000);
    let far = shopper.reviews("product_id=5&page=99999999999999999999&count=10000").await.expect(200);
    assert_eq!(far.json()["results"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_count_of_reviews_that_is_no_integer_or_negative_is_422() {
    let shopper = shared().await.shopper();
    for query in ["page=-1", "page=x", "count=-5", "count=5.5", "count=undefined"] {
        let problem = shopper.reviews(&format!("product_id=2&{query}")).await.expect_problem(422);
        let name = query.split('=').next().unwrap();
        assert_eq!(problem.json()["detail"], format!("Error: invalid {name} provided"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_malformed_product_id_is_422_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for route in ["/reviews", "/reviews/meta"] {
        for query in [
            "",
            "?product_id=undefined",
            "?product_id=5.55",
            "?product_id=-1",
            "?product_id=",
            "?product_id=0",
            "?product_id=9007199254740992",
            "?product_id=99999999999999999999",
            "?product_id=2%20",
            "?id=2",
        ] {
            let problem = shopper.get(&format!("{route}{query}")).await.expect_problem(422);
            assert_eq!(problem.json()["detail"], "Error: invalid product_id provided", "{route}{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_has_no_reviews_and_is_no_error() {
    let shopper = shared().await.shopper();
    for id in [9, 99_999, 9_007_199_254_740_991_i64] {
        let page = shopper.reviews(&format!("product_id={id}")).await.expect(200).json();
        assert_eq!(page, json!({"product": id.to_string(), "page": 0, "count": 5, "results": []}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shopper_wrote_comes_back_as_written_dated_now_and_not_yet_helpful() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product();
    let mut body = review(product.id);
    body["summary"] = json!("\"quotes\", commas, \\ and tab\t");
    body["body"] = json!("Line one\nLine two\r\n👕 \u{10FFFF} \u{1} <b>");
    body["name"] = json!("名前 ");
    body["rating"] = json!(2);
    body["recommend"] = json!(false);
    body["photos"] = json!(["https://img.example/b.jpg?x=1&y=%20", "http://img.example/a.jpg"]);
    let written = shopper.post_review(&body).await.expect(201);
    let id = written.review_id();
    let page = shopper.reviews(&format!("product_id={}", product.id)).await.expect(200).json();
    let found = &page["results"][0];
    for (field, value) in [
        ("review_id", json!(id)),
        ("rating", json!(2)),
        ("recommend", json!(false)),
        ("response", json!(null)),
        ("helpfulness", json!(0)),
    ] {
        assert_eq!(found[field], value, "{field}");
    }
    for field in ["summary", "body"] {
        assert_eq!(found[field], body[field], "{field}");
    }
    assert_eq!(found["reviewer_name"], body["name"]);
    let photos =
        json!([{"id": id * 16, "url": body["photos"][0]}, {"id": id * 16 + 1, "url": body["photos"][1]}]);
    assert_eq!(found["photos"], photos, "in the order in which they were sent");
    let written: contract::Millis = found["date"].as_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    assert!((now - 120_000..=now).contains(&written.0), "{written}");
    assert_eq!(found["date"], written.to_string());
}
