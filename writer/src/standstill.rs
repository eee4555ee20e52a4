//! A writer that stood still as a whole, as a stopped process or a frozen machine does, and goes on.
//!
//! What lies unread in its sockets was sent to another writer meanwhile. Once the broker has forgotten the message ids of
//! that time, publishing it here would make second events of it. How old such a request is cannot be seen; that the process
//! stood still can.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the clock is looked at.
const BEAT: Duration = Duration::from_secs(1);
/// Longer than a busy machine lets a process wait, and shorter than any broker's memory in use (a minute and more).
const LONGEST: Duration = Duration::from_secs(30);

/// The writer must not go on.
#[derive(Debug, thiserror::Error)]
#[error(
    "this writer stood still for {} s: writes in its sockets were sent to another one meanwhile, so none is stored here. It ends; start it again, as a supervisor does",
    .0.as_secs()
)]
pub(crate) struct StoodStill(Duration);

/// Beats while the process runs. Clones share it.
#[derive(Clone)]
pub(crate) struct Pulse {
    began: Instant,
    /// The last beat, in milliseconds since the beginning.
    last: Arc<AtomicU64>,
}

impl Pulse {
    /// Begins with a beat.
    pub(crate) fn new() -> Pulse {
        Pulse { began: Instant::now(), last: Arc::default() }
    }

    /// Whether the process has just stood still: it stays so from then on.
    pub(crate) fn stopped(&self) -> bool {
        self.check(Instant::now()).is_err()
    }

    /// Beats until the process stood still.
    pub(crate) async fn beat(&self) -> StoodStill {
        loop {
            tokio::time::sleep(BEAT).await;
            let now = Instant::now();
            if let Err(stood_still) = self.check(now) {
                return stood_still;
            }
            self.last.store(self.since_beginning(now), Ordering::Relaxed);
        }
    }

    fn check(&self, now: Instant) -> Result<(), StoodStill> {
        let gap = self.since_beginning(now).saturating_sub(self.last.load(Ordering::Relaxed));
        let gap = Duration::from_millis(gap);
        if gap > LONGEST { Err(StoodStill(gap)) } else { Ok(()) }
    }

    fn since_beginning(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_between_two_beats_is_a_standstill_and_a_late_beat_is_none() {
        let pulse = Pulse::new();
        let after = |seconds| pulse.began + Duration::from_secs(seconds);
        assert!(pulse.check(after(30)).is_ok());
        assert_eq!(pulse.check(after(75)).unwrap_err().0, Duration::from_secs(75));
        pulse.last.store(60_000, Ordering::Relaxed);
        assert!(pulse.check(after(75)).is_ok());
    }
}
