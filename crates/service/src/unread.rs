//! Bodies of requests that were answered before anybody had read them.
//!
//! hyper closes a connection on which something unread is left, perhaps while it still arrives. nginx then takes the
//! service for broken: it asks the next one, or says that it does not know what became of a write that was refused.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

use crate::extract::BODY_LIMIT;

/// How long a client may take to send what nobody wants. nginx has all of it before it asks us.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a body comes back to when it was not read to its end.
pub(crate) struct Unread(oneshot::Receiver<Body>);

/// The request as it was; but what is left of its body comes back.
pub(crate) fn watch(request: Request) -> (Request, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let (back, left) = oneshot::channel();
    let watched = |body| Body::new(Watched { body, ended: false, back: Some(back) });
    (request.map(watched), Some(Unread(left)))
}

impl Unread {
    /// Reads what is left, up to the length of a permitted body, and keeps nothing of it.
    pub(crate) async fn drain(mut self) {
        let Ok(mut left) = self.0.try_recv() else { return };
        if left.size_hint().lower() > BODY_LIMIT as u64 {
            return;
        }
        let reading = async {
            let mut bytes = 0;
            // Whoever broke off wants no answer either.
            while let Some(Ok(frame)) = left.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > BODY_LIMIT {
                    break;
                }
            }
        };
        let _all_or_not = tokio::time::timeout(PATIENCE, reading).await;
    }
}

struct Watched {
    body: Body,
    ended: bool,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.ended |= matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(back) = self.back.take()
            && !self.ended
            && !self.body.is_end_stream()
        {
            // When nobody waits for it, its connection is gone.
            let _returned = back.send(mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::{post, put};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_util::sync::CancellationToken;

    use crate::cors::Origins;
    use crate::extract::read_body;
    use crate::problem::Problem;
    use crate::{front, serve};

    use super::*;

    /// A service that refuses unread what comes to `/unread`.
    async fn service() -> SocketAddr {
        async fn length(request: Request) -> Result<String, Problem> {
            Ok(read_body(request.into_body()).await?.len().to_string())
        }
        let unread = put(|| async { Problem::invalid_id("review") });
        let routes = Router::new().route("/unread", unread).route("/read", post(length));
        let listener = serve::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = front::finish(routes, Origins::default());
        tokio::spawn(serve::serve(listener, app, CancellationToken::new()));
        address
    }

    /// Sends a head and a body, and reads the answer's head; `None` when the connection ends before it is whole.
    async fn ask(stream: &mut TcpStream, request: &str, length: usize, send: usize) -> Option<String> {
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let sent = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&vec![b'x'; send]).await
        };
        sent.await.ok()?;
        let mut received = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&received).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap().parse().unwrap() {
                    return Some(head);
                }
            }
            if stream.read_buf(&mut received).await.ok()? == 0 {
                return None;
            }
        }
    }

    #[tokio::test]
    async fn a_connection_outlives_refusals_of_bodies_that_nobody_read() {
        let address = service().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        for length in [0, 1, 5_000, BODY_LIMIT] {
            for (request, status) in [
                ("PUT /unread", "404"),
                ("POST /nowhere", "404"),
                ("DELETE /cart", "405"),
                ("POST /read", "200"),
            ] {
                let answer = ask(&mut stream, request, length, length).await;
                let answer = answer.unwrap_or_else(|| panic!("{request}, {length} bytes: it was cut off"));
                assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{request}: {answer}");
                assert!(!answer.contains("connection: close"), "{request}, {length} bytes: {answer}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_too_long_or_does_not_come_is_not_waited_for() {
        let address = service().await;
        for (length, sent) in [(100 * BODY_LIMIT, 0), (1_000, 10)] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let answering = tokio::time::timeout(3 * PATIENCE, ask(&mut stream, "PUT /unread", length, sent));
            let answer = answering.await.expect("it is answered").expect("it is answered whole");
            assert!(answer.starts_with("http/1.1 404 "), "{answer}");
        }
    }
}
