//! What every write carries, whatever its resource.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use contract::{Envelope, Event, Idempotency};
use service::problem::Problem;
use service::{extract, time};

use crate::app::App;
use crate::idempotency::{self, Identity};

/// A write's request, read whole.
pub(crate) struct Write {
    /// Its body.
    pub(crate) body: Bytes,
    /// What makes its repeats duplicates.
    pub(crate) identity: Identity,
    /// Answer as soon as the event is durable (`Prefer: respond-async`).
    pub(crate) respond_async: bool,
    trace: Option<String>,
}

impl Write {
    /// Reads a request.
    ///
    /// # Errors
    /// A body too large or cut, or a malformed `Idempotency-Key`.
    pub(crate) async fn extract(app: &App, request: Request) -> Result<Write, Problem> {
        let (parts, body) = request.into_parts();
        let body = extract::read_body(body).await?;
        // What a PUT carries is ignored, also when two requests are compared.
        let compared = if parts.method == Method::PUT { &[][..] } else { &body[..] };
        let identity =
            idempotency::identify(&app.hashing, &parts.method, parts.uri.path(), &parts.headers, compared)?;
        Ok(Write {
            identity,
            respond_async: prefers_respond_async(&parts.headers),
            trace: trace(&parts.headers),
            body,
        })
    }

    /// The hashes of its `Idempotency-Key`, if it has one.
    pub(crate) fn key(&self) -> Option<&Idempotency> {
        self.identity.idempotency.as_ref()
    }

    /// The envelope of the event that the write makes.
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope {
            id: self.identity.message_id.clone(),
            time: time::now(),
            source: "/atelier/writer".to_owned(),
            trace: self.trace.clone(),
            idempotency: self.identity.idempotency.clone(),
        }
    }

    /// The message of an event.
    pub(crate) fn message(&self, event: &Event) -> stream::Message {
        stream::Message::new(&self.envelope(), event)
    }
}

fn prefers_respond_async(headers: &HeaderMap) -> bool {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split([',', ';']))
        .any(|token| token.trim().eq_ignore_ascii_case("respond-async"))
}

/// W3C trace context, when it has its form; anything else stays out of the stream.
fn trace(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let hexadecimal = text.bytes().all(|c| c == b'-' || c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    (lengths == [2, 32, 16, 2] && hexadecimal).then(|| text.to_owned())
}
