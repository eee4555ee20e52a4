//! Requests that two servers could read differently: nginx refuses them, or passes on exactly one.

use local::{Ready, System};

use super::{raw, statuses};
use crate::Shopper;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// nginx refuses, and no service ever hears of it.
    Refused,
    /// So many requests arrive at services, and each has its answer.
    Passed(usize),
}
use Fate::{Passed, Refused};

const GET: &str = "GET /products/1 HTTP/1.1\r\nHost: x\r\n";
const POST: &str = "POST /products/1 HTTP/1.1\r\nHost: x\r\n";
/// What a smuggler would like to be taken for a request.
const INSIDE: &str = "GET /products/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Requests with what must become of each.
#[must_use]
pub fn cases() -> Vec<(String, Fate)> {
    let mut cases = Vec::new();
    let both = format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INSIDE}",
        INSIDE.len() + 5
    );
    let other = format!("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n{INSIDE}");
    for method in [GET, POST] {
        cases.push((format!("{method}{both}"), Refused));
        cases.push((format!("{method}{other}"), Refused));
        for lengths in [
            "Content-Length: 5\r\nContent-Length: 0",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: -5",
            "Content-Length: 0x5",
            "Content-Length: 5 5",
            "Content-Length: 99999999999999999999",
            "Content-Length : 5",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: \u{b}chunked",
            "X: y\r\nTransfer-Encoding\r\n : chunked",
        ] {
            cases.push((format!("{method}{lengths}\r\n\r\n0\r\n\r\n{INSIDE}"), Refused));
        }
        for head in ["X-Folded: a\r\n b", "X-Folded: a\r\n\tb", " X: y", "X y: z", "X: a\0b", "Host: y"] {
            cases.push((format!("{method}{head}\r\n\r\n"), Refused));
        }
        let long = "x".repeat(9_000);
        cases.push((format!("{method}X: {long}\r\n\r\n"), Refused));
        cases.push((format!("{method}{}\r\n", format!("X: {}\r\n", &long[..6_000]).repeat(8)), Refused));
    }
    for size in ["FFFFFFFFFFFFFFFFF", "0x5", "-1", "5g", ""] {
        let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n{size}\r\nhello\r\n0\r\n\r\n");
        cases.push((chunked, Refused));
    }
    cases.push(("GET /products/1 HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), Refused));
    cases.push(("TRACE /products/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), Refused));
    cases.push((
        "CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        Refused,
    ));

    // A body that looks like a request is a body.
    for method in [GET, POST] {
        let body = format!("{method}Connection: close\r\nContent-Length: {}\r\n\r\n{INSIDE}", INSIDE.len());
        cases.push((body, Passed(1)));
        let chunk = format!("{:x}\r\n{INSIDE}\r\n0\r\n\r\n", INSIDE.len());
        cases.push((
            format!("{method}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"),
            Passed(1),
        ));
    }
    // Names with underscores are dropped: no service can take them for others.
    cases.push((
        format!("{GET}Content_Length: 50\r\nTransfer_Encoding: chunked\r\nConnection: close\r\n\r\n"),
        Passed(1),
    ));
    let absolute = "GET http://evil.example/products/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    cases.push((absolute.to_owned(), Passed(1)));
    cases.push((
        format!(
            "{GET}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
        ),
        Passed(1),
    ));
    cases.push((format!("{GET}\r\n{INSIDE}"), Passed(2)));
    cases
}

/// Requests that readers and writers have answered.
///
/// # Panics
/// When one of them does not tell.
pub async fn answered(system: &System) -> usize {
    let mut sum = 0.0;
    for process in system.processes() {
        let Ready::Http { address, .. } = &process.spec().ready else { continue };
        if !["reader", "writer"].iter().any(|kind| process.name().starts_with(kind)) {
            continue;
        }
        let metrics = Shopper::at(format!("http://{address}")).get("/metrics").await.expect(200).body;
        let counts = metrics.lines().filter(|line| line.starts_with("atelier_http_requests_total"));
        sum += counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>();
    }
    sum as usize
}

/// Sends it through nginx, while nobody else asks, and judges what became of it.
///
/// # Errors
/// What became of it instead.
pub async fn judge(system: &System, request: &str, fate: Fate) -> Result<(), String> {
    let before = answered(system).await;
    let (answers, _) = raw(&system.url(), request.as_bytes()).await?;
    let (statuses, passed) = (statuses(&answers), answered(system).await - before);
    let right = match fate {
        Refused => passed == 0 && matches!(statuses[..], [400..=499 | 501 | 505] | []),
        Passed(count) => {
            passed == count && statuses.len() == count && statuses.iter().all(|status| *status < 500)
        }
    };
    if right {
        return Ok(());
    }
    let beginning: String = request.chars().take(200).collect();
    Err(format!("{beginning:?} is not {fate:?}: {passed} arrived, answers {statuses:?}"))
}
