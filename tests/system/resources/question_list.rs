//! `GET /qa/questions`

use serde_json::{Value, json};
use tests::{answer, catalogue, question, shared};

/// The first question of product 2, as the contract shows one.
fn first() -> Value {
    json!({"question_id": 38, "question_body": "Does it \"really\" fit,\nor only nearly?",
        "question_date": "2019-06-28T00:00:00.123Z", "asker_name": "jbilas", "question_helpfulness": 9,
        "reported": false, "answers": {}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_exactly_the_contract_s_shape() {
    let shopper = shared().await.shopper();
    let page = shopper.questions("product_id=2&page=1&count=5").await.expect(200);
    assert_eq!(page.header("content-type"), Some("application/json"));
    let answers = json!({
        "5": {"id": 5, "body": "Tied with the first", "date": "2020-02-29T23:59:59.999Z", "answerer_name": "tied",
              "helpfulness": 1, "photos": []},
        "8": {"id": 8, "body": "Something pretty soft,\nI \"think\"", "date": "2019-06-08T13:20:00.123Z",
              "answerer_name": "metslover", "helpfulness": 8,
              "photos": ["https://img.example/answer-1.jpg", "https://img.example/answer-2.jpg"]},
        "68": {"id": 68, "body": "Suede", "date": "2018-08-18T00:00:00.000Z", "answerer_name": "janedoe",
               "helpfulness": 1, "photos": ["https://img.example/answer-4.jpg"]}});
    let expected = json!({"product_id": "2", "results": [
        first(),
        {"question_id": 36, "question_body": "Tied with the first", "question_date": "2019-06-08T13:20:00.123Z",
         "asker_name": "tied", "question_helpfulness": 4, "reported": false, "answers": {}},
        {"question_id": 37, "question_body": "What fabric is the top made of?",
         "question_date": "2018-10-18T00:00:00.000Z", "asker_name": "williamsmith", "question_helpfulness": 4,
         "reported": false, "answers": answers}]});
    assert_eq!(page.json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_stand_in_the_contract_s_order() {
    let shopper = shared().await.shopper();
    let page = shopper.questions("product_id=2&page=3&count=1").await.expect(200).body;
    let places = |names: &[&str], text: &str| -> Vec<usize> {
        let place =
            |name: &&str| text.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}: {text}"));
        names.iter().map(place).collect()
    };
    let question = [
        "product_id",
        "results",
        "question_id",
        "question_body",
        "question_date",
        "asker_name",
        "question_helpfulness",
        "reported",
        "answers",
    ];
    assert!(places(&question, &page).is_sorted(), "{page}");
    let answer = ["id", "body", "date", "answerer_name", "helpfulness", "photos"];
    let (_, answers) = page.split_once("\"answers\":").unwrap();
    assert!(places(&answer, answers).is_sorted(), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_come_by_helpfulness_descending_then_by_id() {
    let shopper = shared().await.shopper();
    assert_eq!(shopper.question_ids(2).await, [38, 36, 37]);
    assert_eq!(shopper.question_ids(4).await, [50, 51, 52, 53]);
    let mut paged = Vec::new();
    for page in 1..=4 {
        paged.extend(shopper.questions(&format!("product_id=4&page={page}&count=1")).await.ids());
    }
    assert_eq!(paged, [50, 51, 52, 53], "so paging is stable");
}

#[tokio::test(flavor = "multi_thread")]
async fn reported_questions_are_left_out() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let kept = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    let reported = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    assert_eq!(shopper.question_ids(product).await, [kept, reported]);
    let _report = shopper.put(&format!("/qa/questions/{reported}/report")).await.expect(204);
    assert_eq!(shopper.question_ids(product).await, [kept]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_holds_all_of_a_question_s_unreported_answers_keyed_by_answer_id() {
    let shopper = shared().await.shopper();
    let page = shopper.questions("product_id=5&count=1").await.expect(200).json();
    let answers = page["results"][0]["answers"].as_object().unwrap();
    assert_eq!(answers.len(), 12, "more than a page: {page}");
    for (key, answer) in answers {
        assert_eq!(*key, answer["id"].to_string());
    }
    let page = shopper.questions("product_id=2&page=3&count=1").await.expect(200).json();
    assert!(page["results"][0]["answers"].get("57").is_none(), "it was reported: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_shopper_wrote_stands_with_its_question_until_it_is_reported() {
    let shopper = shared().await.shopper();
    let product = catalogue::spare_product().id;
    let id = shopper.post_question(&question(product)).await.expect(201).made("question_id");
    let mut body = answer();
    body["photos"] = json!(["https://img.example/b.jpg", "https://img.example/a.jpg"]);
    let answered = shopper.post_answer(id, &body).await.expect(201).made("answer_id");
    let shown = async || {
        let page = shopper.questions(&format!("product_id={product}")).await.expect(200).json();
        page["results"][0]["answers"].clone()
    };
    let answers = shown().await;
    assert_eq!(
        answers[answered.to_string()]["photos"],
        body["photos"],
        "photos are strings here, in order: {answers}"
    );
    let _report = shopper.put(&format!("/qa/answers/{answered}/report")).await.expect(204);
    assert_eq!(shown().await, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_questions_says_its_product_as_a_string_and_echoes_neither_page_nor_count() {
    let shopper = shared().await.shopper();
    for (query, ids) in [
        ("", &[61, 62, 63, 64, 65][..]),
        ("&page=2&count=5", &[66, 67, 68, 69, 70]),
        ("&page=3", &[71, 72]),
        ("&page=4", &[]),
        ("&page=0&count=2", &[61, 62]),
        ("&count=0", &[]),
        ("&page=3&count=0", &[]),
        ("&page=99999999999999999999&count=10000", &[]),
    ] {
        let page = shopper.questions(&format!("product_id=5{query}")).await.expect(200);
        assert_eq!(page.ids(), ids, "{query}");
        let names: Vec<String> = page.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["product_id", "results"], "{query}");
        assert_eq!(page.json()["product_id"], "5");
    }
    assert_eq!(shopper.questions("product_id=5&count=20000").await.expect(200).ids().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_count_of_questions_that_is_no_integer_or_negative_is_422() {
    let shopper = shared().await.shopper();
    for query in ["page=-1", "page=x", "page=", "count=-5", "count=5.5", "count=undefined"] {
        let problem = shopper.questions(&format!("product_id=2&{query}")).await.expect_problem(422);
        let name = query.split('=').next().unwrap();
        assert_eq!(problem.json()["detail"], format!("Error: invalid {name} provided"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_malformed_product_id_of_questions_is_422_in_the_legacy_words() {
    let shopper = shared().await.shopper();
    for query in [
        "",
        "product_id=undefined",
        "product_id=5.55",
        "product_id=-1",
        "product_id=",
        "product_id=0",
        "product_id=9007199254740992",
        "product_id=99999999999999999999",
        "product_id=2%20",
        "question_id=2",
    ] {
        let problem = shopper.questions(query).await.expect_problem(422);
        assert_eq!(problem.json()["detail"], "Error: invalid product_id provided", "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_has_no_questions_and_is_no_error() {
    let shopper = shared().await.shopper();
    for id in [9, 99_999, 9_007_199_254_740_991_i64] {
        let page = shopper.questions(&format!("product_id={id}")).await.expect(200).json();
        assert_eq!(page, json!({"product_id": id.to_string(), "results": []}));
    }
}
