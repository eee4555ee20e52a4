//! The wall clock, in the one place that reads it for events.

use contract::Millis;

/// Now, in milliseconds since 1970.
pub fn now() -> Millis {
    Millis(jiff::Timestamp::now().as_millisecond())
}
