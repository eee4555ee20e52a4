//! The stream as a whole, out of nats-server and into it again, by the server's own facility: its files in one archive, in
//! pieces that it is told have arrived.

use std::time::Duration;

use async_nats::{Client, Message, Request, StatusCode, Subscriber};
use bytes::Bytes;
use contract::subject::STREAM;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::inspect::Inspection;

/// Bytes of a piece; with its frame it stays below the server's `max_payload`.
pub const PIECE: usize = 512 * 1024;
/// How long the server may take to look through the files before the first piece comes, and to make the stream after the
/// last one was taken.
const LONG: Duration = Duration::from_secs(3600);
/// How long the next piece, or the answer to one, may take.
const NEXT: Duration = Duration::from_secs(30);
/// The status of the message behind the last piece.
const COMPLETE: u16 = 204;

/// The archive of a stream, as the server sends it.
pub struct BackUp {
    client: Client,
    pieces: Subscriber,
    /// Of the next piece, from 1.
    next: u64,
    /// The last piece has no number, because the server waits for no answer to it.
    last_came: bool,
    ended: bool,
    /// The stream's settings, as the server needs them to make it again.
    pub settings: Value,
    /// What the server says of what is in the archive.
    pub state: Value,
}

/// A stream that is made again from its archive.
pub struct Restoring {
    client: Client,
    subject: String,
}

impl Inspection {
    /// Begins to back the stream up. `whole`: the server first looks at the checksum of each event, and refuses when one is
    /// wrong; without it, it gives what it has.
    ///
    /// # Errors
    /// When there is no stream, or the server refuses.
    pub async fn back_up(&self, whole: bool) -> Result<BackUp> {
        let inbox = self.client.new_inbox();
        let failed = Error::request("give its files");
        let pieces = self.client.subscribe(inbox.clone()).await.map_err(|error| failed(error.into()))?;
        let request = json!({
            "deliver_subject": inbox, "no_consumers": true, "chunk_size": PIECE, "jsck": whole,
        });
        let answer =
            ask(&self.client, &format!("$JS.API.STREAM.SNAPSHOT.{STREAM}"), &request, "give its files")
                .await?;
        let part = |name: &str| answer.get(name).cloned().filter(Value::is_object);
        let (Some(settings), Some(state)) = (part("config"), part("state")) else {
            return Err(failed("its answer has no settings and no state".into()));
        };
        Ok(BackUp {
            client: self.client.clone(),
            pieces,
            next: 1,
            last_came: false,
            ended: false,
            settings,
            state,
        })
    }

    /// Begins to make the stream again, from settings and state as they came with its archive.
    ///
    /// # Errors
    /// When there is a stream already, or the server refuses.
    pub async fn restore(&self, settings: &Value, state: &Value) -> Result<Restoring> {
        let request = json!({ "config": settings, "state": state });
        let what = "take the stream's files";
        let answer = ask(&self.client, &format!("$JS.API.STREAM.RESTORE.{STREAM}"), &request, what).await?;
        match answer.get("deliver_subject").and_then(Value::as_str) {
            Some(subject) => Ok(Restoring { client: self.client.clone(), subject: subject.to_owned() }),
            None => Err(Error::request(what)("its answer names no subject".into())),
        }
    }
}

impl BackUp {
    /// The next piece; none when all have come.
    ///
    /// # Errors
    /// When the server stops, or a piece is missing.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let failed = |reason: String| Error::Request { what: "give its files", reason };
        if self.ended {
            return Ok(None);
        }
        let message = tokio::time::timeout(NEXT, self.pieces.next()).await;
        let message = message.map_err(|_| failed(format!("nothing came for {} s", NEXT.as_secs())))?;
        let message = message.ok_or_else(|| failed("the connection was lost".to_owned()))?;
        if message.payload.is_empty() {
            self.ended = true;
            return match message.status {
                // One piece alone comes without a status.
                None if self.next == 1 && self.last_came => Ok(None),
                None => Err(failed("it ended without saying that this was all".to_owned())),
                Some(status) if status.as_u16() == COMPLETE || status == StatusCode::OK => Ok(None),
                Some(status) => Err(failed(format!("{status} {}", message.description.unwrap_or_default()))),
            };
        }
        self.arrived(&message).await?;
        Ok(Some(message.payload))
    }

    /// Tells the server that a piece has come. The subject for that ends with the piece's size and number.
    async fn arrived(&mut self, message: &Message) -> Result<()> {
        let failed = |reason: String| Error::Request { what: "give its files", reason };
        if self.last_came {
            return Err(failed("a piece came behind the last one".to_owned()));
        }
        let Some(reply) = &message.reply else {
            self.last_came = true;
            return Ok(());
        };
        let mut parts = reply.rsplit('.').map(|part| part.parse().ok());
        let (number, size): (Option<u64>, Option<u64>) = (parts.next().flatten(), parts.next().flatten());
        if (number, size) != (Some(self.next), Some(message.payload.len() as u64)) {
            return Err(failed(format!("piece {} is missing, or was cut ({reply})", self.next)));
        }
        self.next += 1;
        self.client.publish(reply.clone(), Bytes::new()).await.map_err(|error| failed(error.to_string()))
    }
}

impl Restoring {
    /// Sends the next piece.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn send(&mut self, piece: Bytes) -> Result<()> {
        let answer = self.request(piece, NEXT).await?;
        if answer.is_empty() { Ok(()) } else { Err(refused(&answer)) }
    }

    /// Everything was sent: the stream comes into being.
    ///
    /// # Errors
    /// When the server cannot make it. Then there is none.
    pub async fn finish(self) -> Result<()> {
        let answer = self.request(Bytes::new(), LONG).await?;
        let said: Value = serde_json::from_slice(&answer).map_err(|_| refused(&answer))?;
        if said.get("error").is_none() { Ok(()) } else { Err(refused(&answer)) }
    }

    async fn request(&self, payload: Bytes, patience: Duration) -> Result<Bytes> {
        let request = Request::new().payload(payload).timeout(Some(patience));
        let answer = self.client.send_request(self.subject.clone(), request).await;
        Ok(answer.map_err(|error| Error::request("take the stream's files")(error.into()))?.payload)
    }
}

fn refused(answer: &[u8]) -> Error {
    Error::Request { what: "take the stream's files", reason: String::from_utf8_lossy(answer).into_owned() }
}

/// Asks JetStream; its refusals are errors.
async fn ask(client: &Client, subject: &str, request: &Value, what: &'static str) -> Result<Value> {
    let payload = Bytes::from(request.to_string());
    let request = Request::new().payload(payload).timeout(Some(LONG));
    let answer = client.send_request(subject.to_owned(), request).await;
    let answer = answer.map_err(|error| Error::request(what)(error.into()))?;
    let answer: Value =
        serde_json::from_slice(&answer.payload).map_err(|error| Error::request(what)(error.into()))?;
    let Some(error) = answer.get("error") else { return Ok(answer) };
    if error.get("err_code").and_then(Value::as_u64) == Some(STREAM_NOT_FOUND) {
        return Err(Error::NoStream);
    }
    let said = error.get("description").and_then(Value::as_str).unwrap_or("it says no reason");
    Err(Error::Request { what, reason: said.to_owned() })
}

/// JetStream's code for a stream that is not there.
const STREAM_NOT_FOUND: u64 = 10059;
