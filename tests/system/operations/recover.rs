//! `projector recover`: the stream was lost or damaged, and the shop goes on with all that the replicas hold.

mod damaged;

use std::time::Duration;

use contract::keyed_hash::{HashingKey, parse_key};
use contract::resources::interactions::InteractionRecorded;
use contract::{Epoch, Event, Millis, Position};
use reqwest::Method;
use serde_json::Value;
use sqlx::Row as _;
use stream::{Definition, Settings};
use tests::{
    Answer, Private, Said, catalogue, eventually, review, stream_access, tables, wire, with_catalogue, within,
};

/// Ids that are left out between two lives of the stream.
const LEFT_OUT: i64 = 1_000_000;
const ELSEWHERE: &str = "elsewhere234";

async fn run(system: &Private, arguments: &[&str]) -> Said {
    system.operator().run("projector", arguments).await
}

/// The stream is another one, as after `projector init` on an emptied server.
async fn recreate(system: &Private, epoch: &str) {
    stream_access::delete(system).await;
    let key = std::fs::read_to_string(system.data().keys().join("hashing.key")).unwrap();
    let definition = Definition {
        max_bytes: 1 << 30,
        duplicate_window: Duration::from_secs(120),
        epoch: epoch.parse().unwrap(),
        first: Position::FIRST,
        servers: 1,
        hashing_key: HashingKey::new(parse_key(&key).unwrap()).id(),
    };
    let settings = Settings {
        url: system.nats_url(),
        monitor_url: system.nats_monitor_url(),
        accept_acknowledgement_before_sync: false,
        hashing_key: None,
    };
    stream::create(&settings, &definition).await.unwrap();
}

/// A write is taken, all replicas apply it, and the stream accounts for everything.
async fn goes_on(system: &Private, product: i64) {
    let next = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(system, next).await;
    let _verified = run(system, &["verify"]).await.expect_success();
}

async fn epoch(system: &Private) -> Epoch {
    stream_access::link(system).await.epoch().clone()
}

/// Waits until every projector has refused the stream.
async fn refused(system: &Private) {
    eventually("every replica is stopped or silent", within(30), async || {
        let status = system.operator().status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let serving = replicas.iter().any(|replica| replica["state"] == "serving");
        if serving { Err(status.to_string()) } else { Ok(()) }
    })
    .await;
}

async fn post_keyed(system: &Private, key: &str, product: i64, summary: &str) -> Answer {
    let mut body = review(product);
    body["summary"] = summary.into();
    let shopper = system.shopper();
    let request = shopper.request(Method::POST, "/reviews").header("Idempotency-Key", key).json(&body);
    shopper.send(request).await
}

/// What a replica holds besides its place in the stream.
async fn rows(system: &Private, replica: &str) -> Vec<(String, Vec<String>)> {
    let tables = tables::read(system, replica).await.unwrap();
    tables.rows.into_iter().filter(|(table, _)| table != "checkpoint" && table != "event_counts").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_stream_begins_anew_with_what_the_replicas_hold_and_the_shop_goes_on() {
    let system = with_catalogue("recover-lost", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let first = post_keyed(&system, "kept", product, "the first").await.expect(201);
    let (written, old_token) = (first.review_id(), first.token());
    let _rebuilt = run(&system, &["rebuild", "--replica", "b", "--from", "stream"]).await.expect_success();
    system.ready().await;
    let before = tables::equal(&system, written).await;
    let held = rows(&system, "a").await;
    let _well = run(&system, &["recover", "--yes"]).await.expect_refusal(&["nothing to recover"]);

    stream_access::delete(&system).await;
    let plan = run(&system, &["recover"]).await.expect_success();
    assert!(plan.out.contains("nothing was changed") && plan.out.contains("no stream"), "{plan:?}");
    assert!(!system.place("recovered").exists(), "a plan writes nothing");
    assert_eq!(rows(&system, "a").await, held);
    let page = system.shopper().reviews(&format!("product_id={product}")).await.expect(200);
    assert_eq!(page.ids(), [written], "reads go on");

    let said = run(&system, &["recover", "--yes", "--json"]).await.expect_success();
    let done = said.last_json();
    assert_eq!((&done["kind"], &done["position"]), (&"done".into(), &before.position.into()), "{said:?}");
    system.ready().await;
    assert_eq!(rows(&system, "a").await, held, "nothing was lost");

    let mut other = review(product);
    other["summary"] = "after it".into();
    let next = system.shopper().post_review(&other).await.expect(201);
    assert!(next.applied(), "writers wait for the replicas again: {next:?}");
    assert!(next.review_id() > written + LEFT_OUT, "{next:?}");
    assert_ne!(next.token().epoch, old_token.epoch);
    // The key stays taken, by its body.
    let again = post_keyed(&system, "kept", product, "the first").await;
    assert_eq!((again.status, again.review_id()), (201, written), "{again:?}");
    let _other = post_keyed(&system, "kept", product, "another").await.expect_problem(422);
    // A token of the new life is met, one of the old life is ignored.
    let path = format!("/reviews?product_id={product}&sort=newest");
    let fresh = system.shopper().get_since(&path, &next.token()).await.expect(200);
    assert!(!fresh.stale() && fresh.ids().contains(&next.review_id()), "{fresh:?}");
    let stale = system.shopper().get_since(&path, &old_token).await.expect(200);
    assert!(stale.stale(), "{stale:?}");

    let _back = run(&system, &["rollback", "--replica", "b"]).await.expect_refusal(&["has ended"]);
    for verb in [&["verify"][..], &["audit"], &["doctor"]] {
        let _said = run(&system, verb).await.expect_success();
    }
    let verified = run(&system, &["verify", "--json"]).await.expect_success();
    let verified: Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!(verified["base"]["previous"], old_token.epoch.as_str(), "{verified}");
    for from in ["stream", "replica:b", "stream"] {
        let said =
            run(&system, &["rebuild", "--replica", "a", "--from", from, "--json"]).await.expect_success();
        assert!(said.last_json()["compared"].as_str().unwrap().starts_with("equal to replica b"), "{said:?}");
    }
    let _equal = tables::equal(&system, next.review_id()).await;
    let _verified = run(&system, &["verify"]).await.expect_success();
    let _healed = run(&system, &["audit", "--heal", "b", "--from", "stream"]).await.expect_success();
    let out = system.place("snapshot-after").display().to_string();
    let _taken = run(&system, &["snapshot", "--replica", "a", "--out", &out]).await.expect_success();
    let proof = ["snapshot", "verify", &out, "--against", "stream"];
    let _proven = run(&system, &proof).await.expect_success();
    let imported = system.operator().import(&system.place("catalogue")).await;
    let _refusal = imported.expect_refusal(&["begins with what a replica held"]);

    for replica in ["a", "b"] {
        let mut connection = tables::connect(&system, replica).await.unwrap();
        let query = "select outcome from control.operations where verb = 'recover' order by id";
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["done"]);
    }
    let _well = run(&system, &["recover", "--yes"]).await.expect_refusal(&["nothing to recover"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_refilled_beyond_the_checkpoints_is_saved_and_replaced() {
    let system = with_catalogue("recover-refilled", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let written = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let before = tables::equal(&system, written).await;
    let held = rows(&system, "a").await;
    let old = epoch(&system).await;
    recreate(&system, old.as_str()).await;
    let link = stream_access::link(&system).await;
    let mut last = 0;
    while last < before.position + 5 {
        let event = Event::InteractionRecorded(InteractionRecorded {
            element: "button".into(),
            widget: "refill".into(),
            time: format!("refill-{last}"),
        });
        let placed = stream_access::publish(&link, &format!("refill-{last}"), Millis(0), &event).await;
        last = placed.position.as_i64();
    }
    refused(&system).await;
    let status = system.operator().status().await.unwrap();
    assert!(status.to_string().contains("projector recover"), "what to do is said: {status}");
    let doctor = run(&system, &["doctor"]).await;
    assert!(doctor.out.contains("projector recover"), "{doctor:?}");

    // What fails before it is decided leaves everything as it was.
    let failed = run(&system, &["recover", "--yes", "--out", "/proc/nowhere"]).await;
    let _refusal = failed.expect_refusal(&["/proc/nowhere", "the stream is open again, as it was"]);
    let url = system.nats_url();
    let info = wire::request(&url, "$JS.API.STREAM.INFO.ATELIER", &Default::default(), b"").await;
    assert_eq!(info["config"]["subjects"], serde_json::json!(["atelier.v1.>"]));

    let done = run(&system, &["recover", "--yes", "--json"]).await.expect_success().last_json();
    assert_eq!(done["first"], last + LEFT_OUT, "{done}");
    system.ready().await;
    assert_eq!(rows(&system, "a").await, held);
    let saved = system.place("recovered").join(old.as_str());
    let manifest = std::fs::read_to_string(saved.join("stream/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["last"], last, "the old stream is saved: {manifest}");
    goes_on(&system, product).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_at_other_positions_are_made_from_the_most_advanced_one() {
    let system = with_catalogue("recover-unequal", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let one = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(&system, one).await;
    let behind = system.process("projector-a").clone();
    behind.stop().await;
    let two = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    eventually("replica b has it", within(30), async || match tables::position(&system, "b").await? {
        position if position >= two => Ok(()),
        position => Err(position.to_string()),
    })
    .await;
    let held = rows(&system, "b").await;
    recreate(&system, ELSEWHERE).await;
    let starting = tokio::spawn(async move { behind.start().await });
    refused(&system).await;
    let plan = run(&system, &["recover", "--dry-run", "--json"]).await.expect_success();
    let plan = plan.last_json();
    assert_eq!((&plan["base"], &plan["position"]), (&"b".into(), &two.into()), "{plan}");
    let parts: Vec<_> = plan["replicas"].as_array().unwrap().iter().map(|it| &it["part"]).collect();
    assert_eq!(parts, ["cloned", "base"]);

    let done = run(&system, &["recover", "--yes", "--json"]).await.expect_success().last_json();
    assert_eq!(done["cloned"], serde_json::json!(["a"]), "{done}");
    let _started_or_late = starting.await;
    system.ready().await;
    assert_eq!(rows(&system, "b").await, held);
    let next = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(&system, next).await;
    assert_eq!(system.shopper().review_ids(product, "newest").await, [next, two, one]);
    let _verified = run(&system, &["verify"]).await.expect_success();
    let _audited = run(&system, &["audit"]).await.expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_the_same_command_goes_on() {
    let system = with_catalogue("recover-killed", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let mut ids = Vec::new();
    for (number, point) in [
        "closed",
        "files saved",
        "snapshot taken",
        "decided",
        "deleted",
        "created",
        "announced",
        "adopted a replica",
        "opened",
    ]
    .into_iter()
    .enumerate()
    {
        let written = system.shopper().post_review(&review(product)).await.expect(201).review_id();
        ids.insert(0, written);
        let _equal = tables::equal(&system, written).await;
        recreate(&system, &format!("another{}2345", char::from(b'a' + u8::try_from(number).unwrap()))).await;
        let mut command = system.operator().command("projector", ["recover", "--yes"]);
        let died = command.env("ATELIER_DIE_AT", point).output().await.unwrap();
        let said = String::from_utf8_lossy(&died.stderr);
        assert_eq!(died.status.code(), None, "it reached {point:?}: {said}");
        let page = system.shopper().reviews(&format!("product_id={product}")).await.expect(200);
        assert_eq!(page.ids()[0], written, "reads go on after {point:?}");
        let plan = run(&system, &["recover"]).await.expect_success();
        assert!(plan.out.contains("nothing was changed"), "{plan:?}");
        let _said = run(&system, &["recover", "--yes"]).await.expect_success();
        system.ready().await;
        assert_eq!(system.shopper().review_ids(product, "newest").await, ids, "after {point:?}");
    }
    let _verified = run(&system, &["verify"]).await.expect_success();
    let _audited = run(&system, &["audit"]).await.expect_success();
}
