//! An event as it lies in the stream, for people: type, times, headers, payload. E-mail addresses in it are sealed.

use std::fmt;

use contract::Position;
use serde::Serialize;
use serde_json::Value;
use stream::StoredEvent;

/// What nats-server adds to its answer, and nobody has sent.
const TOLD_BY_THE_SERVER: [&str; 4] = ["Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"];
/// So much of a payload is shown.
const SHOWN: usize = 4_000;

/// An event as it lies in the stream.
#[derive(Debug, Serialize)]
pub(crate) struct Stored {
    pub(crate) position: u64,
    /// As its attributes name it.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) subject: String,
    /// By the broker's clock.
    pub(crate) stored: String,
    /// Why this build cannot read it as an event.
    pub(crate) unreadable: Option<String>,
    /// As they were sent.
    pub(crate) headers: Vec<(String, String)>,
    /// JSON as it is; else text, cut.
    pub(crate) payload: Value,
    pub(crate) payload_bytes: usize,
}

impl Stored {
    pub(crate) fn of(event: &StoredEvent) -> Stored {
        let mut headers = event.headers();
        headers.retain(|(name, _)| !TOLD_BY_THE_SERVER.contains(&name.as_str()));
        headers.sort();
        Stored {
            position: event.position.0,
            event_type: event.event_type(),
            subject: event.subject.clone(),
            stored: event.stored.to_string(),
            unreadable: event.decode().err().map(|error| service::telemetry::with_causes(&error)),
            headers,
            payload: payload(&event.payload),
            payload_bytes: event.payload.len(),
        }
    }
}

/// A large one is cut, and is text then: half a document is none.
fn payload(bytes: &[u8]) -> Value {
    match serde_json::from_slice(bytes) {
        Ok(value) if bytes.len() <= SHOWN => value,
        _ => Value::String(String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned()),
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "type      {}", self.event_type)?;
        writeln!(f, "subject   {}", self.subject)?;
        writeln!(f, "stored    {}", self.stored)?;
        if let Some(error) = &self.unreadable {
            writeln!(f, "unreadable: {error}")?;
        }
        writeln!(f, "headers")?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {}", printable(value))?;
        }
        writeln!(f, "payload, {} bytes", self.payload_bytes)?;
        let text = match &self.payload {
            Value::String(text) => printable(text),
            value => serde_json::to_string_pretty(value).map_err(|_| fmt::Error)?,
        };
        for line in text.lines() {
            writeln!(f, "  {line}")?;
        }
        if self.payload_bytes > SHOWN {
            writeln!(f, "  … (nats stream get ATELIER {} shows all of it)", Position(self.position))?;
        }
        Ok(())
    }
}

/// Nothing that a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_json_where_it_is_some_and_cut_where_it_is_long() {
        assert_eq!(payload(br#"{"a":1}"#), serde_json::json!({"a": 1}));
        assert_eq!(payload(b"{\xff"), Value::String("{\u{fffd}".into()));
        let long = format!("[{}1]", "1,".repeat(SHOWN));
        assert_eq!(payload(long.as_bytes()).as_str().map(str::len), Some(SHOWN));
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_shopper_wrote() {
        assert_eq!(printable("a\u{1b}[31m\nb\u{0}"), "a\u{fffd}[31m\nb\u{fffd}");
    }
}
