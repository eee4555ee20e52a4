//! Numbers from a seed that a failing test tells.

use std::time::SystemTime;

/// A small generator (splitmix64): equal seeds give equal numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From ATELIER_TEST_SEED, else from the clock; the seed is printed, so that a failure can be repeated.
    ///
    /// # Panics
    /// When the variable holds no number.
    #[must_use]
    pub fn announced(test: &str) -> Random {
        let seed = match std::env::var("ATELIER_TEST_SEED") {
            Ok(text) => text.parse().expect("ATELIER_TEST_SEED is a number"),
            Err(_) => SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64),
        };
        #[allow(clippy::print_stdout, reason = "shown by the test harness when the test fails")]
        {
            println!("{test}: repeat with ATELIER_TEST_SEED={seed}");
        }
        Random(seed)
    }

    /// From a seed that somebody else has told.
    #[must_use]
    pub fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// From 0 to below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
