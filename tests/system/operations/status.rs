//! `projector status`: what it says of replicas that serve, stand still, hang, or are gone, in words.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Private, eventually, interaction, tables, with_catalogue, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// What is said of a replica once it is as expected.
async fn eventually_is(system: &Private, what: &str, number: usize, is: impl Fn(&Value) -> bool) -> Value {
    eventually(what, within(40), async || {
        let status = system.operator().status().await?;
        let replica = status["replicas"][number].clone();
        if is(&replica) { Ok(replica) } else { Err(replica.to_string()) }
    })
    .await
}

async fn table(system: &Private) -> String {
    let said = system.operator().run("projector", ["status"]).await.expect_success();
    let longest =
        said.out.lines().filter(|line| !line.contains("to mend")).map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{}", said.out);
    said.out
}

fn says(replica: &Value, field: &str, words: &str) -> bool {
    replica[field].as_str().is_some_and(|text| text.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_replica_s_state_is_told_with_its_reason_and_what_to_type() {
    let system = with_catalogue("status", |options| options).await;
    // Announcements come four times a second: a moment may hold one alone, which tells no rate.
    let _quiet = eventually_is(&system, "it applies nothing", 1, |it| it["events_per_second"] == 0.0).await;
    let status = system.operator().status().await.unwrap();
    assert_eq!(status["schema_version"], 1);
    for replica in status["replicas"].as_array().unwrap() {
        for (field, value) in [
            ("state", json!("serving")),
            ("behind_events", json!(0)),
            ("why", json!("")),
            ("mend", Value::Null),
            ("stalled", json!(false)),
            ("serving", json!(true)),
            ("generation", json!(1)),
            ("generation_source", json!("stream")),
            ("last_audit", Value::Null),
            ("rebuild", Value::Null),
            ("silent_seconds", Value::Null),
        ] {
            assert_eq!(replica[field], value, "{field} of {replica}");
        }
        assert!(
            replica["bytes"].as_i64() > Some(100_000) && replica["projection_version"].is_number(),
            "{replica}"
        );
    }
    let text = eventually("the stream is called quiet", within(30), async || {
        let text = table(&system).await;
        if text.matches("quiet").count() == 3 { Ok(text) } else { Err(text) }
    })
    .await;
    for part in ["head ", "serving", "nothing", "1 (v", "never", "yes", "MB"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("to mend"), "{text}");
    watched(&system).await;
    unread(&system).await;
    told_by_the_database(&system).await;
    silent(&system).await;
    stalled(&system).await;
}

async fn watched(system: &Private) {
    let mut watch = system.operator().command("projector", ["status", "--watch"]).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut pictures = 0;
    while pictures < 2 {
        let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
        let line = line.expect("a picture every two seconds").unwrap().expect("it goes on");
        assert!(!line.contains('\u{1b}'), "plain where there is no terminal: {line:?}");
        pictures += usize::from(line.starts_with("stream ATELIER, epoch "));
    }
    let interrupt = Command::new("kill").arg("-INT").arg(watch.id().unwrap().to_string()).status().await;
    assert!(interrupt.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), watch.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(0));
}

/// As with `| head`, which goes when it has read enough.
async fn unread(system: &Private) {
    let mut status = system.operator().command("projector", ["status"]).spawn().unwrap();
    drop(status.stdout.take());
    let ended = tokio::time::timeout(Duration::from_secs(20), status.wait_with_output()).await;
    let ended = ended.expect("it ends").unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Audits, and a rebuild that is under way.
async fn told_by_the_database(system: &Private) {
    let mut connection = tables::connect(system, "b").await.unwrap();
    let audit = "insert into control.audits values ('x', 1000000005, 'equal', now() - interval '5 minutes')";
    sqlx::raw_sql(AssertSqlSafe(audit.to_owned())).execute(&mut connection).await.unwrap();
    let replica =
        eventually_is(system, "the audit is told", 1, |it| it["last_audit"]["result"] == "equal").await;
    assert!(replica["last_audit"]["age_seconds"].as_f64() >= Some(300.0), "{replica}");
    assert!(table(system).await.contains("5 min ago"));
    sqlx::raw_sql("select pg_advisory_lock(hashtext('atelier rebuild'))")
        .execute(&mut connection)
        .await
        .unwrap();
    let replica = eventually_is(system, "the rebuild is told", 1, |it| it["rebuild"].is_object()).await;
    assert!(says(&replica, "why", "a rebuild, rollback or restore is under way"), "{replica}");
    sqlx::Connection::close(connection).await.unwrap();
    let _over = eventually_is(system, "the rebuild is over", 1, |it| it["why"] == "").await;
}

/// A projector that hangs, and one that is gone; its Postgres gone, too.
async fn silent(system: &Private) {
    let projector = system.process("projector-b");
    projector.pause();
    let hangs = eventually_is(system, "it hangs", 1, |it| says(it, "why", "it hangs")).await;
    assert_eq!((&hangs["state"], &hangs["serving"]), (&json!("unknown"), &json!(false)), "{hangs}");
    assert!(hangs["position"].is_number() && hangs["silent_seconds"].as_f64() > Some(0.0), "{hangs}");
    assert!(table(system).await.contains("unknown"));
    projector.resume();
    projector.stop().await;
    let gone = eventually_is(system, "it is gone", 1, |it| says(it, "why", "none runs")).await;
    assert!(says(&gone, "mend", "projector run --replica b"), "{gone}");
    system.process("postgres-b").stop().await;
    let gone = eventually_is(system, "its Postgres is gone", 1, |it| it["position"].is_null()).await;
    assert!(says(&gone, "why", "its Postgres: ") && gone["bytes"].is_null(), "{gone}");
    let text = table(system).await;
    assert!(text.lines().any(|line| line.contains('b') && line.matches("unknown").count() > 3), "{text}");
    system.process("postgres-b").start().await.unwrap();
    projector.start().await.unwrap();
    let _well = eventually_is(system, "it serves again", 1, |it| it["state"] == "serving").await;
}

/// A replica that has something to apply and does not is not like one that has nothing.
async fn stalled(system: &Private) {
    let mut connection = tables::connect(system, "b").await.unwrap();
    sqlx::raw_sql("begin; lock table checkpoint in share mode").execute(&mut connection).await.unwrap();
    let shopper = system.shopper();
    let request = shopper.request(Method::POST, "/interactions").header("prefer", "respond-async");
    let _written = shopper.send(request.json(&interaction())).await.expect(201);
    let stalled = eventually_is(system, "it stands still", 1, |it| it["stalled"] == true).await;
    assert!(stalled["behind_events"] == 1 && stalled["behind_seconds"].as_f64() > Some(3.0), "{stalled}");
    assert!(says(&stalled, "mend", "projector doctor") && !says(&stalled, "why", "nothing"), "{stalled}");
    let other = system.operator().status().await.unwrap()["replicas"][0].clone();
    assert_eq!(
        (&other["stalled"], &other["behind_events"]),
        (&json!(false), &json!(0)),
        "the stream is quiet"
    );
    sqlx::Connection::close(connection).await.unwrap();
    let well = eventually_is(system, "it goes on", 1, |it| it["state"] == "serving").await;
    assert_eq!((&well["stalled"], &well["behind_events"]), (&json!(false), &json!(0)));
}
