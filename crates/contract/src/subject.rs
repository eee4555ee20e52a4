//! The stream's name and subjects, and those of announcements. Fixed: other teams subscribe to them.

/// The stream.
pub const STREAM: &str = "ATELIER";
/// What the stream holds; never `atelier.>`, which would swallow announcements.
pub const EVENTS: &str = "atelier.v1.>";
/// Announcements of all replicas.
pub const PROGRESS: &str = "atelier.progress.*";
/// Writers' announcements of what they stored.
pub const STORED: &str = "atelier.stored";

/// The subject of an event's type, as in `atelier.v1.review.created`.
pub fn of_event(event_type: &str) -> String {
    format!("atelier.v1.{event_type}")
}

/// The subject on which one replica announces its progress.
pub fn of_progress(replica: &str) -> String {
    format!("atelier.progress.{replica}")
}
