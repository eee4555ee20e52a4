//! The stream's name and subjects, and those of announcements. Fixed: other teams subscribe to them.

/// The stream.
pub const STREAM: &str = "ATELIER";
/// What the stream holds; never `atelier.>`, which would swallow announcements.
pub const EVENTS: &str = "atelier.v1.>";
/// Announcements of all replicas.
pub const PROGRESS: &str = "atelier.progress.*";
/// Writers' announcements of what they stored.
pub const STORED: &str = "atelier.stored";

/// What stands before an event's type.
const EVENT: &str = "atelier.v1.";
/// More letters than any type has.
const LONGEST_TYPE: usize = 120;

/// The subject of an event's type, as in `atelier.v1.review.created`.
pub fn of_event(event_type: &str) -> String {
    format!("{EVENT}{event_type}")
}

/// The type that a subject names, also of a message that is no event known here: what is said and counted of one that
/// nobody reads must not depend on who could read it.
pub fn event_type(subject: &str) -> String {
    let name = subject.strip_prefix(EVENT).unwrap_or(subject);
    name.chars().filter(|c| !c.is_control()).take(LONGEST_TYPE).collect()
}

/// The subject on which one replica announces its progress.
pub fn of_progress(replica: &str) -> String {
    format!("atelier.progress.{replica}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_its_type_whatever_stands_there() {
        assert_eq!(event_type(&of_event("review.created")), "review.created");
        assert_eq!(event_type("atelier.v1.review.liked\u{7}"), "review.liked");
        assert_eq!(event_type(&of_event(&"x".repeat(500))).len(), LONGEST_TYPE);
    }
}
