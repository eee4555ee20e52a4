//! A stream that cannot store: full by its own limit, or on a full disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::{Answer, Shopper, empty, eventually, interaction, within};
use tokio::time::timeout;

/// How soon a writer must have noticed that nats-server stores nothing.
const NOTICED: Duration = Duration::from_secs(5);
/// A write that takes longer waits for a server that does not store.
const LONG: Duration = Duration::from_millis(500);
/// A disk of 48 MB has more room than that, and less when it is full.
const BALLAST: usize = 1 << 20;

/// A small disk at a folder; taken off when it is dropped, also while it is in use.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> SmallDisk {
        fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=48m,mode=0755", "tests"]).arg(folder);
        assert!(mount.status().unwrap().success(), "root may mount");
        SmallDisk(folder.to_owned())
    }

    /// Fills it to the last byte; the file is to be removed.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut file = File::create(&path).unwrap();
        let mut size = BALLAST;
        while size > 0 {
            if file.write_all(&vec![0; size]).is_err() {
                size /= 2;
            }
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _taken_off = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// An event of some size, written without waiting for replicas.
async fn write(shopper: &Shopper, size: usize) -> Answer {
    let mut body = interaction();
    body["element"] = json!("x".repeat(size));
    let request = shopper.request(Method::POST, "/interactions").header("prefer", "respond-async");
    shopper.send(request.json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_at_its_max_bytes_refuses_writes_in_words_and_reads_go_on() {
    let system =
        empty("max-bytes", |options| options.with_environment("init", "ATELIER_STREAM_MAX_BYTES", "20000"))
            .await;
    let shopper = system.shopper();
    let mut stored = 0;
    let full = eventually("the stream is full", within(30), async || {
        let answer = write(&shopper, 200).await;
        if answer.status == 201 {
            stored += 1;
            return Err(format!("{stored} are stored"));
        }
        Ok(answer)
    })
    .await
    .expect_problem(503);
    assert!(stored > 5, "{stored}");
    assert_eq!(full.json()["type"], "/problems/stream-full", "{full:?}");
    assert!(full.body.contains("nothing was stored") && full.body.contains("max_bytes"), "{full:?}");
    assert!(full.header("retry-after").is_some(), "{full:?}");
    let _page = shopper.get("/problems/stream-full").await.expect(200);
    let _read = shopper.products("count=1").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "a test that was not run must say so")]
async fn a_full_disk_is_noticed_within_five_seconds_and_heals_when_there_is_space() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root may mount a small disk");
        return;
    }
    let mut disk = None;
    let system = empty("full-disk", |options| {
        disk = Some(SmallDisk::mount(&options.data.join("nats/store")));
        // The stream's own limit must not come first.
        options.with_environment("init", "ATELIER_STREAM_MAX_BYTES", "1000000000")
    })
    .await;
    let disk = disk.expect("the options were changed");
    let shopper = system.shopper();
    let before = write(&shopper, 10).await.expect(201).token();
    let ballast = disk.fill();

    // What is on its way when the disk fills up has no answer for long.
    let frozen = eventually("nats-server stores nothing", within(60), async || {
        let started = Instant::now();
        match timeout(LONG, write(&shopper, 200)).await {
            Ok(answer) if answer.status == 201 => Err(format!("{answer:?}")),
            _ => Ok(started),
        }
    })
    .await;
    let answer =
        eventually("the writer says why", NOTICED.saturating_sub(frozen.elapsed()), async || match timeout(
            LONG,
            write(&shopper, 10),
        )
        .await
        {
            Ok(answer) if answer.json()["type"] == "/problems/stream-unhealthy" => Ok(answer),
            other => Err(format!("{other:?}")),
        })
        .await
        .expect_problem(503);
    println!("noticed after {:?}: {}", frozen.elapsed(), answer.body);
    assert!(answer.body.contains("no space left on device"), "{answer:?}");
    assert!(
        answer.body.contains("nothing was stored") && answer.header("retry-after").is_some(),
        "{answer:?}"
    );
    assert!(!answer.body.contains(system.data().root().to_str().unwrap()), "paths are nobody's business");
    let started = Instant::now();
    let _refused = write(&shopper, 10).await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(1), "it fails fast: {:?}", started.elapsed());
    let _page = shopper.get("/problems/stream-unhealthy").await.expect(200);
    let _read = shopper.products("count=1").await.expect(200);
    let said = system.operator().run("projector", ["doctor"]).await;
    assert!(said.out.contains("server.health") && said.out.contains("no space left on device"), "{said:?}");
    assert_eq!(system.process("nats").restarts(), 0, "without space a new start would not help");

    fs::remove_file(ballast).unwrap();
    let after = eventually("it heals without hands", within(30), async || {
        let answer = write(&shopper, 10).await;
        if answer.status == 201 { Ok(answer.token()) } else { Err(answer.body) }
    })
    .await;
    assert_eq!(system.process("nats").restarts(), 1);
    assert!(after.epoch == before.epoch && after.position > before.position, "{before} {after}");
    tests::tables::equal(&system, after.position.as_i64()).await;
}
