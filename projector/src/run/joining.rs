//! When a replica serves. One that comes, or comes back, catches up first; then it says that it is joining, so that
//! writers wait for it; half a second later the stream is asked for its head, and when the replica has reached that, it
//! serves. What it missed while nobody waited for it, and what a crash took back, is then seen by nobody.

use std::time::{Duration, Instant};

use contract::Position;
use contract::announcement::State;

/// How long a replica says that it is joining before the stream is asked for its head: by then every writer has heard it.
const SAID: Duration = Duration::from_millis(500);

/// How far a replica is on its way to serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// It must reach this position first.
    Behind(Position),
    /// It says that it is joining, since then.
    Saying(Instant),
    /// It has said so for long enough, and must reach this position.
    Asked(Position),
    /// It serves.
    Done,
}

impl Joining {
    /// The replica is at a position. Answers what it is to be called.
    pub(crate) fn at(&mut self, position: Position, now: Instant) -> State {
        match *self {
            Joining::Behind(target) if position >= target => *self = Joining::Saying(now),
            Joining::Asked(target) if position >= target => *self = Joining::Done,
            _ => {}
        }
        match self {
            Joining::Behind(_) => State::CatchingUp,
            Joining::Saying(_) | Joining::Asked(_) => State::Joining,
            Joining::Done => State::Serving,
        }
    }

    /// The stream's head, for which it was asked then.
    pub(crate) fn head(&mut self, head: Position, asked: Instant) {
        if let Joining::Saying(since) = self
            && asked.saturating_duration_since(*since) >= SAID
        {
            *self = Joining::Asked(head);
        }
    }

    /// The replica was not heard for a while: writers may have stopped waiting for it.
    pub(crate) fn again(&mut self, now: Instant) {
        if *self == Joining::Done {
            *self = Joining::Saying(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_serves_when_it_has_what_there_was_half_a_second_after_it_said_that_it_joins() {
        let start = Instant::now();
        let mut joining = Joining::Behind(Position(10));
        assert_eq!(joining.at(Position(9), start), State::CatchingUp);
        joining.head(Position(11), start + SAID);
        assert_eq!(joining.at(Position(10), start), State::Joining);
        joining.head(Position(11), start + SAID / 2);
        assert_eq!(joining.at(Position(11), start + SAID), State::Joining, "that was asked too early");
        joining.head(Position(14), start + SAID);
        // What comes later is waited for by the writers.
        joining.head(Position(99), start + 2 * SAID);
        assert_eq!(joining.at(Position(13), start + SAID), State::Joining);
        assert_eq!(joining.at(Position(14), start + SAID), State::Serving);
        assert_eq!(joining.at(Position(15), start + SAID), State::Serving);
    }

    #[test]
    fn an_idle_replica_needs_no_event_to_serve() {
        let start = Instant::now();
        let mut joining = Joining::Behind(Position(10));
        assert_eq!(joining.at(Position(10), start), State::Joining);
        joining.head(Position(10), start + SAID);
        assert_eq!(joining.at(Position(10), start + SAID), State::Serving);
    }

    #[test]
    fn one_that_was_silent_joins_again() {
        let start = Instant::now();
        let mut joining = Joining::Done;
        joining.again(start);
        joining.head(Position(12), start);
        assert_eq!(joining.at(Position(12), start), State::Joining);
        joining.head(Position(12), start + SAID);
        assert_eq!(joining.at(Position(12), start + SAID), State::Serving);
        let mut behind = Joining::Behind(Position(10));
        behind.again(start);
        assert_eq!(behind, Joining::Behind(Position(10)));
    }
}
