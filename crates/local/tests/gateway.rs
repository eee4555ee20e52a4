//! The real nginx with our configuration in front of small upstreams: which pool, what arrives there, what comes back.

// The functions below belong to tests.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use local::components::Components;
use local::ports::Ports;
use local::process::Process;
use local::{Data, SystemOptions, TemporaryFolder, nginx};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Heads of the requests that have arrived, each with the name of its upstream before it.
type Arrived = Arc<Mutex<Vec<String>>>;

struct Gateway {
    _folder: TemporaryFolder,
    _process: Process,
    address: String,
    arrived: Arrived,
}

impl Gateway {
    /// Readers 1 and 2, writers 1 and 2; each answers as the request's path says.
    async fn start(name: &str) -> Self {
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
            writers: vec![upstream("writer-1", &arrived).await, upstream("writer-2", &arrived).await],
        };
        let process = Process::new(nginx::prepare(&components.nginx, &data, &shape).unwrap(), || ());
        process.start().await.unwrap();
        Self { _folder: folder, _process: process, address: format!("127.0.0.1:{}", shape.port), arrived }
    }

    /// The answer, and the heads of what arrived for it.
    async fn ask(&self, method: &str, target: &str, more: &str) -> (String, Vec<String>) {
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

    /// The answer to these very words.
    async fn say(&self, request: &str) -> String {
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
        "/first-falls" if first => return,
        "/first-is-behind" if first => problem("503 X", "behind"),
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
const TAG: &str = "\"a-tag\"";

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

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_method_alone_chooses_the_pool_and_the_request_arrives_as_it_was_sent() {
    let gateway = Gateway::start("pools").await;
    for (method, pool) in [
        ("GET", "reader"),
        ("HEAD", "reader"),
        ("OPTIONS", "reader"),
        ("POST", "writer"),
        ("PUT", "writer"),
        ("DELETE", "writer"),
    ] {
        let (_, arrived) = gateway.ask(method, "/reviews/?a=1&b=%22", "").await;
        assert_eq!(arrived.len(), 1, "{method}");
        assert!(
            arrived[0].starts_with(pool) && arrived[0].contains(&format!(" {method} /reviews/?a=1&b=%22 ")),
            "{arrived:?}"
        );
    }
    let (_, arrived) = gateway.ask("POST", "/reviews", "X: y\n\n{\"a\":1}").await;
    assert!(arrived[0].ends_with("\r\n\r\n{\"a\":1}"), "{arrived:?}");
    let (_, arrived) = gateway.ask("GET", "/products", "Content-Type: application/json\n\n{}").await;
    assert!(arrived[0].starts_with("reader") && arrived[0].ends_with("\r\n\r\n{}"), "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn api_is_a_second_base_and_raw_quotes_arrive_escaped() {
    let gateway = Gateway::start("targets").await;
    for (sent, arrives) in [
        ("/api/products?x=1", "/products?x=1"),
        ("/api", "/"),
        ("/api?x=1", "/?x=1"),
        ("/apis", "/apis"),
        ("/reviews?sort=\"helpful\"", "/reviews?sort=%22helpful%22"),
        ("/api/r?a=\"b\"&c=\"\"\"", "/r?a=%22b%22&c=%22%22%22"),
        ("/\"x\"", "/%22x%22"),
        (&format!("/q?{}", "\"".repeat(15)), &format!("/q?{}", "%22".repeat(15))),
    ] {
        let (_, arrived) = gateway.ask("GET", sent, "").await;
        assert!(arrived[0].contains(&format!("GET {arrives} HTTP/1.1")), "{sent}: {arrived:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_gets_one_attempt_id_that_a_client_cannot_choose() {
    let gateway = Gateway::start("attempt").await;
    let (_, arrived) =
        gateway.ask("POST", "/first-falls", "Atelier-Attempt: mine\nX-Request-Id: me\n\nx").await;
    let attempts: Vec<_> = arrived.iter().filter_map(|head| header(head, "atelier-attempt")).collect();
    assert!(attempts.iter().all(|attempt| attempt.len() == 32 && *attempt == attempts[0]), "{arrived:?}");
    assert!(arrived.iter().all(|head| header(head, "x-request-id") == Some("me")), "{arrived:?}");
    let (_, arrived) = gateway.ask("GET", "/", "").await;
    assert_eq!(header(&arrived[0], "x-request-id"), header(&arrived[0], "atelier-attempt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_try_goes_to_the_next_one_for_reads_and_for_writes() {
    let gateway = Gateway::start("next").await;
    for method in ["GET", "POST", "PUT"] {
        // Twice, so that the first of the pool is asked whoever's turn it is.
        for _ in 0..2 {
            let (answer, _) = gateway.ask(method, "/first-falls", "").await;
            assert!(answer.ends_with("fine"), "{method}: {answer}");
        }
    }
    for _ in 0..2 {
        let (answer, _) = gateway.ask("GET", "/first-is-behind", "").await;
        assert!(answer.ends_with("fine"), "{answer}");
    }
    let (answer, arrived) = gateway.ask("GET", "/all-are-behind", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("all are behind"), "{answer}");
    assert_eq!(arrived.len(), 2);
    // One request that nobody can answer takes nobody out of the pool.
    let (answer, _) = gateway.ask("GET", "/", "").await;
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_s_own_problems_pass_and_everything_else_becomes_one() {
    let gateway = Gateway::start("problems").await;
    for method in ["GET", "POST"] {
        for (target, status) in [("/own-400", "400"), ("/own-404", "404")] {
            let (answer, _) = gateway.ask(method, target, "").await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with("own words"),
                "{method}: {answer}"
            );
        }
        let (answer, _) = gateway.ask(method, "/empty-400", "").await;
        is_problem(&answer, 400, "bad-request");
        // nginx cannot tell a service's 500 from its own; both say the same.
        let (answer, _) = gateway.ask(method, "/own-500", "").await;
        is_problem(&answer, 500, "internal");
        assert_eq!(answer.contains("may have been stored"), method == "POST", "{answer}");
    }
    let (answer, _) = gateway.ask("GET", "/falls", "").await;
    is_problem(&answer, 502, "no-reader-answered");
    assert_eq!(header(&answer, "retry-after"), Some("1"));
    let (answer, _) = gateway.ask("POST", "/falls", "").await;
    is_problem(&answer, 502, "no-writer-answered");
    assert!(answer.contains("may have been stored"), "{answer}");
    let (answer, _) = gateway.ask("TRACE", "/", "").await;
    is_problem(&answer, 405, "method-not-allowed");
    let (answer, _) = gateway.ask("GET", "/a b", "").await;
    is_problem(&answer, 400, "bad-request");
    let (answer, _) = gateway.ask("GET", &format!("/{}", "x".repeat(9000)), "").await;
    is_problem(&answer, 414, "uri-too-long");
    let (answer, _) = gateway.ask("GET", "/", &format!("X: {}", "x".repeat(9000))).await;
    is_problem(&answer, 431, "headers-too-large");
    let (answer, _) = gateway.ask("POST", "/", "Transfer-Encoding: gzip").await;
    is_problem(&answer, 501, "bad-request");
    let answer = gateway.say("GET / HTTP/3.0\r\nHost: x\r\n\r\n").await;
    is_problem(&answer, 505, "bad-request");
    let (answer, arrived) = gateway.ask("POST", "/", "Content-Length: 262145\nExpect: 100-continue").await;
    is_problem(&answer, 413, "body-too-large");
    assert!(arrived.is_empty());
    let (answer, _) = gateway.ask("POST", "/", &format!("X: y\n\n{}", "x".repeat(262_144))).await;
    assert!(answer.ends_with("fine"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_and_text_is_compressed_for_whoever_can_read_it() {
    let gateway = Gateway::start("compression").await;
    let accepts = "Accept-Encoding: gzip";
    for (method, target, status) in
        [("GET", "/large", "200"), ("POST", "/large", "200"), ("GET", "/large-404", "404")]
    {
        let (answer, _) = gateway.ask(method, target, accepts).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(header(&answer, "content-encoding"), Some("gzip"), "{method} {target}: {answer}");
        assert_eq!(header(&answer, "vary"), Some("Accept-Encoding"), "{answer}");
        assert_eq!(header(&answer, "etag"), Some("W/\"a-tag\""), "{answer}");
        let (answer, _) = gateway.ask(method, target, "").await;
        assert_eq!(header(&answer, "content-encoding"), None, "{answer}");
        assert_eq!(header(&answer, "vary"), Some("Accept-Encoding"), "{answer}");
        assert_eq!(header(&answer, "etag"), Some(TAG), "{answer}");
        assert!(answer.ends_with("\"the same again\",\"x\"]"), "{answer}");
    }
    // The weakened tag is compared by the reader, which gets it as it is.
    let (answer, arrived) =
        gateway.ask("GET", "/tagged", &format!("{accepts}\nIf-None-Match: W/{TAG}")).await;
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    assert_eq!(header(&arrived[0], "if-none-match"), Some("W/\"a-tag\""));
    let (answer, _) = gateway.ask("GET", "/small", accepts).await;
    assert_eq!(header(&answer, "content-encoding"), None, "what fits into a packet gains nothing: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_page_and_its_files_and_nobody_else_does() {
    let gateway = Gateway::start("page").await;
    let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let (answer, arrived) = gateway.ask("GET", "/", browser).await;
    assert!(answer.starts_with("HTTP/1.1 302 ") && arrived.is_empty(), "{answer}");
    assert_eq!((header(&answer, "location"), header(&answer, "vary")), (Some("/shop/"), Some("Accept")));
    for (method, target, more) in [
        ("GET", "/", ""),
        ("GET", "/", "Accept: */*"),
        ("POST", "/", browser),
        ("HEAD", "/", browser),
        ("GET", "/api/", browser),
    ] {
        let (answer, arrived) = gateway.ask(method, target, more).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && arrived.len() == 1, "{method} {target}: {answer}");
    }
    let (answer, _) = gateway.ask("GET", "/shop?product=2", browser).await;
    assert_eq!(header(&answer, "location"), Some("/shop/?product=2"), "{answer}");

    for (target, kind) in [
        ("/shop/", "text/html; charset=utf-8"),
        ("/shop/any/path?product=2", "text/html; charset=utf-8"),
        ("/shop/main.js", "text/javascript; charset=utf-8"),
        ("/shop/styles/base.css", "text/css; charset=utf-8"),
        ("/shop/icon.svg", "image/svg+xml; charset=utf-8"),
    ] {
        let (answer, arrived) = gateway.ask("GET", target, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && arrived.is_empty(), "{target}: {answer}");
        assert_eq!(header(&answer, "content-type"), Some(kind));
        assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let tag = header(&answer, "etag").unwrap();
        for tag in [tag.to_owned(), format!("W/{tag}")] {
            let (answer, _) = gateway.ask("GET", target, &format!("If-None-Match: {tag}")).await;
            assert!(answer.starts_with("HTTP/1.1 304 "), "{target}: {answer}");
        }
    }
    let (answer, _) = gateway.ask("GET", "/shop/main.js", "Accept-Encoding: gzip").await;
    assert_eq!(header(&answer, "content-encoding"), Some("gzip"), "{answer}");
    for target in ["/shop/gone.js", "/shop/../nginx/nginx.conf", "/shop/%2e%2e/nginx.conf"] {
        let (answer, _) = gateway.ask("GET", target, browser).await;
        assert!(!answer.contains("worker_processes"), "{answer}");
    }
    let (answer, _) = gateway.ask("GET", "/shop/gone.js", browser).await;
    is_problem(&answer, 404, "no-route");
    let (answer, _) = gateway.ask("POST", "/shop/", "").await;
    is_problem(&answer, 405, "method-not-allowed");
    assert_eq!(header(&answer, "allow"), Some("GET, HEAD"));
}

fn is_problem(answer: &str, status: u16, name: &str) {
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
