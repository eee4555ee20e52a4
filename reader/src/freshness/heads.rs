//! Where the stream's head was, and when: from it follows how old the data at a position may be.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use contract::Position;

/// Closer ones say little more.
const APART: Duration = Duration::from_millis(50);
/// Most that are remembered; then the older half is thinned out.
const MOST: usize = 256;

/// "At this time the stream's last position was not above that one", many times. Both rise from one to the next.
pub(super) struct Heads {
    began: Instant,
    known: VecDeque<(Instant, Position)>,
}

impl Heads {
    /// Nothing is known; what was before `began` never will be.
    pub(super) fn new(began: Instant) -> Heads {
        Heads { began, known: VecDeque::new() }
    }

    /// At this time the head was not above this position.
    pub(super) fn add(&mut self, at: Instant, head: Position) {
        let Some((last, before)) = self.known.back().copied() else {
            self.known.push_back((at, head));
            return;
        };
        if at <= last || (head > before && at.duration_since(last) < APART) {
            return;
        }
        // Later and not higher: it says all that those say.
        while self.known.back().is_some_and(|(_, before)| *before >= head) {
            self.known.pop_back();
        }
        self.known.push_back((at, head));
        if self.known.len() > MOST {
            let mut index = 0;
            self.known.retain(|_| {
                index += 1;
                index > MOST / 2 || index % 2 == 1
            });
        }
    }

    /// When data at a position was last known to be all that there was.
    pub(super) fn as_of(&self, position: Position) -> Instant {
        let above = self.known.partition_point(|(_, head)| *head <= position);
        above.checked_sub(1).map_or(self.began, |last| self.known[last].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn data_is_as_old_as_the_last_head_that_it_holds() {
        let began = Instant::now();
        let mut heads = Heads::new(began);
        assert_eq!(heads.as_of(Position(7)), began, "nothing was heard");
        heads.add(began + SECOND, Position(5));
        heads.add(began + 2 * SECOND, Position(7));
        heads.add(began + 3 * SECOND, Position(9));
        for (position, seconds) in [(4, 0), (5, 1), (6, 1), (7, 2), (8, 2), (9, 3), (10, 3)] {
            assert_eq!(heads.as_of(Position(position)), began + seconds * SECOND, "{position}");
        }
    }

    #[test]
    fn while_the_stream_is_idle_the_same_head_stays_young() {
        let began = Instant::now();
        let mut heads = Heads::new(began);
        for second in 1..10_000 {
            heads.add(began + second * SECOND, Position(5));
        }
        assert_eq!(heads.as_of(Position(5)), began + 9_999 * SECOND);
        assert_eq!(heads.known.len(), 1);
    }

    #[test]
    fn a_lower_head_that_is_told_later_corrects_and_an_older_word_changes_nothing() {
        let began = Instant::now();
        let mut heads = Heads::new(began);
        heads.add(began + SECOND, Position(9));
        heads.add(began + 2 * SECOND, Position(8));
        assert_eq!(heads.as_of(Position(8)), began + 2 * SECOND);
        heads.add(began + SECOND, Position(1));
        assert_eq!(heads.as_of(Position(8)), began + 2 * SECOND);
        assert_eq!(heads.as_of(Position(7)), began);
    }

    #[test]
    fn much_is_remembered_in_little() {
        let began = Instant::now();
        let mut heads = Heads::new(began);
        for second in 1..=100_000_u32 {
            heads.add(began + second * SECOND, Position(second.into()));
            assert!(heads.known.len() <= MOST);
            assert_eq!(heads.as_of(Position(second.into())), began + second * SECOND);
        }
        // Of what is long ago less is known, and never too much.
        for position in [1, 50, 5_000, 99_000] {
            assert!(heads.as_of(Position(position)) <= began + position as u32 * SECOND, "{position}");
        }
    }
}
