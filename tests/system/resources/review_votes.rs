//! `PUT /reviews/:review_id/helpful`, `PUT /reviews/:review_id/report`

use reqwest::Method;
use tests::{Shopper, catalogue, review, shared, tables};

async fn written(shopper: &Shopper) -> (i64, i64) {
    let product = catalogue::spare_product().id;
    (product, shopper.post_review(&review(product)).await.expect(201).review_id())
}

async fn helpfulness(shopper: &Shopper, product: i64) -> i64 {
    let page = shopper.reviews(&format!("product_id={product}")).await.expect(200).json();
    page["results"][0]["helpfulness"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_is_204_without_a_body_and_each_counts() {
    let shopper = shared().await.shopper();
    let (product, id) = written(&shopper).await;
    for votes in 1..=3 {
        let answer = shopper.vote(id).await.expect(204);
        assert_eq!(answer.body, "");
        assert_eq!(helpfulness(&shopper, product).await, votes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_may_carry_any_body() {
    let shopper = shared().await.shopper();
    let (product, id) = written(&shopper).await;
    let junk: [&[u8]; 5] = [b"{}", b"not json", b"\xff\xfe\0", b"{\"helpful\": true", &[b'x'; 100_000]];
    for (body, votes) in junk.iter().zip(1..) {
        let request = shopper
            .request(Method::PUT, &format!("/reviews/{id}/helpful"))
            .header("content-type", "application/json");
        let _answer = shopper.send(request.body(body.to_vec())).await.expect(204);
        assert_eq!(helpfulness(&shopper, product).await, votes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_review_is_hidden_from_then_on_and_a_second_report_is_204_and_changes_nothing() {
    let shopper = shared().await.shopper();
    let (product, id) = written(&shopper).await;
    let first = shopper.report(id).await.expect(204);
    assert_eq!(shopper.review_ids(product, "newest").await, Vec::<i64>::new());
    let meta = shopper.meta(product).await.body;
    let second = shopper.report(id).await.expect(204);
    assert!(second.token().position > first.token().position);
    assert_eq!(shopper.meta(product).await.body, meta);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_for_a_hidden_review_counts() {
    let system = shared().await;
    let shopper = system.shopper();
    let (_, id) = written(&shopper).await;
    let _reported = shopper.report(id).await.expect(204);
    let _vote = shopper.vote(id).await.expect(204);
    for replica in system.replicas() {
        let mut connection = tables::connect(&system, replica).await.unwrap();
        let row = sqlx::query("select helpfulness::bigint, reported from reviews where id = $1").bind(id);
        let row = row.fetch_one(&mut connection).await.unwrap();
        assert_eq!((sqlx::Row::get::<i64, _>(&row, 0), sqlx::Row::get::<bool, _>(&row, 1)), (1, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_review_takes_votes() {
    let shopper = shared().await.shopper();
    // Reported in the catalogue, so that no other test sees the vote.
    let _vote = shopper.vote(9).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_or_report_for_an_unknown_review_is_404() {
    let shopper = shared().await.shopper();
    for id in [999_999_999, 4, 9_007_199_254_740_991_i64] {
        for action in ["helpful", "report"] {
            let request = shopper.request(Method::PUT, &format!("/reviews/{id}/{action}"));
            let problem = shopper.send(request).await.expect_problem(404);
            assert!(problem.json()["detail"].as_str().unwrap().contains(&id.to_string()), "{problem:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_above_the_head_of_the_stream_is_404_at_once() {
    let shopper = shared().await.shopper();
    let (_, id) = written(&shopper).await;
    let _problem = shopper.vote(id + 1_000_000).await.expect_problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_review_id_in_a_path_is_404_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for id in ["x", "0", "-5", "5.5", "9007199254740992", "undefined"] {
        for action in ["helpful", "report"] {
            let problem = shopper
                .send(shopper.request(Method::PUT, &format!("/reviews/{id}/{action}")))
                .await
                .expect_problem(404);
            assert_eq!(problem.json()["detail"], "Error: invalid review id provided", "{id}/{action}");
        }
    }
}
