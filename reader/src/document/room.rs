//! How much memory answers may take until they are sent.
//!
//! An answer stays in memory for as long as its shopper takes to fetch it. Large answers have a room of their own: slow
//! shoppers with large pages then keep nobody from a small answer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An answer of more bytes is a large one.
const SMALL: usize = 1 << 20;
/// Bytes of all small answers together.
const FOR_SMALL: u32 = 64 << 20;
/// Bytes of all large answers together; one that is larger than that takes all of it, and so goes alone.
const FOR_LARGE: u32 = 192 << 20;

/// The memory for answers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Room {
    /// An answer of more bytes is a large one.
    limit: usize,
    small: Part,
    large: Part,
}

#[derive(Clone)]
struct Part {
    bytes: u32,
    free: Arc<Semaphore>,
}

/// An answer with its part of the room, given back when the last of its bytes is sent or dropped.
struct Held {
    text: Vec<u8>,
    _until_dropped: OwnedSemaphorePermit,
}

impl Room {
    /// The room of a reader.
    pub(crate) fn of_a_reader() -> Room {
        Room { limit: SMALL, small: Part::of(FOR_SMALL), large: Part::of(FOR_LARGE) }
    }

    /// Copies an answer into the room; none when there is not enough of it just now.
    pub(crate) fn hold(&self, text: &[u8]) -> Option<Bytes> {
        let part = if text.len() > self.limit { &self.large } else { &self.small };
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX).min(part.bytes);
        let permit = part.free.clone().try_acquire_many_owned(bytes).ok()?;
        Some(Bytes::from_owner(Held { text: text.to_vec(), _until_dropped: permit }))
    }
}

impl Part {
    fn of(bytes: u32) -> Part {
        Part { bytes, free: Arc::new(Semaphore::new(bytes as usize)) }
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room { limit: 4, small: Part::of(8), large: Part::of(20) }
    }

    #[test]
    fn an_answer_has_its_room_until_the_last_of_its_bytes_is_dropped() {
        let room = room();
        let first = room.hold(b"four").unwrap();
        let second = room.hold(b"more").unwrap();
        assert_eq!((&first[..], &second[..]), (&b"four"[..], &b"more"[..]));
        assert_eq!(room.hold(b"x"), None, "all of it is taken");
        let part = second.slice(2..);
        drop(second);
        assert_eq!(room.hold(b"x"), None, "a part of it is not sent yet");
        drop(part);
        assert!(room.hold(b"x").is_some());
    }

    #[test]
    fn large_answers_leave_the_room_of_small_ones_alone() {
        let room = room();
        let _large = room.hold(&[b'x'; 20]).unwrap();
        assert_eq!(room.hold(&[b'x'; 5]), None);
        assert!(room.hold(b"four").is_some());
    }

    #[test]
    fn one_that_is_larger_than_the_room_goes_alone() {
        let room = room();
        let other = room.hold(&[b'x'; 5]).unwrap();
        assert_eq!(room.hold(&[b'x'; 30]), None);
        drop(other);
        assert_eq!(room.hold(&[b'x'; 30]).unwrap().len(), 30);
    }
}
