//! What every event carries beside its content: CloudEvents attributes as headers, and the hashes that make a
//! write happen once.

use sha2::{Digest, Sha256};

use crate::event::{DecodeError, Event};
use crate::subject;
use crate::time::Millis;

/// Header names on the wire.
pub mod names {
    /// CloudEvents version, always `1.0`.
    pub const SPEC_VERSION: &str = "ce-specversion";
    /// Type and version, as in `atelier.review.created.v1`.
    pub const TYPE: &str = "ce-type";
    /// Which service made the event.
    pub const SOURCE: &str = "ce-source";
    /// The message id.
    pub const ID: &str = "ce-id";
    /// The broker's own name for the message id; equal to `ce-id`.
    pub const MESSAGE_ID: &str = "Nats-Msg-Id";
    /// When the event was made, UTC, milliseconds.
    pub const TIME: &str = "ce-time";
    /// Media type of the payload.
    pub const CONTENT_TYPE: &str = "content-type";
    /// W3C trace context.
    pub const TRACE: &str = "traceparent";
    /// Keyed hash that names the Idempotency-Key in its scope.
    pub const IDEMPOTENCY_KEY: &str = "ce-idempotencykey";
    /// Keyed hash of the request's path and body.
    pub const BODY_HASH: &str = "ce-bodyhash";
}

/// The keyed hashes of a write that named itself by an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Idempotency {
    /// Hash of method, path, session and key.
    pub key: String,
    /// Hash of the path and the raw body.
    pub body: String,
}

impl Idempotency {
    /// More letters than a keyed hash has.
    const LONGEST: usize = 64;

    /// The hashes of a message that is not read as an event: only what looks like hashes, because it is to be stored
    /// whatever stands in the rest.
    pub fn alone<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Idempotency> {
        let hash = |name: &str| {
            let like =
                |text: &&str| text.len() <= Self::LONGEST && text.bytes().all(|c| c.is_ascii_alphanumeric());
            header(name).filter(like).map(str::to_owned)
        };
        Some(Idempotency { key: hash(names::IDEMPOTENCY_KEY)?, body: hash(names::BODY_HASH)? })
    }
}

/// An event's attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Message id; equal ids within the broker's window are stored once.
    pub id: String,
    /// When the event was made; the date of what it makes.
    pub time: Millis,
    /// Which service made it, as in `/atelier/writer`.
    pub source: String,
    /// W3C trace context of the request.
    pub trace: Option<String>,
    /// Present when the write carried an `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

impl Envelope {
    /// An envelope without trace and key.
    pub fn new(id: String, time: Millis, source: &str) -> Envelope {
        Envelope { id, time, source: source.to_owned(), trace: None, idempotency: None }
    }

    /// The message's headers.
    pub fn headers(&self, event: &Event) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (names::MESSAGE_ID, self.id.clone()),
            (names::SPEC_VERSION, "1.0".to_owned()),
            (names::TYPE, event.ce_type()),
            (names::SOURCE, self.source.clone()),
            (names::ID, self.id.clone()),
            (names::TIME, self.time.to_string()),
            (names::CONTENT_TYPE, event.content_type().to_owned()),
        ];
        headers.extend(self.trace.clone().map(|trace| (names::TRACE, trace)));
        if let Some(idempotency) = &self.idempotency {
            headers.push((names::IDEMPOTENCY_KEY, idempotency.key.clone()));
            headers.push((names::BODY_HASH, idempotency.body.clone()));
        }
        headers
    }

    /// Reads a message's headers, each looked up by its name.
    ///
    /// # Errors
    /// When an attribute that every event has is missing or unreadable.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Result<Envelope, DecodeError> {
        let required = |name: &'static str| header(name).map(str::to_owned).ok_or(DecodeError::Header(name));
        let idempotency = match (header(names::IDEMPOTENCY_KEY), header(names::BODY_HASH)) {
            (Some(key), Some(body)) => Some(Idempotency { key: key.to_owned(), body: body.to_owned() }),
            (None, None) => None,
            (Some(_), None) => return Err(DecodeError::Header(names::BODY_HASH)),
            (None, Some(_)) => return Err(DecodeError::Header(names::IDEMPOTENCY_KEY)),
        };
        Ok(Envelope {
            id: required(names::MESSAGE_ID)?,
            time: required(names::TIME)?.parse().map_err(|_| DecodeError::Header(names::TIME))?,
            source: required(names::SOURCE)?,
            trace: header(names::TRACE).map(str::to_owned),
            idempotency,
        })
    }
}

/// The event's hash: SHA-256 of subject, message id and payload. A checkpoint remembers it, so that a stream whose
/// history changed is recognised.
pub fn event_hash(subject: &str, id: &str, payload: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [subject.as_bytes(), id.as_bytes(), payload] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The subject on which an event is published.
pub fn subject_of(event: &Event) -> String {
    subject::of_event(event.type_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::reviews::ReviewHelpful;

    #[test]
    fn headers_read_back_as_written() {
        let event = Event::ReviewHelpful(ReviewHelpful { review_id: 5 });
        let mut envelope = Envelope::new("id-1".into(), Millis(1_795_449_000_007), "/atelier/writer");
        envelope.trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        envelope.idempotency = Some(Idempotency { key: "k".into(), body: "b".into() });
        let headers = envelope.headers(&event);
        let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
        assert_eq!(Envelope::read(header).unwrap(), envelope);
        assert_eq!(header(names::TYPE), Some("atelier.review.helpful.v1"));
        assert!(Envelope::read(|name| if name == names::TIME { None } else { header(name) }).is_err());
        assert!(Envelope::read(|name| if name == names::BODY_HASH { None } else { header(name) }).is_err());
        assert_eq!(Idempotency::alone(header), envelope.idempotency);
        let spoiled = |name: &str| if name == names::BODY_HASH { Some("a\0b") } else { header(name) };
        assert_eq!(Idempotency::alone(spoiled), None);
    }
}
