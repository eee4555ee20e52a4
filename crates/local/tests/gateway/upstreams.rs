//! nginx with our configuration in front of upstreams that answer as they are asked to.

use std::sync::{Arc, Mutex};

use local::components::Components;
use local::ports::Ports;
use local::process::Process;
use local::{Data, SystemOptions, TemporaryFolder, nginx};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Heads of the requests that have arrived, each with the name of its upstream before it.
type Arrived = Arc<Mutex<Vec<String>>>;

/// The origin whose pages may send cookies, longer than most.
pub(crate) const LISTED: &str =
    "https://a-shop-of-a-very-long-name-for-a-host-which-is-still-permitted.example:8443";

/// nginx in front of two readers, each with two listeners, and two writers.
pub(crate) struct Gateway {
    _folder: TemporaryFolder,
    _process: Process,
    address: String,
    arrived: Arrived,
}

impl Gateway {
    /// Readers 1 and 2, each with a strict and a lenient listener, writers 1 and 2; each answers as the request's path says. One origin is listed.
    pub(crate) async fn start(name: &str) -> Self {
        let folder = TemporaryFolder::new(name).unwrap();
        let data = Data::new(folder.path());
        data.prepare().unwrap();
        let ports = Ports::choose(&data, None, None).unwrap();
        let sources = SystemOptions::new(folder.path()).components;
        let components =
            tokio::task::spawn_blocking(move || Components::get(&sources)).await.unwrap().unwrap();
        let arrived = Arrived::default();
        let shape = nginx::Shape {
            port: ports.nginx(),
            readers: vec![upstream("reader-1", &arrived).await, upstream("reader-2", &arrived).await],
            lenient: vec![upstream("lenient-1", &arrived).await, upstream("lenient-2", &arrived).await],
            writers: vec![upstream("writer-1", &arrived).await, upstream("writer-2", &arrived).await],
            origins: vec![LISTED.to_owned()],
        };
        let process = Process::new(nginx::prepare(&components.nginx, &data, &shape).unwrap(), || ());
        process.start().await.unwrap();
        Self { _folder: folder, _process: process, address: format!("127.0.0.1:{}", shape.port), arrived }
    }

    /// The answer, and the heads of what arrived for it.
    pub(crate) async fn ask(&self, method: &str, target: &str, more: &str) -> (String, Vec<String>) {
        self.arrived.lock().unwrap().clear();
        let (headers, body) = more.split_once("\n\n").unwrap_or((more, ""));
        let headers = headers.lines().map(|line| format!("{line}\r\n")).collect::<String>();
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}{headers}\r\n{body}"
        );
        let answer = self.say(&request).await;
        (answer, self.arrived.lock().unwrap().clone())
    }

    /// Sends as many requests that are never answered, and waits until all have arrived; they hold on as long as this.
    pub(crate) async fn hold(&self, method: &str, count: usize) -> Vec<TcpStream> {
        self.arrived.lock().unwrap().clear();
        let request = format!("{method} /waits HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let mut held = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            held.push(stream);
        }
        let all_arrived = async {
            while self.arrived.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), all_arrived).await.unwrap();
        held
    }

    /// The answer to these very words.
    pub(crate) async fn say(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, request.starts_with("HEAD ")).await
    }
}

/// Until the announced length: nginx waits a while before it closes a connection on which more was announced.
async fn read_answer(stream: &mut TcpStream, without_body: bool) -> String {
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize =
                header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let chunked = header(head, "transfer-encoding").is_some();
            if without_body || if chunked { body.ends_with("0\r\n\r\n") } else { body.len() >= length } {
                return text;
            }
        }
        assert!(stream.read_buf(&mut received).await.unwrap() > 0, "the answer ends early: {text}");
    }
}

async fn upstream(name: &'static str, arrived: &Arrived) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let arrived = arrived.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(name, stream, arrived.clone()));
        }
    });
    port
}

/// One request a connection. The path says how to answer; `NAME-1-falls` falls silent in the first of a pool only.
async fn serve(name: &'static str, mut stream: TcpStream, arrived: Arrived) {
    let mut received = Vec::new();
    let head = loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let text = String::from_utf8_lossy(&received[..head]).into_owned();
    let length: usize = header(&text, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while received.len() < head + length {
        stream.read_buf(&mut received).await.unwrap();
    }
    let body = String::from_utf8_lossy(&received[head..]).into_owned();
    arrived.lock().unwrap().push(format!("{name} {text}{body}"));
    let target = text.split(' ').nth(1).unwrap().to_owned();
    let problem = |status: &str, body: &str| {
        let kind = if body.is_empty() { "" } else { "content-type: application/problem+json\r\n" };
        format!(
            "HTTP/1.1 {status}\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let first = name.ends_with("-1");
    let answer = match target.as_str() {
        "/falls" => return,
        "/waits" => {
            // Until nginx gives up.
            let _closed = stream.read_buf(&mut received).await;
            return;
        }
        "/overloaded" => problem("529 X", "only nginx sees this"),
        "/first-falls" if first => return,
        "/first-is-behind" if first => problem("503 X", "behind"),
        "/strict-are-behind" if name.starts_with("reader") => problem("503 X", "behind"),
        "/strict-fall" if name.starts_with("reader") => return,
        "/all-are-behind" => problem("503 X", "all are behind"),
        "/own-400" => problem("400 X", "own words"),
        "/empty-400" => problem("400 X", ""),
        "/own-404" => problem("404 X", "own words"),
        "/own-500" => problem("500 X", "own words"),
        "/large" => large(&text, ""),
        "/large-404" => large(&text, "404"),
        "/tagged"
            if header(&text, "if-none-match").is_some_and(|tag| tag.trim_start_matches("W/") == TAG) =>
        {
            format!("HTTP/1.1 304 X\r\netag: {TAG}\r\nconnection: close\r\n\r\n")
        }
        "/tagged" => large(&text, ""),
        _ => problem("200 OK", "fine"),
    };
    // nginx may have given up on us.
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// What `large` carries as its `ETag`.
pub(crate) const TAG: &str = "\"a-tag\"";

/// JSON that is worth compressing.
fn large(request: &str, status: &str) -> String {
    let (status, kind) = match status {
        "" => ("200 OK", "application/json"),
        status => (status, "application/problem+json"),
    };
    let body = format!("[{}\"x\"]", "\"the same again\",".repeat(200));
    let body = if request.starts_with("HEAD") { "" } else { &body };
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\netag: {TAG}\r\ncontent-length: 3405\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A header's value.
pub(crate) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

/// Whether an answer is a problem document of nginx's own.
pub(crate) fn is_problem(answer: &str, status: u16, name: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert_eq!(header(answer, "content-type"), Some("application/problem+json"), "{answer}");
    assert_eq!(header(answer, "access-control-allow-origin"), Some("*"), "{answer}");
    assert!(header(answer, "x-request-id").is_some_and(|id| !id.is_empty()), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("/problems/{name}"));
    assert!(body["title"].is_string() && body["detail"].is_string());
}
