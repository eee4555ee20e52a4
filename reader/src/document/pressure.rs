//! Whether more is asked for than can be answered.
//!
//! A queue that empties again is a burst, and everybody in it is answered. One that stands is of use to nobody: what comes
//! in at its end is as late as what is served at its front. So when whoever is taken from it has waited long for a while on
//! end, those that waited too long are refused, and the others are answered soon. (The rule is CoDel's, RFC 8289.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Waits that last so long on end are no burst.
const INTERVAL: Duration = Duration::from_millis(100);
/// No wait is long just now.
const NONE: u64 = 0;

/// What is known of the queue from whoever is taken from it.
pub(super) struct Pressure {
    /// How long a request may wait while the queue stands.
    bound: Duration,
    began: Instant,
    /// Since when all have waited long, in microseconds since the beginning.
    long_since: AtomicU64,
}

impl Pressure {
    pub(super) fn bounded(bound: Duration) -> Pressure {
        Pressure { bound, began: Instant::now(), long_since: AtomicU64::new(NONE) }
    }

    /// Whether a request that waited so long and is taken from the queue now is still to be answered.
    pub(super) fn takes(&self, waited: Duration, now: Instant) -> bool {
        if waited < self.bound / 2 {
            self.long_since.store(NONE, Ordering::Relaxed);
            return true;
        }
        let now = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX).max(1);
        match self.long_since.load(Ordering::Relaxed) {
            NONE => {
                self.long_since.store(now, Ordering::Relaxed);
                true
            }
            since if Duration::from_micros(now.saturating_sub(since)) < INTERVAL => true,
            _ => waited <= self.bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_millis(20);

    fn milliseconds(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn a_burst_is_answered_and_a_standing_queue_is_cut() {
        let pressure = Pressure::bounded(BOUND);
        let start = pressure.began + milliseconds(1);
        for waited in [30, 60, 90] {
            assert!(pressure.takes(milliseconds(waited), start + milliseconds(waited)), "a burst");
        }
        let standing = start + milliseconds(200);
        assert!(!pressure.takes(milliseconds(21), standing));
        assert!(pressure.takes(milliseconds(20), standing), "it did not wait too long");
        assert!(!pressure.takes(milliseconds(300), standing + milliseconds(5)));
        assert!(pressure.takes(milliseconds(9), standing + milliseconds(6)), "the queue has become short");
        assert!(pressure.takes(milliseconds(300), standing + milliseconds(7)), "and may become long again");
    }

    #[test]
    fn what_piled_up_behind_a_standstill_is_answered() {
        let pressure = Pressure::bounded(BOUND);
        assert!(pressure.takes(milliseconds(0), pressure.began));
        let after = pressure.began + milliseconds(5_000);
        for number in 0..50 {
            assert!(pressure.takes(milliseconds(400), after + milliseconds(number)));
        }
    }
}
