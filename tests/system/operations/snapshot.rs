//! `projector snapshot`, `projector snapshot verify`, `projector restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tests::{Load, Operator, Private, Said, catalogue, eventually, review, tables, with_catalogue, within};
use tokio::process::Command;

async fn take(operator: &Operator, replica: &str, place: &Path) -> Said {
    let place = place.display().to_string();
    operator.run("projector", ["snapshot", "--replica", replica, "--out", &place, "--json"]).await
}

async fn verify(operator: &Operator, place: &Path, more: &[&str]) -> Said {
    let place = place.display().to_string();
    let arguments = ["snapshot", "verify", &place, "--json"];
    operator.run("projector", arguments.iter().chain(more)).await
}

async fn restore(operator: &Operator, replica: &str, place: &Path, more: &[&str]) -> Said {
    let place = place.display().to_string();
    let arguments = ["restore", "--replica", replica, "--from", &place];
    operator.run("projector", arguments.iter().chain(more)).await
}

/// The last line of a verb's JSON.
fn done(said: &Said) -> Value {
    let report = said.last_json();
    assert_eq!(report["kind"], "done", "{said:?}");
    report
}

/// Some of everything that shoppers write.
async fn written(system: &Private, number: usize) {
    let shopper = system.shopper();
    let product = catalogue::spare_product().id;
    for _ in 0..number {
        let review = shopper.post_review(&review(product)).await.expect(201);
        let _voted = shopper.vote(review.review_id()).await;
    }
}

async fn asked(system: &Private, replica: &str, statement: &str) -> Vec<String> {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Which schemas and scratch databases a replica has beside what serves.
async fn beside(system: &Private, replica: &str) -> Vec<String> {
    let statement = "select schema from control.generations where schema <> 'live' union all \
                     select datname::text from pg_database where datname = 'atelier_verify'";
    asked(system, replica, statement).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_private_proven_and_restored_while_everything_serves() {
    let system = with_catalogue("snapshot", |options| options).await;
    let operator = system.operator();
    written(&system, 20).await;
    let place = system.place("snapshots/first");
    let taken = done(&take(&operator, "a", &place).await.expect_success());
    assert_eq!(taken["rows"].as_i64(), Some(rows(&place)), "{taken}");

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&place.join("tables"))), (0o700, 0o700));
    for file in fs::read_dir(place.join("tables")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let again = take(&operator, "a", &place).await;
    let _refusal = again.expect_refusal(&["is there already"]);

    written(&system, 20).await;
    let proven = done(&verify(&operator, &place, &[]).await.expect_success());
    assert_eq!(
        (&proven["compared_with"], proven["events"].as_u64() >= Some(40)),
        (&"replica b".into(), true),
        "{proven}"
    );
    let alone =
        done(&verify(&operator, &place, &["--against", "stream", "--replica", "b"]).await.expect_success());
    assert_eq!(alone["compared_with"], "the stream", "{alone}");
    assert!(beside(&system, "a").await.is_empty() && beside(&system, "b").await.is_empty());
    let proofs = "select outcome from control.operations where verb = 'snapshot verify'";
    assert_eq!(asked(&system, "b", proofs).await, ["proven"]);

    let dry = restore(&operator, "b", &place, &["--dry-run"]).await.expect_success();
    assert!(dry.out.contains("restored") || dry.out.contains("snapshot"), "{dry:?}");
    assert!(beside(&system, "b").await.is_empty(), "a dry run changes nothing");
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 4);
    let restored = restore(&operator, "b", &place, &["--json"]).await.expect_success();
    let report = done(&restored);
    let tally = load.stop().await;
    assert_eq!(tally.failed, 0, "{tally:?}");
    assert_eq!((&report["replica"], report["rows"].as_i64()), (&"b".into(), Some(rows(&place))), "{report}");
    let source = asked(&system, "b", "select source from control.generations where schema = 'live'").await;
    assert_eq!(source, [format!("snapshot {}", place.display())]);
    let _everything = tally.is_all_there(&system).await;
    let all = tables::equal(&system, report["position"].as_i64().unwrap()).await;
    assert!(all.of("reviews").len() > 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_psql_reads_a_snapshot_and_a_difference_in_a_replica_fails_the_proof() {
    let system = with_catalogue("snapshot-psql", |options| options).await;
    let operator = system.operator();
    written(&system, 10).await;
    system.ready().await;
    let place = system.place("snapshot");
    let _taken = take(&operator, "a", &place).await.expect_success();

    let mut connection = tables::connect(&system, "b").await.unwrap();
    sqlx::raw_sql("create database scratch").execute(&mut connection).await.unwrap();
    let url = system.postgres_url("b").unwrap();
    let scratch = format!("{}/scratch", url.rsplit_once('/').unwrap().0);
    let psql = Command::new(system.components().postgres_bin.join("psql"))
        .args(["--no-psqlrc", "--quiet", "-f", "restore.sql", "-d", &scratch])
        .current_dir(&place)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(psql.status.success() && psql.stderr.is_empty(), "{psql:?}");
    let mut read = PgConnection::connect(&scratch).await.unwrap();
    sqlx::raw_sql("set search_path = snapshot").execute(&mut read).await.unwrap();
    let tables = asked(&system, "b", "select tablename::text from pg_tables where schemaname = 'live'").await;
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables.iter().filter(|table| *table != "_sqlx_migrations") {
        let row = if table == "checkpoint" { "(position, epoch, event_hash, clock)" } else { "it" };
        let statement = format!(
            "select md5(coalesce(string_agg({row}::text, E'\\n' order by {row}::text collate \"C\"), '')) from {table} it"
        );
        let hash = sqlx::query(AssertSqlSafe(statement.clone())).fetch_one(&mut read).await.unwrap();
        assert_eq!(asked(&system, "a", &statement).await, [hash.get::<String, _>(0)], "{table}");
    }

    let spoil = "update reviews set helpfulness = helpfulness + 1 where id = (select max(id) from reviews)";
    sqlx::raw_sql(spoil).execute(&mut connection).await.unwrap();
    let said = verify(&operator, &place, &[]).await;
    let _refusal = said.expect_refusal(&["differs from replica b", "table reviews in 1 of 256 buckets"]);
    assert!(beside(&system, "a").await.is_empty(), "the scratch database is removed");
    let _proven = verify(&operator, &place, &["--against", "stream"]).await.expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_foreign_is_refused_by_name_before_anything_is_touched() {
    let system = with_catalogue("snapshot-damaged", |options| options).await;
    let operator = system.operator();
    written(&system, 5).await;
    let place = system.place("snapshot");
    let _taken = take(&operator, "a", &place).await.expect_success();

    let reviews = place.join("tables/reviews.copy");
    let whole = fs::read(&reviews).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for spoiled in [&flipped[..], &whole[..whole.len() - 1], &[]] {
        fs::write(&reviews, spoiled).unwrap();
        refused(&system, &place, &["is damaged", "tables/reviews.copy"]).await;
    }
    fs::remove_file(&reviews).unwrap();
    refused(&system, &place, &["tables/reviews.copy is missing"]).await;
    fs::write(&reviews, &whole).unwrap();

    let manifest = fs::read_to_string(place.join("manifest.json")).unwrap();
    let sums = fs::read_to_string(place.join("SHA256SUMS")).unwrap();
    fs::write(place.join("manifest.json"), manifest.replacen("\"position\": 1", "\"position\": 2", 1))
        .unwrap();
    refused(&system, &place, &["is damaged", "manifest.json"]).await;
    fs::remove_file(place.join("SHA256SUMS")).unwrap();
    refused(&system, &place, &["is not whole"]).await;

    let read: Value = serde_json::from_str(&manifest).unwrap();
    let text = |name: &str| read[name].as_str().unwrap().to_owned();
    let hash = text("event_hash");
    let another = if hash.starts_with('0') { hash.replacen('0', "1", 1) } else { format!("0{}", &hash[1..]) };
    for (change, to, naming) in [
        (text("epoch"), "abcdefgh2345".to_owned(), ["epoch abcdefgh2345", "another life of the stream"]),
        (hash, another, ["another event", "another history"]),
        (text("hashing_key"), "zzzzzzzz".to_owned(), ["hashing key zzzzzzzz", "keys.hashing"]),
        (
            read["position"].to_string(),
            "1900000000".to_owned(),
            ["stands at 1900000000", "the stream ends at"],
        ),
        (
            "\"projection_version\": ".to_owned(),
            "\"projection_version\": 9".to_owned(),
            ["projection version 9", "this binary has"],
        ),
        (
            "\"migrations\": [".to_owned(),
            "\"migrations\": [0,".to_owned(),
            ["has tables of migration", "that wrote it"],
        ),
        (
            "\"schema_version\": 1".to_owned(),
            "\"schema_version\": 2".to_owned(),
            ["form 2", "use the projector that wrote it"],
        ),
    ] {
        let changed = manifest.replacen(&change, &to, 1);
        assert_ne!(changed, manifest, "{change}");
        signed(&place, &changed, &manifest, &sums);
        refused(&system, &place, &naming).await;
    }
    signed(&place, &manifest, &manifest, &sums);
    let _restored = restore(&operator, "b", &place, &[]).await.expect_success();
    system.ready().await;
}

/// Both verbs refuse it in these words; no generation and no database was begun.
async fn refused(system: &Private, place: &Path, naming: &[&str]) {
    let operator = system.operator();
    let _refusal = restore(&operator, "b", place, &[]).await.expect_refusal(naming);
    let _refusal = verify(&operator, place, &[]).await.expect_refusal(naming);
    assert!(beside(system, "a").await.is_empty() && beside(system, "b").await.is_empty());
    assert_eq!(system.shopper().meta(2).await.status, 200);
}

/// Puts a manifest there with its right checksum, as somebody would who wrote it.
fn signed(place: &Path, manifest: &str, before: &str, sums: &str) {
    let hash = |text: &str| HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    fs::write(place.join("manifest.json"), manifest).unwrap();
    fs::write(place.join("SHA256SUMS"), sums.replace(&hash(before), &hash(manifest))).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_broken_off_is_never_taken_for_a_snapshot_and_leaves_its_replica_alone() {
    let system = with_catalogue("snapshot-killed", |options| options).await;
    let operator = system.operator();
    let place = system.place("snapshot");
    let beside_it = system.place("snapshot.incomplete");
    let arguments = ["snapshot", "--replica", "a", "--out", &place.display().to_string()];
    let mut taking = operator.command("projector", arguments).spawn().unwrap();
    eventually("it has begun", within(20), async || {
        if beside_it.exists() || place.exists() { Ok(()) } else { Err("nothing is there".to_owned()) }
    })
    .await;
    taking.kill().await.unwrap();
    if beside_it.exists() {
        assert!(!place.exists());
        let _refusal =
            take(&operator, "a", &place).await.expect_refusal(&["snapshot.incomplete", "remove it"]);
        let _refusal = verify(&operator, &beside_it, &[]).await.expect_refusal(&["is not whole"]);
        fs::remove_dir_all(&beside_it).unwrap();
    } else {
        // It was faster than we.
        fs::remove_dir_all(&place).unwrap();
    }
    let _taken = take(&operator, "a", &place).await.expect_success();

    // A proof that is killed leaves its database, and the next one removes it.
    let arguments = ["snapshot", "verify", &place.display().to_string()];
    let mut proving = operator.command("projector", arguments).spawn().unwrap();
    eventually("its database is there", within(20), async || {
        if beside(&system, "a").await.is_empty() { Err("it is not".to_owned()) } else { Ok(()) }
    })
    .await;
    proving.kill().await.unwrap();
    let _proven = verify(&operator, &place, &[]).await.expect_success();
    assert!(beside(&system, "a").await.is_empty());
}

/// As its files have them.
fn rows(place: &Path) -> i64 {
    let files = fs::read_dir(place.join("tables")).unwrap();
    let lines = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap().lines().count());
    i64::try_from(lines.sum::<usize>()).unwrap()
}
