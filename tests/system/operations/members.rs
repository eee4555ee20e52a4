//! `projector add` and `projector drop`: replicas come and go while everything serves.

mod elsewhere;
mod traffic;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use local::{Record, System};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::{Operator, Said, Shopper, eventually, review, tables, with_catalogue, within};
use tokio::process::Command;

use super::commands::{Terminal, free_port};
use traffic::Traffic;

/// Longer than a command may take that fills a replica on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// The spare products that writers of the first and of the second traffic take.
const PRODUCTS: [i64; 2] = [101, 131];

async fn typed(operator: &Operator, arguments: &[&str]) -> Said {
    finished(operator.command("projector", arguments)).await
}

async fn finished(mut command: Command) -> Said {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("the command ends in time").expect("the command runs");
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Names and states as `projector status` has them.
async fn states(operator: &Operator) -> Vec<(String, String)> {
    let status = operator.status().await.unwrap();
    let word = |replica: &Value, key: &str| replica[key].as_str().unwrap().to_owned();
    let replicas = status["replicas"].as_array().unwrap();
    replicas.iter().map(|replica| (word(replica, "name"), word(replica, "state"))).collect()
}

fn serving(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), "serving".to_owned())).collect()
}

/// The port of a process of a running system, while it is one of them.
fn port_of(system: &System, process: &str) -> Option<u16> {
    let record = Record::read(system.data()).unwrap();
    record.processes.iter().find(|running| running.name == process).map(|running| running.port)
}

/// Waits until nginx has asked a listener.
async fn is_asked(system: &System, port: u16) {
    let log = system.data().log("access");
    let upstream = format!("\"upstream\":\"127.0.0.1:{port}\"");
    eventually("nginx sends reads there", within(20), async || {
        let log = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        if log.contains(&upstream) { Ok(()) } else { Err(format!("{upstream} is not in its log")) }
    })
    .await;
}

/// Waits until these replicas stand at one position, and are equal there.
async fn are_equal(system: &System, names: &[&str]) {
    let all = eventually("all replicas stand at one position", within(60), async || {
        let mut all = Vec::new();
        for name in names {
            all.push(tables::read(system, name).await.map_err(|error| format!("{name}: {error}"))?);
        }
        let positions: Vec<i64> = all.iter().map(|tables| tables.position).collect();
        if positions.iter().all(|at| *at == positions[0]) { Ok(all) } else { Err(format!("{positions:?}")) }
    })
    .await;
    for (name, other) in names.iter().zip(&all).skip(1) {
        let difference = all[0].difference(other);
        assert_eq!(difference, None, "replica {name} differs from {} at {}", names[0], other.position);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_comes_and_another_goes_while_everything_serves() {
    let system = with_catalogue("members", |options| options).await;
    let (operator, shopper) = (system.operator(), system.shopper());
    let address = system.one_more_postgres("c").await.unwrap();
    let addition = ["add", "--replica", "c", "--database-url", &address];

    let planned = typed(&operator, &[&addition[..], &["--dry-run"]].concat()).await.expect_success();
    assert!(planned.out.contains("replica c is added"), "{planned:?}");
    assert_eq!(states(&operator).await, serving(&["a", "b"]), "a plan changes nothing");

    let traffic = Traffic::start(&system.url(), PRODUCTS[0]);
    let added = typed(&operator, &[&addition[..], &["--json"]].concat()).await.expect_success();
    assert_eq!(added.last_json()["kind"], "added", "{added:?}");
    assert_eq!(states(&operator).await, serving(&["a", "b", "c"]));
    is_asked(&system, port_of(&system, "reader-c").unwrap()).await;
    let before = traffic.writes();
    eventually("writes go on", within(30), async || {
        let more = traffic.writes() - before;
        if more > 200 { Ok(()) } else { Err(format!("{more} more")) }
    })
    .await;
    traffic.stop().await.expect_no_failure("an addition");
    are_equal(&system, &["a", "b", "c"]).await;
    a_writer_waits_for(&system, &shopper, "projector-c").await;

    let traffic = Traffic::start(&system.url(), PRODUCTS[1]);
    eventually("writes are under way", within(30), async || {
        if traffic.writes() > 200 { Ok(()) } else { Err(traffic.writes().to_string()) }
    })
    .await;
    let dropped = typed(&operator, &["drop", "--replica", "b", "--json"]).await.expect_success();
    let told = dropped.last_json();
    assert_eq!((&told["kind"], &told["data"]), (&"dropped".into(), &"left".into()), "{dropped:?}");
    assert_eq!(states(&operator).await, serving(&["a", "c"]));
    assert_eq!([port_of(&system, "reader-b"), port_of(&system, "projector-b")], [None, None]);
    traffic.stop().await.expect_no_failure("a drop");
    are_equal(&system, &["a", "c"]).await;
    assert!(tables::read(&system, "b").await.unwrap().position > 0, "its database is left as it is");

    let gone = typed(&operator, &["drop", "--replica", "c", "--with-data"]).await.expect_success();
    assert!(gone.out.contains("is removed"), "{gone:?}");
    let last = typed(&operator, &["drop", "--replica", "a"]).await;
    let _said = last.expect_refusal(&["replica a is the last one that serves"]);
    assert_eq!(states(&operator).await, serving(&["a"]));
    let written = shopper.post_review(&review(1)).await.expect(201);
    assert!(written.applied(), "the writer waits for nobody who is gone: {written:?}");

    let again = typed(&operator, &addition).await.expect_success();
    assert!(again.out.contains("replica c serves"), "{again:?}");
    are_equal(&system, &["a", "c"]).await;
}

/// While its projector stands still a write is not answered at once: not before the replica counts as gone.
async fn a_writer_waits_for(system: &System, shopper: &Shopper, projector: &str) {
    let warm = shopper.post_review(&review(PRODUCTS[0])).await.expect(201);
    assert!(warm.applied(), "{warm:?}");
    let came = system.came();
    let projector = came.iter().find(|process| process.name() == projector).unwrap();
    projector.pause();
    let began = Instant::now();
    let waited = shopper.post_review(&review(PRODUCTS[0])).await.expect(201);
    let took = began.elapsed();
    projector.resume();
    assert!(took > Duration::from_secs(1), "it was answered after {took:?}: {waited:?}");
    eventually("it is waited for again", within(20), async || {
        let states = states(&Operator::of(system)).await;
        if states.iter().all(|(_, state)| state == "serving") { Ok(()) } else { Err(format!("{states:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_added_is_refused_and_an_addition_that_was_killed_goes_on() {
    let system = with_catalogue("additions", |options| options).await;
    let operator = system.operator();
    let of_a = system.data().passwords("a");
    let of_a = of_a.to_str().unwrap();
    let add = async |name: &str, url: &str, more: &[&str]| {
        typed(&operator, &[&["add", "--replica", name, "--database-url", url][..], more].concat()).await
    };
    let on_a = |database: &str| {
        let url = system.postgres_url("a").unwrap();
        format!("postgres://{}", url.rsplit_once('@').unwrap().1.replace("/atelier", &format!("/{database}")))
    };
    let mut server = PgConnection::connect(&system.postgres_url("a").unwrap()).await.unwrap();
    for statement in ["create database full_one", "create database empty_one"] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server).await.unwrap();
    }
    let full = system.postgres_url("a").unwrap().replace("/atelier", "/full_one");
    let mut full = PgConnection::connect(&full).await.unwrap();
    sqlx::raw_sql("create table precious (id bigint)").execute(&mut full).await.unwrap();
    full.close().await.unwrap();

    let nowhere = format!("postgres://127.0.0.1:{}/atelier", free_port());
    let said = add("c", &nowhere, &["--passwords", of_a]).await;
    let _said = said.expect_refusal(&["replica c", &nowhere, "Nothing was changed"]);
    let said = add("c", &nowhere, &[]).await;
    let _said = said.expect_refusal(&["passwords/c/postgres"]);
    let said = add("c", &on_a("full_one"), &["--passwords", of_a]).await;
    let _said = said.expect_refusal(&["replica c", "not empty", "public.precious"]);
    let _said = add("c", &on_a("atelier"), &[]).await.expect_refusal(&["replica a has the database"]);
    let _said = add("b", &nowhere, &[]).await.expect_refusal(&["there is a replica b already"]);
    let _said = add("C c", &nowhere, &[]).await.expect_refusal(&["\"C c\"", "lower-case"]);
    let said = add("c", "postgres://me:secret@h/atelier", &[]).await;
    let said = said.expect_refusal(&["postgres://…@h/atelier", "password"]);
    assert!(!said.error.contains("secret"), "{said:?}");
    // Somebody else's server: to prepare it would change the passwords of the replica that lives there.
    let foreign = system.place("foreign");
    std::fs::create_dir_all(&foreign).unwrap();
    std::fs::copy(Path::new(of_a).join("postgres"), foreign.join("postgres")).unwrap();
    let said = add("c", &on_a("empty_one"), &["--passwords", foreign.to_str().unwrap()]).await;
    let _said = said.expect_refusal(&["atelier_owner already", "another replica lives there"]);

    assert_eq!(files(&system.data().pieces()), Vec::<PathBuf>::new(), "nothing is left behind");
    assert_eq!(files(&system.data().passwords("c")), Vec::<PathBuf>::new());
    assert_eq!(files(&foreign).len(), 1);
    assert_eq!(states(&operator).await, serving(&["a", "b"]));

    let address = system.one_more_postgres("c").await.unwrap();
    let addition = ["add", "--replica", "c", "--database-url", &address];
    let mut slow =
        operator.command("projector", [&addition[..], &["--max-rate", "20"]].concat()).spawn().unwrap();
    eventually("it is being filled", within(30), async || {
        let states = states(&operator).await;
        if states.contains(&("c".to_owned(), "filling".to_owned())) {
            Ok(())
        } else {
            Err(format!("{states:?}"))
        }
    })
    .await;
    slow.kill().await.unwrap();
    assert_eq!(port_of(&system, "projector-c"), None, "nothing of it runs");
    for role in ["atelier_owner", "atelier_projector", "atelier_reader", "atelier_writer"] {
        let file = std::fs::metadata(system.data().passwords("c").join(role));
        assert!(file.is_ok_and(|file| file.permissions().mode() & 0o777 == 0o600), "{role}");
    }
    let _said = add("c", &nowhere, &[]).await.expect_refusal(&["is being added with the database", &address]);
    let written = system.shopper().post_review(&review(1)).await.expect(201);
    assert!(written.applied(), "it is not waited for: {written:?}");
    let added = typed(&operator, &addition).await.expect_success();
    assert!(added.out.contains("goes on") && added.out.contains("replica c serves"), "{added:?}");
    are_equal(&system, &["a", "b", "c"]).await;
    let _said = typed(&operator, &addition).await.expect_refusal(&["there is a replica c already"]);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_came_and_went_are_so_after_the_next_start_too() {
    let terminal = Terminal::new("memory").await;
    let port = free_port().to_string();
    let up = ["--detach", "--sample", "20", "--port", &port];
    let _said = terminal.xtask("up", &up).await.expect_success();
    let offered = terminal.xtask("postgres", &["c"]).await.expect_success();
    let command = offered.out.lines().find(|line| line.contains("projector add")).unwrap().to_owned();
    let address = command.rsplit(' ').next().unwrap();
    let addition = ["projector", "add", "--replica", "c", "--database-url", address];
    let added = terminal.xtask("run", &addition).await.expect_success();
    assert!(added.out.contains("replica c serves"), "{added:?}");
    let dropped = terminal.xtask("run", &["projector", "drop", "--replica", "b"]).await.expect_success();
    assert!(dropped.out.contains("replica b is dropped"), "{dropped:?}");
    let _said = terminal.xtask("down", &[]).await.expect_success();

    let _said = terminal.xtask("up", &["--detach"]).await.expect_success();
    let status = terminal.status().await;
    let names: Vec<&str> = status["processes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|process| process["name"].as_str())
        .collect();
    for (name, there) in [("reader-a", true), ("reader-b", false), ("reader-c", true), ("projector-b", false)]
    {
        assert_eq!(names.contains(&name), there, "{name}: {names:?}");
    }
    let replicas = &status["replicas"]["replicas"];
    let replicas: Vec<(&Value, &Value)> =
        replicas.as_array().unwrap().iter().map(|replica| (&replica["name"], &replica["state"])).collect();
    let serving = Value::from("serving");
    assert_eq!(replicas, [(&Value::from("a"), &serving), (&Value::from("c"), &serving)]);
    let shopper = Shopper::at(format!("http://127.0.0.1:{port}"));
    let written = shopper.post_review(&review(1)).await.expect(201);
    assert!(shopper.review_ids(1, "newest").await.contains(&written.review_id()));
    let _said = terminal.xtask("down", &[]).await.expect_success();
}
