//! `GET /qa/questions/:question_id/answers`

use serde_json::json;
use tests::{answer, catalogue, question, shared};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_answers_has_exactly_the_contract_s_shape() {
    let shopper = shared().await.shopper();
    let page = shopper.answers(37, "page=1&count=5").await.expect(200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    let expected = json!({"question": "37", "page": 1, "count": 5, "results": [
        {"answer_id": 8, "body": "Something pretty soft,\nI \"think\"", "date": "2019-06-08T13:20:00.123Z",
         "answerer_name": "metslover", "helpfulness": 8,
         "photos": [{"id": 1, "url": "https://img.example/answer-1.jpg"}, {"id": 2, "url": "https://img.example/answer-2.jpg"}]},
        {"answer_id": 5, "body": "Tied with the first", "date": "2020-02-29T23:59:59.999Z", "answerer_name": "tied",
         "helpfulness": 1, "photos": []},
        {"answer_id": 68, "body": "Suede", "date": "2018-08-18T00:00:00.000Z", "answerer_name": "janedoe",
         "helpfulness": 1, "photos": [{"id": 4, "url": "https://img.example/answer-4.jpg"}]}]});
    assert_eq!(page.json(), expected);
    let order = [
        "question",
        "page",
        "count",
        "results",
        "answer_id",
        "body",
        "date",
        "answerer_name",
        "helpfulness",
        "photos",
    ];
    let places: Vec<usize> =
        order.iter().map(|name| page.body.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "the fields stand in the contract's order: {page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_by_helpfulness_descending_then_by_id_and_reported_ones_are_left_out() {
    let shopper = shared().await.shopper();
    assert_eq!(shopper.answer_ids(37).await, [8, 5, 68]);
    assert_eq!(shopper.answer_ids(50).await, [80, 81, 82, 83]);
    let mut paged = Vec::new();
    for page in 1..=4 {
        paged.extend(shopper.answers(50, &format!("page={page}&count=1")).await.ids());
    }
    assert_eq!(paged, [80, 81, 82, 83], "so paging is stable");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_echoes_the_page_asked_for_here() {
    let shopper = shared().await.shopper();
    for (query, page, count, ids) in [
        ("", 1, 5, &[91, 92, 93, 94, 95][..]),
        ("page=2&count=5", 2, 5, &[96, 97, 98, 99, 100]),
        ("page=3", 3, 5, &[101, 102]),
        ("page=4", 4, 5, &[]),
        ("page=0&count=2", 1, 2, &[91, 92]),
        ("count=0", 1, 0, &[]),
        ("page=3&count=0", 3, 0, &[]),
        ("count=20000", 1, 10_000, &[91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102]),
    ] {
        let answer = shopper.answers(61, query).await.expect(200);
        let body = answer.json();
        let echoes = (&body["question"], &body["page"], &body["count"]);
        assert_eq!(echoes, (&json!("61"), &json!(page), &json!(count)), "{query}");
        assert_eq!(answer.ids(), ids, "{query}");
    }
    let far = shopper.answers(61, "page=99999999999999999999&count=10000").await.expect(200);
    assert_eq!(far.json()["results"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_count_of_answers_that_is_no_integer_or_negative_is_422() {
    let shopper = shared().await.shopper();
    for query in ["page=-1", "page=x", "count=-5", "count=5.5", "count=undefined", "count="] {
        let problem = shopper.answers(37, query).await.expect_problem(422);
        let name = query.split('=').next().unwrap();
        assert_eq!(problem.json()["detail"], format!("Error: invalid {name} provided"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_question_id_in_a_path_is_404_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for id in ["x", "0", "-5", "5.5", "9007199254740992", "undefined", "1%20"] {
        let problem = shopper.get(&format!("/qa/questions/{id}/answers")).await.expect_problem(404);
        assert_eq!(problem.json()["detail"], "Error: invalid question id provided", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_question_has_no_answers_and_is_no_error() {
    let shopper = shared().await.shopper();
    for id in [7, 999_999_999, 9_007_199_254_740_991_i64] {
        let page = shopper.answers(id, "").await.expect(200).json();
        assert_eq!(page, json!({"question": id.to_string(), "page": 1, "count": 5, "results": []}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_back_as_written_dated_now_and_not_yet_helpful() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let id = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    let mut body = answer();
    body["body"] = json!("Line one\nLine two\r\n👕 \u{10FFFF} \u{1} <b>");
    body["name"] = json!("名前 ");
    body["photos"] = json!(["https://img.example/b.jpg?x=1&y=%20", "http://img.example/a.jpg"]);
    let answered = shopper.post_answer(id, &body).await.expect(201).made("answer_id");
    let page = shopper.answers(id, "").await.expect(200).json();
    let found = &page["results"][0];
    let date: contract::Millis = found["date"].as_str().unwrap().parse().unwrap();
    let photos = json!([{"id": answered * 16, "url": body["photos"][0]}, {"id": answered * 16 + 1, "url": body["photos"][1]}]);
    let expected = json!({"answer_id": answered, "body": body["body"], "date": date.to_string(),
        "answerer_name": body["name"], "helpfulness": 0, "photos": photos});
    assert_eq!(*found, expected);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    assert!((now - 120_000..=now).contains(&date.0), "{date}");
}
