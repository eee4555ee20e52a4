//! `projector stream backup`, `projector stream restore`, and the drill that proves both kinds of backups together.

use std::fs;
use std::path::Path;

use tests::{Load, Operator, Private, Said, catalogue, empty, review, stream_access, tables, with_catalogue};

async fn backup(operator: &Operator, place: &Path) -> Said {
    let place = place.display().to_string();
    operator.run("projector", ["stream", "backup", "--out", &place, "--json"]).await
}

async fn restore(operator: &Operator, place: &Path, more: &[&str]) -> Said {
    let place = place.display().to_string();
    let arguments = ["stream", "restore", "--from", &place, "--json"];
    operator.run("projector", arguments.iter().chain(more)).await
}

/// Starts nats-server anew, with a sync of each event or without.
async fn restart_nats(system: &Private, syncing: bool) {
    let nats = system.process("nats").clone();
    nats.stop().await;
    let file = system.data().nats().join("nats.conf");
    let (with, without) = ("    sync_interval: always", "    # sync_interval: always");
    let text = fs::read_to_string(&file).unwrap().replace(without, with);
    fs::write(&file, if syncing { text } else { text.replace(with, without) }).unwrap();
    nats.start().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_comes_back_from_its_backup_and_everybody_goes_on() {
    let system = with_catalogue("stream-backup", |options| options).await;
    let operator = system.operator();
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 4);
    load.more(50, tests::within(30)).await;
    let busy = system.place("busy");
    let taken = backup(&operator, &busy).await.expect_success().last_json();
    let tally = load.stop().await;
    assert_eq!(tally.failed, 0, "a backup disturbs nobody: {tally:?}");
    assert!(taken["events"].as_u64() > Some(50), "{taken}");

    system.ready().await;
    let place = system.place("backup");
    let taken = backup(&operator, &place).await.expect_success().last_json();
    let before = tables::equal(&system, taken["last"].as_i64().unwrap()).await;
    let there = restore(&operator, &place, &[]).await;
    let _refusal = there.expect_refusal(&["has a stream ATELIER", "only where there is none"]);

    stream_access::delete(&system).await;
    // The one that was taken earlier ends before the replicas do.
    let older = restore(&operator, &busy, &[]).await;
    let _refusal = older.expect_refusal(&["ends at", "replica a stands at", "newer backup"]);
    let archive = place.join("stream.tar.s2");
    let whole = fs::read(&archive).unwrap();
    for spoiled in [
        &whole[..whole.len() - 1],
        &[&whole[..whole.len() / 2], b"x", &whole[whole.len() / 2 + 1..]].concat(),
    ] {
        fs::write(&archive, spoiled).unwrap();
        let _refusal = restore(&operator, &place, &[]).await.expect_refusal(&["is damaged", "stream.tar.s2"]);
    }
    fs::write(&archive, &whole).unwrap();
    let _refusal = restore(&operator, &place, &[]).await.expect_refusal(&["sync_interval: always"]);
    restart_nats(&system, false).await;
    let _dry = restore(&operator, &place, &["--dry-run"]).await.expect_success();
    let restored = restore(&operator, &place, &[]).await.expect_success().last_json();
    assert_eq!((&restored["last"], &restored["events"]), (&taken["last"], &taken["events"]));
    restart_nats(&system, true).await;

    system.ready().await;
    let product = catalogue::spare_product().id;
    let written = system.shopper().post_review(&review(product)).await.expect(201);
    assert!(written.review_id() > before.position, "positions go on");
    let _all = tables::equal(&system, written.review_id()).await;
}

/// Everything is lost but two folders and the keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_drill_brings_a_system_back_from_a_stream_s_backup_and_a_snapshot() {
    let system = with_catalogue("drill", |options| options).await;
    let operator = system.operator();
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 4);
    load.more(40, tests::within(30)).await;
    let snapshot = system.place("snapshot");
    let place = snapshot.display().to_string();
    let _taken =
        operator.run("projector", ["snapshot", "--replica", "a", "--out", &place]).await.expect_success();
    load.more(40, tests::within(30)).await;
    let _tally = load.stop().await;
    system.ready().await;
    let stream = system.place("stream");
    let _saved = backup(&operator, &stream).await.expect_success();
    let lost = tables::equal(&system, 0).await;

    // Another machine: a server without a stream, and no replica that follows it.
    let other = empty("drill-elsewhere", |options| options).await;
    for process in other.processes().iter().filter(|process| process.name().starts_with("projector")) {
        process.stop().await;
    }
    stream_access::delete(&other).await;
    for key in ["sealing.key", "hashing.key"] {
        fs::copy(system.data().keys().join(key), other.data().keys().join(key)).unwrap();
    }
    let operator = other.operator();
    restart_nats(&other, false).await;
    let _restored = restore(&operator, &stream, &[]).await.expect_success();
    restart_nats(&other, true).await;
    let proven =
        operator.run("projector", ["snapshot", "verify", &place, "--against", "stream", "--json"]).await;
    let proven = proven.expect_success().last_json();
    assert_eq!(
        (proven["compared_at"].as_i64(), &proven["compared_with"]),
        (Some(lost.position), &"the stream".into())
    );
}
