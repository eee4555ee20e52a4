//! `projector verify`: the stream's events by type are what each replica has counted, and nothing is missing.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Private, Random, Story, stream_access, tables, with_catalogue};

async fn sql(system: &Private, replica: &str, statement: &str) {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
    let _done = done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn verify(system: &Private) -> (Value, Option<i32>) {
    let said = system.operator().run("projector", ["verify", "--json"]).await;
    let report = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    (report, said.code)
}

/// What differs, in words.
fn differences(report: &Value) -> Vec<String> {
    let all = report["differences"].as_array().unwrap();
    all.iter()
        .map(|one| format!("{}: {}", one["replica"].as_str().unwrap_or("stream"), one["what"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_replica_has_counted_is_what_the_stream_holds_and_a_doctored_counter_is_found() {
    let system = with_catalogue("verify", |options| options).await;
    let link = stream_access::link(&system).await;
    let mut random = Random::announced("verify");
    let mut story = Story::new(&mut random);
    let mut last = 0;
    for number in 0..300 {
        let (envelope, event) = story.next(number);
        let placed = stream_access::publish_enveloped(&link, &envelope, &event).await;
        last = placed.position.as_i64().max(last);
        story.remember(placed.position.as_i64(), &event);
    }
    let tables = tables::equal(&system, last).await;
    let before = tables.hashes();
    let (report, code) = verify(&system).await;
    assert_eq!((code, differences(&report)), (Some(0), vec![]), "{report:#}");
    assert_eq!((&report["missing"], &report["gaps"]), (&json!(0), &json!([])));
    let (first, head) = (report["first"].as_i64().unwrap(), report["head"].as_i64().unwrap());
    assert_eq!(report["events"].as_i64().unwrap(), head - first + 1);
    let mut rejected = 0;
    for row in report["replicas"][0]["types"].as_array().unwrap() {
        let number = |field: &str| row[field].as_i64().unwrap();
        let sum: i64 = ["applied", "no_ops", "rejected", "parked", "ignored"].map(number).iter().sum();
        assert_eq!((number("stream"), number("events")), (sum, sum), "{row}");
        rejected += number("rejected");
    }
    assert_eq!(rejected as usize, tables.of("rejections").len());
    let said = system.operator().run("projector", ["verify"]).await.expect_success();
    for part in ["no gaps", "replica a at", "review.created", "catalogue.chunk", "everything in the stream"] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert_eq!(tables::read(&system, "a").await.unwrap().hashes(), before, "it changed nothing");

    let doctored = "update event_counts set events = events + 1 where event_type = 'question.created'";
    sql(&system, "b", doctored).await;
    let (report, code) = verify(&system).await;
    let found = differences(&report);
    assert!(code == Some(1) && found.len() == 1, "{found:?}");
    assert!(
        found[0].starts_with("b: ") && found[0].contains("events question.created, and the stream has"),
        "{found:?}"
    );
    let said = system.operator().run("projector", ["verify"]).await.expect_refusal(&["1 difference"]);
    assert!(said.out.contains("to mend: projector rebuild --replica b --from stream"), "{}", said.out);
    sql(&system, "b", "update event_counts set events = events - 1 where event_type = 'question.created'")
        .await;

    sql(&system, "a", "delete from rejections where position = (select min(position) from rejections)").await;
    let (report, code) = verify(&system).await;
    assert!(code == Some(1) && differences(&report)[0].contains("as rejected"), "{report:#}");

    system.process("postgres-b").stop().await;
    let (report, code) = verify(&system).await;
    assert_eq!(code, Some(1));
    assert!(differences(&report).iter().any(|it| it.starts_with("b: ") && it.contains("could not be asked")));
    system.process("postgres-b").start().await.unwrap();
}
