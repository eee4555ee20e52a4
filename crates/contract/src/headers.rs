//! HTTP headers of our own, as in the HTTP contract.

/// On every answer: `<epoch>-<position>`, of the event written or of the data served.
pub const POSITION: &str = "atelier-position";
/// On a write's answer: whether every live replica had applied the event when it was sent.
pub const APPLIED: &str = "atelier-applied";
/// On a read: the answer must not come from data older than this position.
pub const MIN_POSITION: &str = "atelier-min-position";
/// The cookie that demands the same: the highest position that a browser has written.
pub const POSITION_COOKIE: &str = "atelier_position";
/// On every read's answer: milliseconds since the replica was last known to be at the stream's head.
pub const STALENESS: &str = "atelier-staleness-ms";
/// On a read's answer that is older than was demanded: `true`.
pub const STALE: &str = "atelier-stale";
/// nginx's id of a request, equal on all of its tries; a client's own copy is overwritten there.
pub const ATTEMPT: &str = "atelier-attempt";
/// A client's name for its cart when it keeps no cookies.
pub const SESSION: &str = "atelier-session";
/// The cookie that holds the session's name.
pub const SESSION_COOKIE: &str = "atelier_session";
/// A client's name for a write: a retry gets the first answer.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest `Idempotency-Key`, in characters.
pub const IDEMPOTENCY_KEY_LIMIT: usize = 255;
/// Echoed or made; in every log line.
pub const REQUEST_ID: &str = "x-request-id";
/// Headers of ours that a browser's script may read.
pub const EXPOSED: &str = "Atelier-Position, Atelier-Applied, Atelier-Staleness-Ms, Atelier-Stale, X-Request-Id, \
     Retry-After, Preference-Applied, Location, Allow, ETag";

/// Whether a text may stand as an `Idempotency-Key`: 1 to 255 visible ASCII characters.
pub fn is_idempotency_key(text: &[u8]) -> bool {
    (1..=IDEMPOTENCY_KEY_LIMIT).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
}
