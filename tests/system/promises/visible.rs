//! Who has written sees it, whichever reader answers next.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tests::{SKU, Shopper, answer, catalogue, empty, interaction, question, review, shared, tables};

const WRITES: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_reviews_are_each_applied_visible_at_once_and_counted_exactly() {
    let system = shared().await;
    let product = catalogue::spare_product();
    let readers: Vec<Shopper> = system.reader_urls().into_iter().map(Shopper::at).collect();
    let shopper = system.shopper();
    let writes = (0..WRITES).map(|number| {
        let (shopper, readers) = (shopper.clone(), readers.clone());
        tokio::spawn(async move {
            let mut body = review(product.id);
            body["rating"] = json!(number % 5 + 1);
            body["recommend"] = json!(number % 4 == 0);
            body["characteristics"] = json!({product.fit.to_string(): number % 5 + 1});
            let answer = shopper.post_review(&body).await.expect(201);
            assert!(answer.applied(), "{answer:?}");
            let id = answer.review_id();
            assert_eq!(answer.token().position.as_i64(), id);
            for reader in std::iter::once(&shopper).chain(&readers) {
                let seen = reader.review_ids(product.id, "newest").await;
                assert!(seen.contains(&id), "review {id} is not seen by the very next read");
            }
            id
        })
    });
    let mut ids: Vec<i64> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), WRITES, "each review has its own id");

    for reader in std::iter::once(&shopper).chain(&readers) {
        let meta = reader.meta(product.id).await.expect(200).json();
        assert_eq!(meta["ratings"], json!({"1": "40", "2": "40", "3": "40", "4": "40", "5": "40"}));
        assert_eq!(meta["recommended"], json!({"false": "150", "true": "50"}));
        assert_eq!(meta["characteristics"]["Fit"], json!({"id": product.fit, "value": "3.0000000000000000"}));
    }
    tables::equal(&system, *ids.last().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_prefers_respond_async_is_answered_when_it_is_durable() {
    let system = shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product();
    let request =
        shopper.request(Method::POST, "/reviews").header("prefer", "respond-async").json(&review(product.id));
    let answer = shopper.send(request).await.expect(201);
    assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    assert_eq!(answer.token().position.as_i64(), answer.review_id());
    // A later write that waits is applied after it.
    let later = shopper.post_review(&review(product.id)).await.expect(201);
    assert!(later.applied(), "{later:?}");
    assert!(shopper.review_ids(product.id, "newest").await.contains(&answer.review_id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_and_a_report_are_seen_by_the_very_next_read() {
    let system = shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product();
    let id = shopper.post_review(&review(product.id)).await.expect(201).review_id();
    for votes in 1..=20 {
        let vote = shopper.vote(id).await.expect(204);
        assert!(vote.applied(), "{vote:?}");
        let page = shopper.reviews(&format!("product_id={}", product.id)).await.expect(200).json();
        assert_eq!(page["results"][0]["helpfulness"], votes);
    }
    let report = shopper.report(id).await.expect(204);
    assert!(report.applied(), "{report:?}");
    assert_eq!(shopper.review_ids(product.id, "newest").await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_live_replica_a_write_is_stored_and_says_that_it_is_not_applied() {
    let system = tests::with_catalogue("unapplied", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    for replica in ["projector-a", "projector-b"] {
        system.process(replica).stop().await;
    }
    let answer = shopper.post_review(&review(product.id)).await.expect(201);
    assert_eq!(answer.header("atelier-applied"), Some("false"), "{answer:?}");
    // It exists, but nobody can refer to it yet.
    let vote = shopper.vote(answer.review_id()).await.expect_problem(503);
    assert!(vote.header("retry-after").is_some(), "{vote:?}");
    assert!(vote.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{vote:?}");
    let _beyond_the_head = shopper.vote(answer.review_id() + 10).await.expect_problem(404);
    for replica in ["projector-a", "projector-b"] {
        system.process(replica).start().await.unwrap();
    }
    let tables = tables::equal(&system, answer.review_id()).await;
    assert!(tables.position >= answer.review_id());
    assert_eq!(shopper.review_ids(product.id, "newest").await, [answer.review_id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_catalogue_products_are_unknown() {
    let system = empty("unfilled", |options| options).await;
    let shopper = system.shopper();
    assert_eq!(shopper.products("").await.expect(200).body, "[]");
    let _problem = shopper.product(1).await.expect_problem(404);
    let _problem = shopper.post_review(&review(1)).await.expect_problem(404);
    assert_eq!(shopper.reviews("product_id=1").await.expect(200).json()["results"], json!([]));
    let _problem = shopper.post_question(&question(1)).await.expect_problem(404);
    let _problem = shopper.add_to_cart("early", &json!({"sku_id": SKU})).await.expect_problem(404);
    let _problem = shopper.post_answer(37, &answer()).await.expect_problem(404);
    for (path, empty) in [
        ("/qa/questions?product_id=1", json!({"product_id": "1", "results": []})),
        ("/qa/questions/37/answers", json!({"question": "37", "page": 1, "count": 5, "results": []})),
        ("/cart", json!([])),
    ] {
        assert_eq!(shopper.get(path).await.expect(200).json(), empty, "{path}");
    }
    // It refers to nothing.
    let _recorded = shopper.post_interaction(&interaction()).await.expect(201);
}
