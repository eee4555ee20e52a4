//! What is kept of a damaged stream, and what an operator must decide when not all can be kept.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use contract::resources::interactions::InteractionRecorded;
use contract::{Event, Millis};
use tests::{Load, Private, catalogue, eventually, review, stream_access, tables, with_catalogue, within};

use super::{goes_on, rows, run};

fn store(system: &Private) -> PathBuf {
    system.data().nats().join("store/jetstream/$G/streams/ATELIER")
}

/// Files of events, oldest first.
fn blocks(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut blocks: Vec<_> = all.filter(|path| path.extension().is_some_and(|it| it == "blk")).collect();
    blocks.sort_by_key(|path| path.file_stem().and_then(|it| it.to_str()?.parse::<u64>().ok()));
    blocks
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            let _bytes = fs::copy(&path, &to).unwrap();
        }
    }
}

/// Large events, until the stream has a second file.
async fn fill(system: &Private) {
    let link = stream_access::link(system).await;
    let mut number = 0;
    while blocks(&store(system).join("msgs")).len() < 2 {
        for _ in 0..20 {
            number += 1;
            let event = Event::InteractionRecorded(InteractionRecorded {
                element: "x".repeat(100_000),
                widget: "fill".into(),
                time: number.to_string(),
            });
            let _placed = stream_access::publish(&link, &format!("fill-{number}"), Millis(0), &event).await;
        }
    }
}

/// One bit of the oldest file turns, and nats-server starts as after a crash.
async fn flip(system: &Private) {
    let nats = system.process("nats").clone();
    nats.stop().await;
    let block = blocks(&store(system).join("msgs")).swap_remove(0);
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&block).unwrap();
    let at = SeekFrom::Start(file.metadata().unwrap().len() / 3);
    let mut byte = [0];
    file.seek(at).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(at).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
    file.sync_all().unwrap();
    let _there_or_not = fs::remove_file(store(system).join("msgs/index.db"));
    nats.start().await.unwrap();
}

async fn stop_projectors(system: &Private) {
    for replica in system.replicas() {
        system.process(&format!("projector-{replica}")).stop().await;
    }
}

/// Starts them; one that refuses the stream is not ready, and stays so until it is recovered.
fn start_projectors(system: &Private) {
    for replica in system.replicas() {
        let projector = system.process(&format!("projector-{replica}")).clone();
        drop(tokio::spawn(async move { projector.start().await }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_and_can_still_be_read_is_applied_first() {
    let system = with_catalogue("recover-tail", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    fill(&system).await;
    let applied = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(&system, applied).await;
    stop_projectors(&system).await;
    let written = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    flip(&system).await;
    start_projectors(&system);
    eventually("the projectors refuse the stream", within(30), async || {
        let status = system.operator().status().await?.to_string();
        if status.matches("has a gap").count() >= 2 { Ok(()) } else { Err(status) }
    })
    .await;

    let plan = run(&system, &["recover", "--json"]).await.expect_success().last_json();
    assert_eq!(plan["behind"], 1, "{plan}");
    let said = run(&system, &["recover", "--yes"]).await.expect_success();
    assert!(said.error.contains("applied 1 events more"), "{said:?}");
    system.ready().await;
    assert_eq!(system.shopper().review_ids(product, "newest").await, [written, applied]);
    goes_on(&system, product).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_write_all_the_time_and_nothing_that_was_acknowledged_is_lost_or_doubled() {
    let system = with_catalogue("recover-load", |options| options).await;
    fill(&system).await;
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 4);
    load.more(50, within(30)).await;
    flip(&system).await;
    eventually("the projectors refuse the stream", within(30), async || {
        let status = system.operator().status().await?.to_string();
        if status.matches("has a gap").count() >= 2 { Ok(()) } else { Err(status) }
    })
    .await;
    let said = run(&system, &["recover", "--yes"]).await.expect_success();
    // No writer and no projector was started anew.
    load.more(50, within(60)).await;
    let tally = load.stop().await;
    system.ready().await;
    assert!(tally.failed > 0, "writes were refused meanwhile: {tally:?}; {said:?}");
    let _all = tally.is_all_there(&system).await;
    let _verified = run(&system, &["verify"]).await.expect_success();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_two_histories_went_on_an_operator_names_the_one_that_is_kept() {
    let system = with_catalogue("recover-ahead", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let both = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(&system, both).await;
    let behind = system.process("projector-b").clone();
    behind.stop().await;
    // A copy of the stream as it was, which takes the place of the stream later.
    let nats = system.process("nats").clone();
    nats.stop().await;
    let older = system.place("older");
    copy(&store(&system), &older);
    nats.start().await.unwrap();
    let mut lost = 0;
    for _ in 0..3 {
        lost = taken(&system, product).await;
    }
    eventually("replica a has it", within(30), async || match tables::position(&system, "a").await? {
        position if position >= lost => Ok(()),
        position => Err(position.to_string()),
    })
    .await;
    nats.stop().await;
    fs::remove_dir_all(store(&system)).unwrap();
    copy(&older, &store(&system));
    nats.start().await.unwrap();
    behind.start().await.unwrap();
    // A writer that has just been started remembers nothing.
    let writer = system.process("writer-1").clone();
    writer.stop().await;
    writer.start().await.unwrap();
    // Replica b goes on with what is written now, where replica a has something else.
    let other = taken(&system, product).await;
    eventually("replica b has it", within(30), async || match tables::position(&system, "b").await? {
        position if position >= other => Ok(()),
        position => Err(position.to_string()),
    })
    .await;
    assert!(other <= lost, "{other} and {lost}");

    let said = run(&system, &["recover", "--yes"]).await;
    let _refusal = said.expect_refusal(&["replica b", "follows the stream as it is", "--base NAME"]);
    let plan = run(&system, &["recover", "--base", "b", "--json"]).await.expect_success().last_json();
    assert_eq!(plan["lost"].as_array().unwrap().len(), 1, "{plan}");
    let held = rows(&system, "a").await;
    let said = run(&system, &["recover", "--base", "a", "--yes", "--json"]).await.expect_success();
    assert_eq!(said.last_json()["cloned"], serde_json::json!(["b"]), "{said:?}");
    system.ready().await;
    assert_eq!(rows(&system, "a").await, held);
    goes_on(&system, product).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_does_not_answer_is_left_out_by_name_and_made_anew_later() {
    let system = with_catalogue("recover-without", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let written = system.shopper().post_review(&review(product)).await.expect(201).review_id();
    let _equal = tables::equal(&system, written).await;
    let held = rows(&system, "a").await;
    // The settings of the stream are lost: nats-server says that there is none, and its files lie there.
    let nats = system.process("nats").clone();
    nats.stop().await;
    fs::write(store(&system).join("meta.inf"), "nonsense").unwrap();
    // It says that it is not well, as long as they lie there.
    let starting = tokio::spawn(async move { nats.start().await });
    let postgres = system.process("postgres-b").clone();
    postgres.stop().await;

    let url = system.nats_url();
    eventually("nats-server answers", within(30), async || {
        let address = url.trim_start_matches("nats://").to_owned();
        let connected = tokio::net::TcpStream::connect(address).await;
        connected.map(drop).map_err(|error| error.to_string())
    })
    .await;
    let said = run(&system, &["recover", "--yes"]).await;
    let _refusal = said.expect_refusal(&["replica b does not say where it stands", "--without b"]);
    let said = run(&system, &["recover", "--yes", "--without", "b"]).await.expect_success();
    assert!(said.error.contains("are copied as they lie there"), "{said:?}");
    let place = fs::read_dir(system.place("recovered")).unwrap().next().unwrap().unwrap().path();
    assert!(place.join("files/meta.inf").exists(), "{}", place.display());
    assert_eq!(blocks(&place.join("files/msgs")).len(), 1);
    assert_eq!(rows(&system, "a").await, held);
    starting.await.unwrap().unwrap();
    postgres.start().await.unwrap();
    refused_by(&system, "b").await;
    let _made = run(&system, &["rebuild", "--replica", "b", "--from", "replica:a"]).await.expect_success();
    system.ready().await;
    goes_on(&system, product).await;
}

/// The review that a shopper could write at last.
async fn taken(system: &Private, product: i64) -> i64 {
    eventually("a write is taken", within(30), async || {
        let answer = system.shopper().post_review(&review(product)).await;
        if answer.status == 201 { Ok(answer.review_id()) } else { Err(format!("{answer:?}")) }
    })
    .await
}

async fn refused_by(system: &Private, replica: &str) {
    eventually("it refuses the new life", within(30), async || {
        let status = system.operator().status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let stopped = replicas.iter().any(|it| it["name"] == replica && it["state"] == "stopped");
        if stopped { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}
