//! `POST /qa/questions/:question_id/answers`, `PUT /qa/answers/:answer_id/helpful`, `/report`

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Shopper, answer, catalogue, question, shared};

/// A question of one's own.
async fn asked(shopper: &Shopper) -> i64 {
    let product = catalogue::spare_product().id;
    shopper.post_question(&question(product)).await.expect(201).made("question_id")
}

async fn answered(shopper: &Shopper) -> (i64, i64) {
    let question = asked(shopper).await;
    (question, shopper.post_answer(question, &answer()).await.expect(201).made("answer_id"))
}

fn with(field: &str, value: Value) -> Value {
    let mut body = answer();
    body[field] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_201_with_its_id_which_is_its_position() {
    let shopper = shared().await.shopper();
    let question = asked(&shopper).await;
    let answer = shopper.post_answer(question, &answer()).await.expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body, json!({"answer_id": answer.token().position.as_i64()}).to_string());
    assert!(answer.made("answer_id") > question && answer.applied(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_an_answer_that_is_missing_or_wrong_is_named_at_once() {
    let shopper = shared().await.shopper();
    let question = asked(&shopper).await;
    let problem = shopper.post_answer(question, &json!({})).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["body", "name", "email"]);
    let wrong = json!({"body": "", "name": "n".repeat(101), "email": "nobody",
        "photos": ["ftp://x", "https://ok.example/a", 5]});
    let problem = shopper.post_answer(question, &wrong).await.expect_problem(422);
    assert_eq!(problem.wrong_fields(), ["body", "name", "email", "photos[0]", "photos[2]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_an_answer_holds_on_both_sides() {
    let shopper = shared().await.shopper();
    let question = asked(&shopper).await;
    let url = |length: usize| format!("https://img.example/{}", "x".repeat(length - 20));
    let fits = [
        with("body", json!("x")),
        with("body", json!("👕".repeat(10_000))),
        with("name", json!("名".repeat(100))),
        with("email", json!("a@b")),
        with("email", json!(format!("{}@b", "é".repeat(252)))),
        with("photos", Value::Null),
        with("photos", json!([])),
        with(
            "photos",
            json!([
                url(2_000),
                "http://a.example",
                "HTTPS://b.example",
                "https://c.example/?q#f",
                "https://d"
            ]),
        ),
        with("unknown", json!({"deeply": [1, {"nested": null}]})),
    ];
    for body in &fits {
        let _answered = shopper.post_answer(question, body).await.expect(201);
    }
    for (field, value, named) in [
        ("body", json!(""), "body"),
        ("body", json!("👕".repeat(10_001)), "body"),
        ("body", json!("a\0b"), "body"),
        ("name", json!(""), "name"),
        ("name", json!("名".repeat(101)), "name"),
        ("name", json!("\0"), "name"),
        ("email", json!("@b"), "email"),
        ("email", json!(format!("{}@b", "é".repeat(253))), "email"),
        ("email", json!("nobody.example"), "email"),
        ("email", json!("a\0@b.example"), "email"),
        ("photos", json!(vec!["https://a.example"; 6]), "photos"),
        ("photos", json!("https://a.example"), "photos"),
        ("photos", json!([url(2_001)]), "photos[0]"),
        ("photos", json!(["/relative.jpg"]), "photos[0]"),
        ("photos", json!(["javascript:alert(1)"]), "photos[0]"),
        ("photos", json!(["https://a.example/\0"]), "photos[0]"),
    ] {
        let problem = shopper.post_answer(question, &with(field, value)).await.expect_problem(422);
        assert_eq!(problem.wrong_fields(), [named], "{problem:?}");
    }
    assert_eq!(shopper.answer_ids(question).await.len(), fits.len(), "nothing refused was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_an_unknown_question_is_404() {
    let shopper = shared().await.shopper();
    let question = asked(&shopper).await;
    for id in [999_999_999, 1, question + 1_000_000] {
        let problem = shopper.post_answer(id, &answer()).await.expect_problem(404);
        assert!(problem.json()["detail"].as_str().unwrap().contains(&id.to_string()), "{problem:?}");
    }
    for id in ["x", "0", "-5", "5.5", "9007199254740992", "undefined"] {
        let problem =
            shopper.post(&format!("/qa/questions/{id}/answers"), &answer()).await.expect_problem(404);
        assert_eq!(problem.json()["detail"], "Error: invalid question id provided", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_question_can_be_answered() {
    let shopper = shared().await.shopper();
    let id = shopper.post_answer(40, &answer()).await.expect(201).made("answer_id");
    assert_eq!(shopper.answer_ids(40).await, [id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_for_an_answer_is_204_without_a_body_and_each_counts_whatever_a_put_carries() {
    let shopper = shared().await.shopper();
    let (question, id) = answered(&shopper).await;
    let junk: [&[u8]; 5] = [b"", b"{}", b"not json", b"\xff\xfe\0", &[b'x'; 100_000]];
    for (body, votes) in junk.iter().zip(1..) {
        let request = shopper.request(Method::PUT, &format!("/qa/answers/{id}/helpful"));
        let vote = shopper
            .send(request.header("content-type", "application/json").body(body.to_vec()))
            .await
            .expect(204);
        assert_eq!((vote.body.as_str(), vote.applied()), ("", true));
        let page = shopper.answers(question, "").await.expect(200).json();
        assert_eq!(page["results"][0]["helpfulness"], votes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_change_the_order_of_answers_and_a_report_hides_one_from_then_on() {
    let shopper = shared().await.shopper();
    let (question, first) = answered(&shopper).await;
    let second = shopper.post_answer(question, &answer()).await.expect(201).made("answer_id");
    assert_eq!(shopper.answer_ids(question).await, [first, second]);
    let _vote = shopper.put(&format!("/qa/answers/{second}/helpful")).await.expect(204);
    assert_eq!(shopper.answer_ids(question).await, [second, first]);
    let report = shopper.put(&format!("/qa/answers/{second}/report")).await.expect(204);
    assert_eq!(shopper.answer_ids(question).await, [first]);
    let again = shopper.put(&format!("/qa/answers/{second}/report")).await.expect(204);
    assert!(again.token().position > report.token().position, "a second report is 204 and changes nothing");
    let _a_vote_for_a_hidden_answer = shopper.put(&format!("/qa/answers/{second}/helpful")).await.expect(204);
    let _an_imported_one = shopper.put("/qa/answers/57/helpful").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_or_report_for_an_unknown_answer_is_404_at_once() {
    let shopper = shared().await.shopper();
    let (question, id) = answered(&shopper).await;
    for id in [999_999_999, 1, 9_007_199_254_740_991, id + 1_000_000, question] {
        for action in ["helpful", "report"] {
            let problem = shopper.put(&format!("/qa/answers/{id}/{action}")).await.expect_problem(404);
            assert!(problem.json()["detail"].as_str().unwrap().contains(&id.to_string()), "{problem:?}");
        }
    }
    for id in ["x", "0", "-5", "5.5", "9007199254740992", "undefined"] {
        for action in ["helpful", "report"] {
            let problem = shopper.put(&format!("/qa/answers/{id}/{action}")).await.expect_problem(404);
            assert_eq!(problem.json()["detail"], "Error: invalid answer id provided", "{id}/{action}");
        }
    }
}
