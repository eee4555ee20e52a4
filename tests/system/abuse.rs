//! Clients that mean no good: slow, idle, huge, ambiguous.

mod injection;
mod large;
mod slow;
mod smuggling;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Longer than any of these clients is borne.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends these very bytes to `http://host:port`, and tells what came back until the other side closed, and after how long.
async fn raw(url: &str, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut answer = Vec::new();
    let exchange = async {
        // Whoever refuses may close before it has read everything, and with a reset.
        let (_sent, _read) = tokio::join!(writing.write_all(bytes), reading.read_to_end(&mut answer));
    };
    let ended = timeout(PATIENCE, exchange).await;
    assert!(
        ended.is_ok(),
        "the connection was not closed in {PATIENCE:?}: {}",
        String::from_utf8_lossy(bytes)
    );
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

/// The statuses of all answers on a connection.
fn statuses(answers: &str) -> Vec<u16> {
    let status = |part: &str| part.get(..3)?.parse().ok();
    answers.split("HTTP/1.1 ").skip(1).filter_map(status).collect()
}
