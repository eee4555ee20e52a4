//! `POST /interactions`

use serde_json::{Value, json};
use tests::{Answer, interaction, shared, tables};

/// What every replica holds of an interaction.
async fn kept(system: &local::System, answer: &Answer) -> Vec<(String, String, String)> {
    let mut kept = Vec::new();
    for replica in system.replicas() {
        let mut connection = tables::connect(system, replica).await.unwrap();
        let row = sqlx::query("select element, widget, time from interactions where id = $1");
        let row = row.bind(answer.token().position.as_i64()).fetch_one(&mut connection).await.unwrap();
        kept.push((sqlx::Row::get(&row, 0), sqlx::Row::get(&row, 1), sqlx::Row::get(&row, 2)));
    }
    kept
}

fn with(field: &str, value: Value) -> Value {
    let mut body = interaction();
    body[field] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interaction_is_201_and_kept_as_it_was_sent() {
    let system = shared().await;
    let body = json!({"element": "<button class=\"a\">\n\t\\ 👕</button>", "widget": "Überblick", "time": "1606146600000 "});
    let answer = system.shopper().post_interaction(&body).await.expect(201);
    assert!(answer.applied(), "{answer:?}");
    let text = |field: &str| body[field].as_str().unwrap().to_owned();
    let expected = (text("element"), text("widget"), text("time"));
    assert_eq!(kept(&system, &answer).await, [expected.clone(), expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_fields_are_required() {
    let shopper = shared().await.shopper();
    for (body, named) in [
        (json!({}), &["element", "widget", "time"][..]),
        (json!({"element": "e", "time": null}), &["widget", "time"]),
        (json!({"element": "", "widget": "", "time": ""}), &["element", "widget", "time"]),
        (with("element", json!("e".repeat(10_001))), &["element"]),
        (with("widget", json!("w".repeat(1_001))), &["widget"]),
        (with("time", json!("t".repeat(101))), &["time"]),
        (with("element", json!("a\0b")), &["element"]),
        (with("widget", json!("\0")), &["widget"]),
        (with("time", json!("12:00\0")), &["time"]),
        (with("time", json!({"hour": 5})), &["time"]),
    ] {
        let problem = shopper.post_interaction(&body).await.expect_problem(422);
        assert_eq!(problem.wrong_fields(), named, "{problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_fields_fit_and_a_time_may_be_a_number() {
    let system = shared().await;
    let shopper = system.shopper();
    let longest =
        json!({"element": "é".repeat(10_000), "widget": "👕".repeat(1_000), "time": "t".repeat(100)});
    let _recorded = shopper.post_interaction(&longest).await.expect(201);
    let answer = shopper.post_interaction(&with("time", json!(1_606_146_600_000_i64))).await.expect(201);
    assert_eq!(kept(&system, &answer).await[0].2, "1606146600000");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_interactions_over_http() {
    let shopper = shared().await.shopper();
    let problem = shopper.get("/interactions").await.expect_problem(405);
    assert_eq!(problem.header("allow"), Some("POST, OPTIONS"));
}
