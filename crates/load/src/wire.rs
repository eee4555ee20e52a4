//! HTTP as little as a load needs: a request's bytes are made once, and of an answer only what is judged is read.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers under load are of some kilobytes; whatever is larger is no answer of ours.
const LARGEST: usize = 4 << 20;

/// What is judged of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Whether it says when to come again.
    pub retry_after: bool,
    /// Whether it is a problem document.
    pub is_problem: bool,
    /// `Atelier-Position`.
    pub position: Option<String>,
    /// Whether it says that it is older than what was demanded.
    pub stale: bool,
    /// Whether the connection ends with it.
    pub closes: bool,
    /// Left out of what was read; there when something was made or refused.
    pub body: Vec<u8>,
}

/// A keep-alive connection with one request on its way at a time.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// Where in it the last answer's body begins.
    begins: usize,
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody takes it.
    pub async fn open(address: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, received: Vec::with_capacity(16 << 10), begins: 0 })
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes back is no answer of ours.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = Head::parse(&self.received[..end]).ok_or_else(|| wrong("no HTTP answer"))?;
                return self.body(head, end + 4).await;
            }
            self.more().await?;
        }
    }

    /// The body of the last answer.
    pub fn body_of_last(&self) -> &[u8] {
        &self.received[self.begins..]
    }

    async fn body(&mut self, head: Head, begins: usize) -> io::Result<Answer> {
        while self.received.len() < begins + head.length {
            self.more().await?;
        }
        if self.received.len() > begins + head.length {
            return Err(wrong("more than one answer to one request"));
        }
        self.begins = begins;
        let body = if head.answer.status == 200 { vec![] } else { self.received[begins..].to_vec() };
        Ok(Answer { body, ..head.answer })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if self.received.len() > LARGEST => Err(wrong("an answer without end")),
            _ => Ok(()),
        }
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

struct Head {
    answer: Answer,
    length: usize,
}

impl Head {
    fn parse(head: &[u8]) -> Option<Head> {
        let text = std::str::from_utf8(head).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let (mut length, mut retry_after, mut is_problem, mut position) = (None, false, false, None);
        let (mut stale, mut closes) = (false, false);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.parse().ok()?);
            } else if name.eq_ignore_ascii_case("retry-after") {
                retry_after = value.parse::<u32>().is_ok();
            } else if name.eq_ignore_ascii_case("content-type") {
                is_problem = value == "application/problem+json";
            } else if name.eq_ignore_ascii_case("atelier-position") {
                position = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("atelier-stale") {
                stale = value == "true";
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.eq_ignore_ascii_case("close");
            }
        }
        // Nobody here is answered in chunks, or until the connection ends.
        let length = if status == 204 { 0 } else { length? };
        let answer = Answer { status, retry_after, is_problem, position, stale, closes, body: vec![] };
        Some(Head { answer, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_is_read() {
        let head = Head::parse(
            b"HTTP/1.1 503 X\r\nContent-Length: 7\r\nRetry-After: 1\r\nContent-Type: application/problem+json",
        )
        .unwrap();
        assert_eq!((head.length, head.answer.status), (7, 503));
        assert!(head.answer.retry_after && head.answer.is_problem);
        let head = Head::parse(b"HTTP/1.1 201 X\r\ncontent-length: 0\r\natelier-position: abc-1000000007");
        assert_eq!(head.unwrap().answer.position.as_deref(), Some("abc-1000000007"));
        assert!(Head::parse(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked").is_none());
    }
}
