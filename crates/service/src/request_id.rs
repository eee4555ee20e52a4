//! A request's id: the client's own when it is sensible, else a new one; in every log line and on the answer.

use axum::http::HeaderMap;
use contract::headers::REQUEST_ID;

/// Longest id that is taken over from a client, in characters.
const LIMIT: usize = 128;

/// The id that a request carries, or a new one.
pub fn of(headers: &HeaderMap) -> String {
    let carried = headers.get(REQUEST_ID).map(|value| value.as_bytes());
    match carried {
        Some(id) if (1..=LIMIT).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic) => {
            String::from_utf8_lossy(id).into_owned()
        }
        _ => uuid::Uuid::now_v7().simple().to_string(),
    }
}
