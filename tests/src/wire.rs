//! The NATS protocol by hand, for messages that our own stream crate would never send.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request with headers to `nats://host:port` and answers its reply as JSON.
///
/// # Panics
/// When there is no such answer.
pub async fn request(url: &str, subject: &str, headers: &BTreeMap<&str, &str>, payload: &[u8]) -> Value {
    let answer = timeout(PATIENCE, exchange(url, subject, headers, payload)).await;
    let answer =
        answer.unwrap_or_else(|_| panic!("no reply on {subject}")).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_slice(&answer)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer)))
}

async fn exchange(
    url: &str,
    subject: &str,
    headers: &BTreeMap<&str, &str>,
    payload: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut stream = BufReader::new(TcpStream::connect(url.trim_start_matches("nats://")).await?);
    let mut head = "NATS/1.0\r\n".to_owned();
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    head += "\r\n";
    let sizes = format!("{} {}", head.len(), head.len() + payload.len());
    let mut sent = b"CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}\r\nSUB reply 1\r\n".to_vec();
    sent.extend(format!("HPUB {subject} reply {sizes}\r\n{head}").bytes());
    sent.extend(payload);
    sent.extend(b"\r\n");
    stream.write_all(&sent).await?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["PING"] => stream.write_all(b"PONG\r\n").await?,
            ["MSG" | "HMSG", .., size] => {
                let mut body = vec![0; size.parse().map_err(std::io::Error::other)?];
                stream.read_exact(&mut body).await?;
                return Ok(body);
            }
            [] => return Err(std::io::Error::other("nats-server closed the connection")),
            _ => {}
        }
    }
}

/// Publishes a message as an event of a type, as it is, and answers its position. `key`: the hashes of an
/// `Idempotency-Key` and its body.
///
/// # Panics
/// When it is not stored.
pub async fn publish(
    url: &str,
    event_type: &str,
    id: &str,
    key: Option<(&str, &str)>,
    payload: &[u8],
) -> i64 {
    let ce_type = format!("atelier.{event_type}.v1");
    let mut headers = BTreeMap::from([
        ("Nats-Msg-Id", id),
        ("ce-specversion", "1.0"),
        ("ce-type", ce_type.as_str()),
        ("ce-source", "/atelier/test"),
        ("ce-id", id),
        ("ce-time", "2026-11-23T15:50:00.000Z"),
    ]);
    if let Some((key, body)) = key {
        headers.extend([("ce-idempotencykey", key), ("ce-bodyhash", body)]);
    }
    let answer = request(url, &format!("atelier.v1.{event_type}"), &headers, payload).await;
    answer["seq"].as_i64().unwrap_or_else(|| panic!("it was not stored: {answer}"))
}

/// A review that decodes, and that no replica can store: Postgres's text holds no NUL.
#[must_use]
pub fn poison(product: i64) -> Vec<u8> {
    let review = serde_json::json!({"product_id": product, "rating": 5, "summary": "", "body": "a\u{0}b",
        "recommend": true, "reviewer_name": "n", "reviewer_email": "sealed1.none.AAAA", "photos": [],
        "characteristics": []});
    review.to_string().into_bytes()
}
