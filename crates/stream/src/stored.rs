//! An event as it lies in the stream.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use bytes::Bytes;
use contract::envelope::{event_hash, names};
use contract::{Envelope, Event, Idempotency, Millis, Position};
use futures::StreamExt;

use crate::connect::Link;
use crate::error::{Error, Result};

/// An event as it lies in the stream, not decoded yet.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its position.
    pub position: Position,
    /// Its subject.
    pub subject: String,
    /// When the broker stored it.
    pub stored: Millis,
    /// Events known to lie behind it.
    pub pending: u64,
    /// Its content's bytes.
    pub payload: Bytes,
    headers: HeaderMap,
}

impl StoredEvent {
    pub(crate) fn new(
        position: u64,
        subject: &str,
        nanoseconds: i128,
        pending: u64,
        headers: HeaderMap,
        payload: Bytes,
    ) -> StoredEvent {
        StoredEvent {
            position: Position(position),
            subject: subject.to_owned(),
            stored: Millis(i64::try_from(nanoseconds / 1_000_000).unwrap_or_default()),
            pending,
            payload,
            headers,
        }
    }

    /// A message that was read directly: what lies behind it is not known.
    fn of(message: StreamMessage) -> StoredEvent {
        StoredEvent::new(
            message.sequence,
            &message.subject,
            message.time.unix_timestamp_nanos(),
            0,
            message.headers,
            message.payload,
        )
    }

    /// Its attributes and content.
    ///
    /// # Errors
    /// When it is of a type that this build does not know, or is no event.
    pub fn decode(&self) -> Result<(Envelope, Event)> {
        let unreadable = |source| Error::Unreadable { position: self.position, source };
        let envelope = Envelope::read(|name| self.header(name)).map_err(unreadable)?;
        let ce_type = self.header(names::TYPE).unwrap_or_default();
        Ok((envelope, Event::decode(ce_type, &self.payload).map_err(unreadable)?))
    }

    /// Its hash, as checkpoints remember it.
    pub fn hash(&self) -> [u8; 32] {
        event_hash(&self.subject, self.header(names::MESSAGE_ID).unwrap_or_default(), &self.payload)
    }

    /// The hashes of the `Idempotency-Key` that it carries, however the rest of it reads.
    pub fn idempotency(&self) -> Option<Idempotency> {
        Idempotency::alone(|name| self.header(name))
    }

    /// Its type: as its attributes name it, or as its subject does.
    pub fn event_type(&self) -> String {
        let named = self.header(names::TYPE).and_then(|name| name.strip_prefix("atelier."));
        match named.and_then(|name| name.rsplit_once(".v")) {
            Some((name, _)) => name.to_owned(),
            None => contract::subject::event_type(&self.subject),
        }
    }

    /// All headers, as they came.
    pub fn headers(&self) -> Vec<(String, String)> {
        let all = self.headers.iter();
        all.flat_map(|(name, values)| {
            values.iter().map(|value| (name.to_string(), value.as_str().to_owned()))
        })
        .collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.as_str())
    }
}

impl Link {
    /// Reads the event at one position.
    ///
    /// # Errors
    /// When there is none, or the server does not answer.
    pub async fn read(&self, position: Position) -> Result<StoredEvent> {
        use async_nats::jetstream::stream::DirectGetErrorKind;
        let read = async {
            let stream = self.context.get_stream_no_info(contract::subject::STREAM).await;
            let stream = stream.map_err(|e| Error::request("read an event")(e.into()))?;
            stream.direct_get(position.0).await.map_err(|error| match error.kind() {
                DirectGetErrorKind::NotFound => Error::Missing(position),
                _ => Error::request("read an event")(error.into()),
            })
        };
        self.until_closed("read an event", read).await.map(StoredEvent::of)
    }

    /// All events on one subject from a position on: few, because each is asked for by itself.
    ///
    /// # Errors
    /// When the server does not answer, or counts more of them than it gives.
    pub async fn all_on(&self, subject: &str, from: Position) -> Result<Vec<StoredEvent>> {
        use async_nats::jetstream::stream::DirectGetErrorKind;
        // The leader counts; whoever answers a direct question may not have everything yet. It counts all of them only.
        let counted = if from <= self.first { self.count_on(subject).await? } else { 0 };
        let read = async {
            let stream = self.context.get_stream_no_info(contract::subject::STREAM).await;
            let stream = stream.map_err(|e| Error::request("read an event")(e.into()))?;
            let mut events: Vec<StoredEvent> = Vec::new();
            loop {
                let next = events.last().map_or(from, |last| last.position.next());
                match stream.direct_get_next_for_subject(subject, Some(next.0)).await {
                    Ok(message) => events.push(StoredEvent::of(message)),
                    Err(error) if error.kind() == DirectGetErrorKind::NotFound => return Ok(events),
                    Err(error) => return Err(Error::request("read an event")(error.into())),
                }
            }
        };
        let events = self.until_closed("read an event", read).await?;
        if (events.len() as u64) < counted {
            let reason = format!("it counts {counted} events on {subject} and gives {}", events.len());
            return Err(Error::Request { what: "give all events of a subject", reason });
        }
        Ok(events)
    }

    async fn count_on(&self, subject: &str) -> Result<u64> {
        let failed = |e| Error::request("count events")(e);
        let count = async {
            let stream = self.context.get_stream_no_info(contract::subject::STREAM).await;
            let stream = stream.map_err(|e| failed(e.into()))?;
            let mut told =
                stream.info_builder().subjects(subject).fetch().await.map_err(|e| failed(e.into()))?;
            match told.next().await {
                Some(told) => told.map(|(_, count)| count as u64).map_err(|e| failed(e.into())),
                None => Ok(0),
            }
        };
        self.until_closed("count events", count).await
    }

    /// Reads the last event on one subject, if there is any.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn last_on(&self, subject: &str) -> Result<Option<StoredEvent>> {
        use async_nats::jetstream::stream::DirectGetErrorKind;
        let read = async {
            let stream = self.context.get_stream_no_info(contract::subject::STREAM).await;
            let stream = stream.map_err(|e| Error::request("read an event")(e.into()))?;
            match stream.direct_get_last_for_subject(subject).await {
                Ok(message) => Ok(Some(message)),
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::request("read an event")(error.into())),
            }
        };
        Ok(self.until_closed("read an event", read).await?.map(StoredEvent::of))
    }
}
