//! Connections on which little or nothing comes.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::PATIENCE;

/// By then a connection that sends too slowly is closed.
pub const CUT_WITHIN: Duration = Duration::from_secs(12);
const BETWEEN_BYTES: Duration = Duration::from_millis(400);

const HEAD: &str = "POST /interactions HTTP/1.1\r\nHost: x\r\nX-Slow: ";
const BODY: &str = "POST /interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a";
const READ: &str = "GET /products/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a";

/// A client that sends a beginning and then nothing, or a byte now and then.
#[derive(Clone, Debug)]
pub struct Slow {
    /// Whom it asks.
    pub url: String,
    beginning: &'static str,
    dribbles: bool,
}

/// Slow clients of every kind, each of which must be cut, for nginx and for services that are reached without it.
#[must_use]
pub fn all(nginx: &str, writer: &str, reader: &str) -> Vec<Slow> {
    let slow = |url: &str, beginning, dribbles| Slow { url: url.to_owned(), beginning, dribbles };
    let mut all = Vec::new();
    for url in [nginx, writer, reader] {
        all.push(slow(url, HEAD, false));
        all.push(slow(url, HEAD, true));
        all.push(slow(url, READ, false));
    }
    // A connection on which nothing comes at all is idle: nginx keeps those for a minute.
    all.push(slow(writer, "", false));
    all.push(slow(reader, "", false));
    all.push(slow(nginx, BODY, false));
    all.push(slow(writer, BODY, false));
    // Without nginx in front a service gives the whole body its time, not each byte.
    all.push(slow(writer, BODY, true));
    all.push(slow(reader, READ, true));
    all
}

impl Slow {
    /// How long it takes until it is cut.
    ///
    /// # Errors
    /// When it is borne for longer than [`CUT_WITHIN`].
    pub async fn cut(&self) -> Result<Duration, String> {
        let started = Instant::now();
        let said = |error: std::io::Error| format!("{}: {error}", self.url);
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.map_err(said)?;
        stream.write_all(self.beginning.as_bytes()).await.map_err(said)?;
        let (mut reading, mut writing) = stream.split();
        let closed = async {
            let mut answer = Vec::new();
            // A reset ends it too.
            let _closed_or_reset = reading.read_to_end(&mut answer).await;
        };
        let dribbling = async {
            let mut clock = interval(BETWEEN_BYTES);
            loop {
                clock.tick().await;
                if self.dribbles && writing.write_all(b"x").await.is_err() {
                    return;
                }
            }
        };
        let cut = async {
            tokio::select! {
                () = closed => {}
                () = dribbling => {}
            }
        };
        let ended = timeout(PATIENCE, cut).await;
        let took = started.elapsed();
        if ended.is_err() || took > CUT_WITHIN {
            let dribbling = if self.dribbles { ", dribbling" } else { "" };
            return Err(format!("{} bore {:?} for {took:?}{dribbling}", self.url, self.beginning));
        }
        Ok(took)
    }
}

/// So many idle connections, and so many more on which a request has begun and does not go on.
///
/// # Errors
/// When this process may not have so many, or nobody takes them.
pub async fn hold(url: &str, idle: usize, begun: usize) -> std::io::Result<Vec<TcpStream>> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    let address = url.trim_start_matches("http://");
    let beginnings =
        ["POST /reviews HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", "GET / HTTP/1.1\r\nX: "];
    let mut held = Vec::new();
    for number in 0..idle + begun {
        let mut stream = TcpStream::connect(address).await?;
        if number >= idle {
            stream.write_all(beginnings[number % 2].as_bytes()).await?;
        }
        held.push(stream);
    }
    Ok(held)
}
