//! `up`, `status`, `down`, `reset`: what they promise to somebody at a terminal.

use std::net::TcpListener;
use std::time::Instant;

use tests::{Shopper, eventually, review, within};

use super::commands::{Terminal, free_port, processes_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_system_comes_up_heals_stops_and_comes_up_again_by_commands_alone() {
    let terminal = Terminal::new("terminal").await;
    let port = free_port().to_string();
    let up = terminal.xtask("up", &["--detach", "--sample", "20", "--port", &port]).await.expect_success();
    assert!(up.out.contains("applied on 2 of 2 replicas in "), "{up:?}");
    assert_eq!(up.out.lines().filter(|line| line.trim_start().starts_with("curl ")).count(), 3, "{up:?}");
    let shopper = Shopper::at(format!("http://127.0.0.1:{port}"));
    let written = shopper.post_review(&review(1)).await.expect(201).review_id();

    let again = terminal.xtask("up", &["--detach"]).await.expect_success();
    assert!(again.out.contains("already running") && again.out.contains(&port), "{again:?}");

    let status = terminal.status().await;
    let processes = status["processes"].as_array().unwrap();
    assert!(
        processes.iter().all(|process| process["health"] == "ready" && process["restarts"] == 0),
        "{status}"
    );
    for replica in status["replicas"]["replicas"].as_array().or(status["replicas"].as_array()).unwrap() {
        assert_eq!(
            (&replica["state"], &replica["behind_events"]),
            (&"serving".into(), &0.into()),
            "{status}"
        );
    }
    let reader = processes.iter().find(|process| process["name"] == "reader-a").unwrap();
    let pid = reader["pid"].as_i64().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    eventually("status counts the restart", within(20), async || {
        let status = terminal.status().await;
        let reader =
            status["processes"].as_array().unwrap().iter().find(|p| p["name"] == "reader-a").unwrap().clone();
        if reader["restarts"] == 1 && reader["health"] == "ready" { Ok(()) } else { Err(reader.to_string()) }
    })
    .await;

    let _said = terminal.xtask("down", &[]).await.expect_success();
    assert_eq!(processes_in(&terminal.data()), Vec::<String>::new());

    let mut seconds = Vec::new();
    // Other tests run beside this one: the best of a few tries is what a machine of one's own gives.
    while !seconds.iter().any(|seconds| *seconds < 5.0) {
        assert!(seconds.len() < 4, "a second start takes at most 5 s: {seconds:?}");
        let _said = terminal.xtask("down", &[]).await.expect_success();
        let started = Instant::now();
        let second = terminal.xtask("up", &["--detach"]).await.expect_success();
        let build = stage_seconds(&second.error, "build") + stage_seconds(&second.out, "build");
        seconds.push(started.elapsed().as_secs_f64() - build);
    }
    assert!(shopper.review_ids(1, "newest").await.contains(&written), "what was written is still there");
    let _said = terminal.xtask("down", &[]).await.expect_success();

    let unsure = terminal.xtask("reset", &[]).await;
    assert_ne!(unsure.code, Some(0), "data is removed only by whoever says so: {unsure:?}");
    let _said = terminal.xtask("reset", &["--yes"]).await.expect_success();
    assert!(!terminal.data().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_and_nothing_keeps_running() {
    let terminal = Terminal::new("taken").await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = terminal.xtask("up", &["--detach", "--empty", "--port", &port]).await;
    let _said = said.expect_refusal(&[&port, "--port"]);
    assert_eq!(processes_in(&terminal.data()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_other_files_is_refused_and_left_alone() {
    let terminal = Terminal::new("foreign").await;
    std::fs::create_dir_all(terminal.data()).unwrap();
    let file = terminal.data().join("precious.txt");
    std::fs::write(&file, "mine").unwrap();
    let _said =
        terminal.xtask("up", &["--detach", "--empty"]).await.expect_refusal(&["other files", "--data"]);
    assert_ne!(terminal.xtask("reset", &["--yes"]).await.code, Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

/// Seconds of a stage as `up` prints them, as in `build  12.3 s`.
fn stage_seconds(text: &str, stage: &str) -> f64 {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(stage));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0.0)
}
