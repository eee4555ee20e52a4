//! The real nats-server, Postgres and nginx start with our configuration, and heal after kill -9.

// The functions below belong to tests.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use local::components::Components;
use local::ports::Ports;
use local::process::Process;
use local::{Data, SystemOptions, TemporaryFolder, nats, nginx, postgres};

const HEALS_WITHIN: Duration = Duration::from_secs(30);

struct Place {
    _folder: TemporaryFolder,
    data: Data,
    ports: Ports,
    components: Components,
}

async fn place(name: &str) -> Place {
    let folder = TemporaryFolder::new(name).unwrap();
    let data = Data::new(folder.path());
    data.prepare().unwrap();
    let ports = Ports::choose(&data, None, None).unwrap();
    let sources = SystemOptions::new(folder.path()).components;
    let components = tokio::task::spawn_blocking(move || Components::get(&sources)).await.unwrap().unwrap();
    Place { _folder: folder, data, ports, components }
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_starts_and_syncs_always_and_heals() {
    let place = place("nats").await;
    let nats =
        Process::new(nats::prepare(&place.components.nats_server, &place.data, &place.ports).unwrap(), || ());
    nats.start().await.unwrap();
    let monitor = format!("127.0.0.1:{}", place.ports.nats_monitor());
    let jsz = get(&monitor, "/jsz").await;
    assert!(jsz.contains("\"sync_always\": true"), "{jsz}");
    nats.kill9().await;
    nats.wait_ready(HEALS_WITHIN).await.unwrap();
    nats.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_starts_once_made_and_heals_and_its_children_go_with_it() {
    let place = place("postgres").await;
    let port = place.ports.postgres(0);
    let spec = postgres::prepare(&place.components.postgres_bin, &place.data, "a", port).unwrap();
    let cluster = spec.folder.clone();
    let process = Process::new(spec, || ());
    process.start().await.unwrap();
    assert_eq!(query(&place, "select 1 + 1"), "2");
    assert_eq!(query(&place, "show synchronous_commit"), "off");
    assert_eq!(query(&place, "show fsync"), "on");
    assert_eq!(
        query(
            &place,
            "select datlocprovider::text || datlocale from pg_database where datname = 'template1'"
        ),
        "bC.UTF-8"
    );
    for _ in 0..3 {
        process.kill9().await;
        process.wait_ready(HEALS_WITHIN).await.unwrap();
    }
    assert_eq!(query(&place, "select 1 + 1"), "2");
    process.stop().await;
    assert!(local::kernel::working_in(&cluster).is_empty());

    let again = Process::new(
        postgres::prepare(&place.components.postgres_bin, &place.data, "a", port).unwrap(),
        || (),
    );
    again.start().await.unwrap();
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_starts_answers_with_problem_documents_and_heals() {
    let place = place("nginx").await;
    let (reader, writer) = (place.ports.reader(0, 0), place.ports.writer(0));
    let shape = nginx::Shape {
        port: place.ports.nginx(),
        readers: vec![reader],
        lenient: vec![reader + 1],
        writers: vec![writer],
        origins: vec![],
    };
    let nginx = Process::new(nginx::prepare(&place.components.nginx, &place.data, &shape).unwrap(), || ());
    nginx.start().await.unwrap();
    let address = format!("127.0.0.1:{}", place.ports.nginx());
    let answer = get(&address, "/products").await;
    assert!(
        answer.starts_with("HTTP/1.1 502") && answer.contains("/problems/no-reader-answered"),
        "{answer}"
    );
    assert!(answer.contains("application/problem+json") && answer.contains("Retry-After"), "{answer}");
    nginx.kill9().await;
    nginx.wait_ready(HEALS_WITHIN).await.unwrap();
    assert_eq!(nginx.restarts(), 1);
    nginx.stop().await;
}

fn query(place: &Place, sql: &str) -> String {
    let url = postgres::superuser_url(&place.data, "a", place.ports.postgres(0), "postgres").unwrap();
    let output = std::process::Command::new(place.components.postgres_bin.join("psql"))
        .args(["-XAtc", sql, &url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn get(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
