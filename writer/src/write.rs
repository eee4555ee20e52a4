//! What every write carries, whatever its resource.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use contract::{Envelope, Event, Idempotency};
use service::position::Cookie;
use service::problem::Problem;
use service::{extract, time};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::commit::NotCommitted;
use crate::idempotency::{self, Identity};

/// Bytes of a body that take one unit of the room.
const UNIT: usize = 8 * 1024;

/// A write's request, read whole.
pub(crate) struct Write {
    /// Its body.
    pub(crate) body: Bytes,
    /// What makes its repeats duplicates.
    pub(crate) identity: Identity,
    /// Answer as soon as the event is durable (`Prefer: respond-async`).
    pub(crate) respond_async: bool,
    /// The position that its sender's browser has, and will have.
    pub(crate) position: Cookie,
    /// When it came.
    pub(crate) started: Instant,
    trace: Option<String>,
    /// Held until the write is answered: what bounds the memory of all of them.
    _room: OwnedSemaphorePermit,
}

impl Write {
    /// Reads a request.
    ///
    /// # Errors
    /// A body too large or cut, or a malformed `Idempotency-Key`.
    pub(crate) async fn extract(app: &App, request: Request) -> Result<Write, Problem> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let units = units(&parts.headers);
        let room = app.room.clone().try_acquire_many_owned(units).map_err(|_| NotCommitted::Overloaded)?;
        let body = extract::read_body(body).await?;
        // What a PUT carries is ignored, also when two requests are compared.
        let compared = if parts.method == Method::PUT { &[][..] } else { &body[..] };
        let identity =
            idempotency::identify(&app.hashing, &parts.method, parts.uri.path(), &parts.headers, compared)?;
        Ok(Write {
            identity,
            respond_async: prefers_respond_async(&parts.headers),
            position: Cookie::of(&parts.headers, &app.origins),
            trace: trace(&parts.headers),
            started,
            body,
            _room: room,
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

/// What a request takes of the room: one unit, and one for each 8 kB of its body. A body of unknown length counts as the
/// largest there may be.
fn units(headers: &HeaderMap) -> u32 {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let length = match (length, headers.contains_key(header::TRANSFER_ENCODING)) {
        (Some(length), false) => length.min(extract::BODY_LIMIT),
        (None, false) => 0,
        (_, true) => extract::BODY_LIMIT,
    };
    1 + (length / UNIT) as u32
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
