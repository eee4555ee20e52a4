//! Waiting for a condition, with a deadline and a failure that says what was seen last.

use std::time::{Duration, Instant};

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks again and again until `look` answers, and hands its answer on.
///
/// # Panics
/// When it has not answered in time, with what it said last instead.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let started = Instant::now();
    loop {
        let said = match look().await {
            Ok(seen) => return seen,
            Err(said) => said,
        };
        assert!(
            started.elapsed() < within,
            "within {} s it did not come true that {what}: {said}",
            within.as_secs_f32()
        );
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// So many seconds, in few letters.
#[must_use]
pub fn within(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
