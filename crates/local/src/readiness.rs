//! When is a process ready? Asked over its own protocol, without a client library.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The question that tells whether a process is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ready {
    /// `GET path` answers with a status below 400.
    Http {
        /// Where.
        address: SocketAddr,
        /// Which path, as `/readyz`.
        path: String,
    },
    /// Postgres asks a new connection for its password (until it is ready it says that it is starting up).
    Postgres {
        /// Where.
        address: SocketAddr,
    },
    /// Somebody accepts connections.
    Tcp {
        /// Where.
        address: SocketAddr,
    },
}

impl Ready {
    /// Asks once.
    ///
    /// # Errors
    ///
    /// What was heard instead, in words.
    pub async fn check(&self) -> Result<(), String> {
        let answer = async {
            match self {
                Ready::Http { address, path } => http(*address, path).await.and_then(well),
                Ready::Postgres { address } => postgres(*address).await,
                Ready::Tcp { address } => connect(*address).await.map(drop),
            }
        };
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err("does not answer within 1 s".to_owned()))
    }
}

/// What a process says of itself when it is asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// It answers, with a status from 400 on; its words.
    Unwell(String),
    /// It does not answer: nobody knows.
    Silent,
}

/// `GET path`, once.
pub(crate) async fn health(address: SocketAddr, path: &str) -> Health {
    match timeout(PATIENCE, http(address, path)).await {
        Ok(Ok(answer)) => well(answer).map_or_else(Health::Unwell, |()| Health::Well),
        Ok(Err(_)) | Err(_) => Health::Silent,
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("no connection to {address}: {error}"))
}

/// The status and the start of the body.
async fn http(address: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let lost = |error: std::io::Error| format!("connection lost: {error}");
    let mut stream = connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await.map_err(lost)?;
    let answer = String::from_utf8_lossy(&answer);
    match answer.split_ascii_whitespace().nth(1).and_then(|status| status.parse::<u16>().ok()) {
        Some(status) => {
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
            Ok((status, body.chars().take(200).collect()))
        }
        None => Err("answers something that is not HTTP".to_owned()),
    }
}

fn well((status, body): (u16, String)) -> Result<(), String> {
    match status {
        ..400 => Ok(()),
        _ if body.is_empty() => Err(format!("answers {status}")),
        _ => Err(format!("answers {status}: {body}")),
    }
}

/// The start of a connection (protocol 3.0, user postgres): the first byte of the answer is R (which password?) when the
/// server is ready and E while it starts.
async fn postgres(address: SocketAddr) -> Result<(), String> {
    let lost = |error: std::io::Error| format!("connection lost: {error}");
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    message.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    message[..4].copy_from_slice(&length.to_be_bytes());
    let mut stream = connect(address).await?;
    stream.write_all(&message).await.map_err(lost)?;
    let kind = stream.read_u8().await.map_err(lost)?;
    // The rest is read too: a connection that is closed with something unread looks broken to the server, which logs it.
    let length = stream.read_u32().await.map_err(lost)?.clamp(4, 4096) - 4;
    stream.read_exact(&mut vec![0; length as usize]).await.map_err(lost)?;
    match kind {
        b'R' => Ok(()),
        b'E' => Err("is starting up".to_owned()),
        other => Err(format!("answers {other}, which is not Postgres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answering(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 512];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn a_status_below_400_is_ready_and_another_is_told_with_its_body() {
        let good = answering(b"HTTP/1.1 200 OK\r\n\r\n").await;
        assert_eq!(Ready::Http { address: good, path: "/readyz".into() }.check().await, Ok(()));
        let busy = answering(b"HTTP/1.1 503 X\r\n\r\nimporting").await;
        let said = Ready::Http { address: busy, path: "/readyz".into() }.check().await;
        assert_eq!(said, Err("answers 503: importing".to_owned()));
    }

    #[tokio::test]
    async fn only_an_answer_says_that_a_process_is_not_well() {
        let good = answering(b"HTTP/1.1 200 OK\r\n\r\n").await;
        assert_eq!(health(good, "/").await, Health::Well);
        let bad = answering(b"HTTP/1.1 503 X\r\n\r\nno space left on device").await;
        assert_eq!(health(bad, "/").await, Health::Unwell("answers 503: no space left on device".to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(health(nobody, "/").await, Health::Silent);
    }

    #[tokio::test]
    async fn a_postgres_that_starts_up_is_not_ready() {
        let starting = answering(b"E\0\0\0\x05x").await;
        assert!(Ready::Postgres { address: starting }.check().await.is_err());
        let ready = answering(b"R\0\0\0\x05x").await;
        assert!(Ready::Postgres { address: ready }.check().await.is_ok());
    }

    #[tokio::test]
    async fn nobody_there_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(Ready::Tcp { address }.check().await.is_err());
    }
}
