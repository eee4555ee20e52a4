//! `projector doctor`: on a healthy system everything passes; each thing that breaks is named, with what mends it, and
//! what depends on it is skipped.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::{Private, Said, eventually, interaction, tables, wire, with_catalogue, within};
use tokio::process::Command;

use super::commands::checkout;

/// Everything that is compared with the stream.
const PLACE: [&str; 5] = ["epoch", "position", "event", "projector", "distance"];

struct Seen {
    said: Said,
    report: Value,
}

impl Seen {
    /// The names of the checks that ended so.
    fn named(&self, outcome: &str) -> Vec<String> {
        let checks = self.report["checks"].as_array().unwrap().iter();
        let ended = checks.filter(|check| check["outcome"] == outcome);
        ended.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    }

    fn mend(&self, name: &str) -> &str {
        let checks = self.report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        check["mend"].as_str().unwrap_or_else(|| panic!("{name} names nothing that mends it: {check}"))
    }
}

async fn doctor(system: &Private, more: &[&str]) -> Seen {
    let said = system.operator().run("projector", ["doctor", "--json"].iter().chain(more)).await;
    let report = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    Seen { said, report }
}

/// Exactly this check fails, exactly these are skipped, and what mends it is named.
async fn fails(system: &Private, name: &str, skipped: &[String], mend: &str) -> Seen {
    let seen = doctor(system, &[]).await;
    assert_eq!(seen.named("fail"), [name], "{:#}", seen.report);
    assert_eq!(seen.named("skipped"), skipped, "{:#}", seen.report);
    assert_eq!(seen.named("warn"), Vec::<String>::new(), "{:#}", seen.report);
    assert!(seen.mend(name).contains(mend), "{:#}", seen.report);
    assert!(seen.said.code == Some(1) && seen.said.error.contains("1 check failed"), "{:?}", seen.said);
    seen
}

/// All is well again, by and by: a projector that was started says so only after a moment.
async fn well(system: &Private) {
    eventually("the doctor finds nothing", within(60), async || {
        let seen = doctor(system, &["--strict"]).await;
        if seen.said.code == Some(0) { Ok(()) } else { Err(format!("{:#}", seen.report)) }
    })
    .await;
}

async fn sql(system: &Private, replica: &str, statement: &str) {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
    let _done = done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Runs a command as it was told, with Postgres's tools and `projector` at hand.
async fn type_in(system: &Private, command: &str) {
    let tools = system.components().postgres_bin.display();
    let binaries = system.binaries().display();
    let path = format!("{tools}:{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    let command = command.replace("; then ", " && ");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(&command).env("PATH", path).env("ATELIER_CONFIG", system.config_path());
    let output = shell.output().await.unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

fn of(replica: &str, checks: &[&str]) -> Vec<String> {
    checks.iter().map(|check| format!("replica.{replica}.{check}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_healthy_system_everything_passes_and_nothing_is_changed() {
    let system = with_catalogue("doctor-well", |options| options).await;
    let (position, before) =
        (tables::position(&system, "a").await, tables::read(&system, "a").await.unwrap());
    let seen = doctor(&system, &["--strict"]).await;
    let all = seen.report["checks"].as_array().unwrap().len();
    assert_eq!(seen.named("pass").len(), all, "{:#}", seen.report);
    assert_eq!((seen.said.code, seen.said.error.as_str()), (Some(0), ""));
    assert_eq!(seen.report["schema_version"], 1);
    assert_eq!((&seen.report["outcome"], &seen.report["pass"]), (&json!("pass"), &json!(all)));
    assert!(all > 40, "{all}");

    let page = fs::read_to_string(checkout().join("docs/doctor.md")).unwrap();
    for name in seen.named("pass") {
        let name = name.replace("replica.a.", "replica.NAME.").replace("replica.b.", "replica.NAME.");
        assert!(page.contains(&format!("`{name}`")), "docs/doctor.md does not tell of {name}");
    }
    let said = system.operator().run("projector", ["doctor"]).await.expect_success();
    assert!(said.out.contains("stream.gaps") && !said.out.contains("To mend"), "{said:?}");

    assert_eq!(tables::position(&system, "a").await, position);
    let after = tables::read(&system, "a").await.unwrap();
    assert_eq!(before.difference(&after), None);
    assert_eq!(doctor(&system, &[]).await.named("pass").len(), all, "it changed nothing that it looks at");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_is_named_with_what_mends_it_and_what_depends_on_it_is_skipped() {
    let system = with_catalogue("doctor", |options| options).await;
    let healthy = doctor(&system, &["--strict"]).await;
    assert_eq!(healthy.said.code, Some(0), "{:#}", healthy.report);
    files(&system).await;
    schema(&system).await;
    roles(&system).await;
    places(&system).await;
    servers(&system, &healthy).await;
    settings(&system).await;
}

async fn files(system: &Private) {
    let mode = |file: &Path, mode| fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    let hashing = system.data().keys().join("hashing.key");
    mode(&hashing, 0o644);
    let skipped = ["stream.hashing-key".to_owned()];
    let seen = fails(system, "machine.hashing-key", &skipped, "chmod 600").await;
    type_in(system, seen.mend("machine.hashing-key")).await;
    let sealing = system.data().keys().join("sealing.key");
    mode(&sealing, 0o640);
    let seen = fails(system, "machine.sealing-key", &[], "chmod 600").await;
    type_in(system, seen.mend("machine.sealing-key")).await;

    mode(&system.data().passwords("a").join("atelier_reader"), 0o644);
    let rest = ["connection", "version", "clock", "disk", "roles", "tables", "grants", "sealed", "indexes"];
    let rest = [&rest[..], &["checkpoint", "projection"], &PLACE].concat();
    let seen = fails(system, "replica.a.passwords", &of("a", &rest), "chmod 600").await;
    type_in(system, seen.mend("replica.a.passwords")).await;
    well(system).await;
}

async fn schema(system: &Private) {
    sql(system, "b", "drop index reviews_newest").await;
    let seen = fails(system, "replica.b.indexes", &[], "create index reviews_newest on live.reviews").await;
    type_in(system, seen.mend("replica.b.indexes")).await;
    sql(system, "b", "update pg_index set indisvalid = false where indexrelid = 'reviews_helpful'::regclass")
        .await;
    let seen = fails(system, "replica.b.indexes", &[], "reindex index live.reviews_helpful").await;
    type_in(system, seen.mend("replica.b.indexes")).await;
    sql(system, "b", "alter table cart_lines drop constraint cart_lines_pkey").await;
    let seen = fails(system, "replica.b.indexes", &[], "add constraint cart_lines_pkey primary key").await;
    type_in(system, seen.mend("replica.b.indexes")).await;
    well(system).await;

    sql(system, "b", "alter table legacy_cart_lines rename to elsewhere").await;
    let rest = [&["grants", "sealed", "indexes", "checkpoint", "projection"][..], &PLACE].concat();
    let _seen = fails(system, "replica.b.tables", &of("b", &rest), "drop database").await;
    sql(system, "b", "alter table elsewhere rename to legacy_cart_lines").await;
    well(system).await;
}

async fn roles(system: &Private) {
    sql(system, "a", "revoke select on catalogue from atelier_reader").await;
    let seen = fails(system, "replica.a.grants", &[], "projector init").await;
    type_in(system, seen.mend("replica.a.grants")).await;
    sql(system, "a", "grant select on reviews to atelier_writer").await;
    let seen = fails(system, "replica.a.sealed", &[], "revoke select on live.reviews").await;
    type_in(system, seen.mend("replica.a.sealed")).await;
    well(system).await;
    sql(system, "a", "alter role atelier_writer superuser").await;
    let _seen = fails(system, "replica.a.roles", &of("a", &["grants", "sealed"]), "nosuperuser").await;
    sql(system, "a", "alter role atelier_writer nosuperuser nologin").await;
    let seen = fails(system, "replica.a.roles", &of("a", &["grants", "sealed"]), "projector init").await;
    type_in(system, seen.mend("replica.a.roles")).await;
    well(system).await;
}

/// The projector would notice some of this too, and must not mend or worsen it meanwhile.
async fn places(system: &Private) {
    system.process("projector-a").stop().await;
    let seen = fails(system, "replica.a.projector", &[], "projector run --replica a").await;
    assert!(seen.named("pass").contains(&"replica.a.distance".to_owned()));
    for (change, name, skipped, mend) in [
        ("epoch = 'aaaaaaaaaaaa'", "epoch", &PLACE[1..], "stream-recreated.md"),
        ("position = position + 1000", "position", &PLACE[2..], "stream-damaged.md"),
        ("event_hash = '\\x00'", "event", &PLACE[3..], "stream-damaged.md"),
        ("projection_version = 1", "projection", &PLACE[3..4], "drop database"),
    ] {
        sql(system, "a", "create table kept as select * from checkpoint").await;
        sql(system, "a", &format!("update checkpoint set {change}")).await;
        let seen = doctor(system, &[]).await;
        assert_eq!(seen.named("fail"), of("a", &[name]), "{:#}", seen.report);
        assert_eq!(seen.named("skipped"), of("a", skipped), "{:#}", seen.report);
        assert!(seen.mend(&format!("replica.a.{name}")).contains(mend), "{:#}", seen.report);
        sql(system, "a", "truncate checkpoint; insert into checkpoint select * from kept; drop table kept")
            .await;
    }
    sql(system, "a", "create table kept as select * from checkpoint; truncate checkpoint").await;
    let rest = [&["projection"][..], &PLACE].concat();
    let _seen = fails(system, "replica.a.checkpoint", &of("a", &rest), "projector init").await;
    sql(system, "a", "insert into checkpoint select * from kept; drop table kept").await;
    system.process("projector-a").start().await.unwrap();
    well(system).await;
}

async fn servers(system: &Private, healthy: &Seen) {
    let all = healthy.named("pass");
    system.process("postgres-a").stop().await;
    let rest: Vec<String> = all
        .iter()
        .filter(|name| name.starts_with("replica.a."))
        .filter(|name| !["replica.a.passwords", "replica.a.connection"].contains(&name.as_str()))
        .cloned()
        .collect();
    let _seen = fails(system, "replica.a.connection", &rest, "start Postgres").await;
    system.process("postgres-a").start().await.unwrap();
    well(system).await;

    system.process("nats").stop().await;
    let needs_it = |name: &&String| {
        let place = PLACE.iter().any(|check| name.ends_with(&format!(".{check}")));
        name.starts_with("server.") || name.starts_with("stream.") || name.starts_with("replica.") && place
    };
    let rest: Vec<String> =
        all.iter().filter(needs_it).filter(|name| *name != "server.connection").cloned().collect();
    let _seen = fails(system, "server.connection", &rest, "start nats-server").await;
    system.process("nats").start().await.unwrap();
    well(system).await;
}

async fn settings(system: &Private) {
    let shopper = system.shopper();
    let _written = shopper.post_interaction(&interaction()).await.expect(201);
    // A projector notices only with this that its Postgres was started anew.
    well(system).await;
    let ask = async |what: &str, payload: String| {
        let subject = format!("$JS.API.STREAM.{what}.ATELIER");
        wire::request(&system.nats_url(), &subject, &BTreeMap::new(), payload.as_bytes()).await
    };
    let info = ask("INFO", String::new()).await;
    let (config, bytes) = (&info["config"], info["state"]["bytes"].as_i64().unwrap());
    let update = async |key: &str, value: Value| {
        let mut config = config.clone();
        config[key] = value;
        let answer = ask("UPDATE", config.to_string()).await;
        assert_eq!(answer["config"]["name"], "ATELIER", "{answer}");
    };

    update("max_bytes", json!(bytes * 10 / 9)).await;
    let seen = doctor(system, &[]).await;
    assert_eq!((seen.named("warn"), seen.said.code), (vec!["stream.room".to_owned()], Some(0)));
    assert!(seen.mend("stream.room").contains("--max-bytes="));
    assert_eq!(doctor(system, &["--strict"]).await.said.code, Some(1), "strict: a warning fails");
    update("max_bytes", json!(bytes)).await;
    let _seen = fails(system, "stream.room", &[], "--max-bytes=").await;

    update("discard", json!("old")).await;
    let place = |replica| of(replica, &PLACE);
    let skipped = [vec!["stream.epoch".to_owned()], place("a"), place("b")].concat();
    let seen = fails(system, "stream.settings", &skipped, "nats stream edit ATELIER").await;
    assert!(seen.report.to_string().contains("drops old events when it is full"), "{:#}", seen.report);
    update("max_bytes", config["max_bytes"].clone()).await;
    well(system).await;
}
