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
