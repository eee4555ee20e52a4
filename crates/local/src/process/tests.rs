//! Supervision, tried on small Python servers.

use super::*;
use crate::ports::loopback;
use crate::temporary::TemporaryFolder;
use std::net::TcpListener;

const SERVER: &str = "import http.server,sys;http.server.ThreadingHTTPServer(('127.0.0.1',int(sys.argv[1])),\
                      http.server.SimpleHTTPRequestHandler).serve_forever()";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn spec(folder: &TemporaryFolder, code: &str) -> Spec {
    let port = free_port();
    Spec {
        name: "server".into(),
        program: "python3".into(),
        arguments: vec!["-c".into(), code.into(), port.to_string().into()],
        environment: vec![],
        folder: folder.path().to_owned(),
        log: folder.path().join("server.log"),
        port,
        ready: Ready::Http { address: loopback(port), path: "/".into() },
        account: None,
        stop: StopSignal::Terminate,
        stop_within: Duration::from_secs(5),
        start_within: Duration::from_secs(20),
        sole_user_of: None,
        renewal: None,
        mend: "mend it".into(),
    }
}

#[tokio::test]
async fn a_killed_process_comes_back_and_is_counted() {
    let folder = TemporaryFolder::new("killed").unwrap();
    let process = Process::new(spec(&folder, SERVER), || ());
    process.start().await.unwrap();
    let first = process.pid().unwrap();
    process.kill9().await;
    process.wait_ready(Duration::from_secs(20)).await.unwrap();
    assert_ne!(process.pid().unwrap(), first);
    assert_eq!(process.restarts(), 1);
    assert_eq!(process.snapshot().last_end.unwrap(), "was ended by signal 9");
    process.stop().await;
    assert_eq!((process.snapshot().phase, process.pid()), (Phase::Stopped, None));
    process.start().await.unwrap();
    assert_eq!(process.restarts(), 1);
    process.stop().await;
}

#[tokio::test]
async fn one_that_ends_at_once_is_a_failed_start_with_its_last_words() {
    let folder = TemporaryFolder::new("ends").unwrap();
    let process = Process::new(spec(&folder, "print('last words');raise SystemExit(3)"), || ());
    let Error::Process { what, tail, mend, .. } = process.start().await.unwrap_err() else { panic!() };
    assert!(what.contains("exit code 3"), "{what}");
    assert_eq!(tail, ["last words"]);
    assert_eq!(mend, "mend it");
    assert_eq!(process.snapshot().phase, Phase::Stopped);
}

#[tokio::test]
async fn one_that_never_answers_or_cannot_be_run_is_a_failed_start() {
    let folder = TemporaryFolder::new("never").unwrap();
    let mut silent = spec(&folder, "import time;time.sleep(600)");
    silent.start_within = Duration::from_millis(300);
    let process = Process::new(silent, || ());
    assert!(process.start().await.unwrap_err().to_string().contains("not ready"));
    assert_eq!(process.pid(), None);

    let mut absent = spec(&folder, "");
    absent.program = folder.path().join("absent");
    let said = Process::new(absent, || ()).start().await.unwrap_err().to_string();
    assert!(said.contains("could not be run"), "{said}");
}

#[tokio::test]
async fn a_process_that_ignores_the_signal_is_killed_when_its_time_is_over() {
    let folder = TemporaryFolder::new("deaf").unwrap();
    let mut deaf =
        spec(&folder, &format!("import signal;signal.signal(signal.SIGTERM,signal.SIG_IGN);{SERVER}"));
    deaf.stop_within = Duration::from_millis(200);
    let process = Process::new(deaf, || ());
    process.start().await.unwrap();
    let identity = process.snapshot().identity.unwrap();
    process.stop().await;
    assert!(!identity.alive());
}

#[tokio::test]
async fn a_paused_process_is_silent_until_it_is_resumed_and_can_be_stopped() {
    let folder = TemporaryFolder::new("paused").unwrap();
    let process = Process::new(spec(&folder, SERVER), || ());
    process.start().await.unwrap();
    process.pause();
    assert!(process.spec().ready.check().await.is_err());
    process.resume();
    assert!(process.spec().ready.check().await.is_ok());
    process.pause();
    process.stop().await;
    assert_eq!(process.restarts(), 0);
}

#[tokio::test]
async fn nothing_starts_after_it_was_killed_for_good() {
    let folder = TemporaryFolder::new("gone").unwrap();
    let process = Process::new(spec(&folder, SERVER), || ());
    process.start().await.unwrap();
    let identity = process.kill_now().unwrap();
    assert!(process.until(Duration::from_secs(5), |now| now.phase == Phase::Stopped).await.is_some());
    assert!(!identity.alive());
    assert!(process.start().await.is_err());
}

#[tokio::test]
async fn a_process_ends_with_its_last_handle() {
    let folder = TemporaryFolder::new("dropped").unwrap();
    let process = Process::new(spec(&folder, SERVER), || ());
    process.start().await.unwrap();
    let identity = process.snapshot().identity.unwrap();
    let clone = process.clone();
    drop(process);
    assert!(identity.alive());
    drop(clone);
    assert!(crate::leftovers::gone_within(&[identity], Duration::from_secs(5)));
}

#[tokio::test]
async fn one_that_says_it_is_not_well_is_started_again_once_there_is_room_for_it() {
    let folder = TemporaryFolder::new("unwell").unwrap();
    // It serves its folder: without this file it answers 404.
    let health = folder.path().join("healthz");
    std::fs::write(&health, "well").unwrap();
    let mut spec = spec(&folder, SERVER);
    let renewal = |room| Renewal {
        address: loopback(spec.port),
        path: "/healthz".into(),
        after: Duration::from_millis(100),
        folder: folder.path().to_owned(),
        room,
    };
    let (no_room, room) = (renewal(u64::MAX), renewal(1));

    spec.renewal = Some(no_room);
    let cramped = Process::new(spec.clone(), || ());
    cramped.start().await.unwrap();
    std::fs::remove_file(&health).unwrap();
    let restarted = cramped.until(Duration::from_secs(4), |now| now.restarts > 0).await;
    assert_eq!(restarted, None, "without room a new start would make it worse");
    cramped.stop().await;

    spec.renewal = Some(room);
    let process = Process::new(spec, || ());
    process.start().await.unwrap();
    let restarted = process.until(Duration::from_secs(20), |now| now.restarts > 0).await.unwrap();
    assert!(restarted.last_end.unwrap().starts_with("was stopped because it answers 404"));
    std::fs::write(&health, "well").unwrap();
    process.wait_ready(Duration::from_secs(20)).await.unwrap();
    process.stop().await;
}
