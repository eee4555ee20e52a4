//! An event as it lies in the stream.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use bytes::Bytes;
use contract::envelope::{event_hash, names};
use contract::{Envelope, Event, Millis, Position};

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
