//! What announcements say, with their times: pure, so that its rules can be tested without waiting.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use contract::announcement::Progress;
use contract::fold::Outcome;
use contract::{Epoch, Position};

/// A replica whose last word is older is not waited for; a writer that has listened for less knows nothing.
pub(super) const LIVE: Duration = Duration::from_secs(2);
/// Two announcements of each replica come in this time: who refuses the stream is judged by all of them.
const SPOKEN: Duration = Duration::from_millis(500);
/// Exceptions remembered for each replica.
const REMEMBERED: usize = 10_000;

struct Replica {
    last: Progress,
    at: Instant,
    /// When it was last heard at the stream's head.
    at_head: Option<Instant>,
    /// From just above here to its position every exception is known.
    known_above: Position,
    exceptions: BTreeMap<Position, (Outcome, Option<Position>)>,
}

/// What replicas say of the stream behind the connection, by their words since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// At least one follows it.
    Followed,
    /// All that are heard refuse it, or stand in another life of it.
    Refused,
    /// Too little was heard.
    Unknown,
}

/// What was heard of each replica.
pub(super) struct Heard {
    since: Instant,
    replicas: HashMap<String, Replica>,
}

impl Heard {
    pub(super) fn new(since: Instant) -> Heard {
        Heard { since, replicas: HashMap::new() }
    }

    /// Listening began (again): what was said meanwhile was missed.
    pub(super) fn listening_since(&mut self, since: Instant) {
        self.since = since;
    }

    pub(super) fn hear(&mut self, name: String, progress: Progress, at: Instant) {
        let replica = self.replicas.entry(name).or_insert_with(|| Replica {
            last: progress.clone(),
            at,
            at_head: None,
            known_above: progress.previous,
            exceptions: BTreeMap::new(),
        });
        let unbroken = progress.epoch == replica.last.epoch && progress.previous <= replica.last.position;
        if !unbroken || progress.position < replica.last.position {
            replica.exceptions.clear();
            replica.known_above = progress.previous;
        }
        match &progress.exceptions {
            Some(exceptions) => {
                replica.exceptions.extend(
                    exceptions.iter().map(|(position, outcome, first)| (*position, (*outcome, *first))),
                );
            }
            None => {
                replica.exceptions.clear();
                replica.known_above = progress.position;
            }
        }
        while replica.exceptions.len() > REMEMBERED {
            let (oldest, _) = replica.exceptions.pop_first().expect("the map is over its limit");
            replica.known_above = oldest;
        }
        if progress.epoch != replica.last.epoch {
            replica.at_head = None;
        }
        if progress.position >= progress.head {
            // The head is as old as its last confirmation.
            replica.at_head = at.checked_sub(Duration::from_millis(progress.head_age_ms));
        }
        replica.last = progress;
        replica.at = at;
    }

    /// Whether all live replicas have applied a position; `None` when none is live or too little was heard.
    pub(super) fn all_live_at(&self, epoch: &Epoch, position: Position, now: Instant) -> Option<bool> {
        let lowest = self.lowest_live(now)?;
        Some(lowest >= position && self.live_replicas(now).all(|replica| replica.last.epoch == *epoch))
    }

    /// The position that every live replica has applied; `None` when none is live or too little was heard.
    pub(super) fn lowest_live(&self, now: Instant) -> Option<Position> {
        if !self.has_listened(now) {
            return None;
        }
        self.live_replicas(now).map(|replica| replica.last.position).min()
    }

    /// What replicas say of a stream of this epoch.
    pub(super) fn verdict(&self, epoch: &Epoch, now: Instant) -> Verdict {
        let mut refused = false;
        for replica in self.replicas.values() {
            if replica.at < self.since || now.duration_since(replica.at) >= LIVE {
                continue;
            }
            if replica.last.epoch == *epoch && !replica.last.refuses_stream {
                return Verdict::Followed;
            }
            refused = true;
        }
        let listened = now.duration_since(self.since) >= SPOKEN;
        if refused && listened { Verdict::Refused } else { Verdict::Unknown }
    }

    /// Whether listening has gone on for long enough to have heard every live replica.
    pub(super) fn has_listened(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= LIVE
    }

    /// Names of the live replicas, the most advanced first.
    pub(super) fn live(&self, now: Instant) -> Vec<String> {
        in_order(self.replicas.iter().filter(|(_, replica)| replica.is_live(now)))
    }

    /// Names of the replicas that were at the head within `age`, and so lack nothing that was stored before that; the
    /// most advanced first.
    pub(super) fn confirmed(&self, epoch: &Epoch, age: Duration, now: Instant) -> Vec<String> {
        let confirmed = self.replicas.iter().filter(|(_, replica)| {
            replica.last.epoch == *epoch && replica.at_head.is_some_and(|at| now.duration_since(at) < age)
        });
        in_order(confirmed)
    }

    /// What became of an event, when some replica has told.
    pub(super) fn outcome(&self, epoch: &Epoch, position: Position) -> Option<(Outcome, Option<Position>)> {
        let told = self.replicas.values().find(|replica| {
            replica.last.epoch == *epoch
                && replica.known_above < position
                && position <= replica.last.position
        })?;
        Some(told.exceptions.get(&position).copied().unwrap_or((Outcome::Applied, None)))
    }

    fn live_replicas(&self, now: Instant) -> impl Iterator<Item = &Replica> {
        self.replicas.values().filter(move |replica| replica.is_live(now))
    }
}

impl Replica {
    fn is_live(&self, now: Instant) -> bool {
        self.last.state.is_waited_for() && now.duration_since(self.at) < LIVE
    }
}

/// Names, the most advanced first.
fn in_order<'a>(replicas: impl Iterator<Item = (&'a String, &'a Replica)>) -> Vec<String> {
    let mut replicas: Vec<_> = replicas.collect();
    replicas.sort_by_key(|(name, replica)| (Reverse(replica.last.position), *name));
    replicas.into_iter().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use contract::announcement::State;
    use contract::fold::Reason;

    use super::*;

    fn epoch() -> Epoch {
        "abcdefgh2345".parse().unwrap()
    }

    fn progress(previous: u64, position: u64, state: State, rejected: Option<&[u64]>) -> Progress {
        Progress {
            epoch: epoch(),
            position: Position(position),
            previous: Position(previous),
            head: Position(position),
            head_age_ms: 0,
            state,
            why: String::new(),
            mend: String::new(),
            generation: "live".into(),
            version: 1,
            events_version: contract::EVENTS_VERSION,
            import: None,
            refuses_stream: false,
            exceptions: rejected.map(|positions| {
                positions
                    .iter()
                    .map(|p| (Position(*p), Outcome::Rejected(Reason::UnknownReview), None))
                    .collect()
            }),
        }
    }

    const REJECTED: Option<(Outcome, Option<Position>)> =
        Some((Outcome::Rejected(Reason::UnknownReview), None));
    const APPLIED: Option<(Outcome, Option<Position>)> = Some((Outcome::Applied, None));

    #[test]
    fn only_live_replicas_are_waited_for() {
        let start = Instant::now();
        let mut heard = Heard::new(start);
        heard.hear("a".into(), progress(10, 10, State::Serving, Some(&[])), start + LIVE);
        heard.hear("b".into(), progress(5, 5, State::Serving, Some(&[])), start + LIVE);
        heard.hear("c".into(), progress(1, 1, State::CatchingUp, Some(&[])), start + LIVE);
        let later = start + LIVE + Duration::from_millis(1);
        assert_eq!(heard.all_live_at(&epoch(), Position(10), later), Some(false));
        assert_eq!(heard.live(later), ["a", "b"]);
        heard.hear("a".into(), progress(10, 10, State::Serving, Some(&[])), start + 2 * LIVE);
        assert_eq!(heard.all_live_at(&epoch(), Position(10), start + 2 * LIVE), Some(true), "b fell silent");
        assert_eq!(heard.all_live_at(&epoch(), Position(10), start + 3 * LIVE), None, "nobody is live");
    }

    #[test]
    fn a_writer_that_has_just_begun_to_listen_knows_nothing() {
        let start = Instant::now();
        let mut heard = Heard::new(start);
        heard.hear("a".into(), progress(10, 10, State::Serving, Some(&[])), start);
        assert_eq!(heard.all_live_at(&epoch(), Position(1), start + LIVE / 2), None);
    }

    #[test]
    fn a_replica_is_confirmed_while_it_was_just_at_the_head_of_the_same_stream() {
        let (start, age) = (Instant::now(), Duration::from_secs(60));
        let mut heard = Heard::new(start);
        let behind = Progress { head: Position(12), ..progress(10, 11, State::CatchingUp, Some(&[])) };
        heard.hear("a".into(), progress(10, 10, State::Serving, Some(&[])), start);
        heard.hear("b".into(), behind.clone(), start);
        heard.hear("a".into(), behind, start + age / 2);
        assert_eq!(heard.confirmed(&epoch(), age, start + age / 2), ["a"]);
        assert_eq!(heard.confirmed(&epoch(), age, start + age), [] as [&str; 0]);
        let other =
            Progress { epoch: "zzzzzzzzzzzz".parse().unwrap(), ..progress(9, 9, State::Serving, None) };
        heard.hear("a".into(), Progress { head: Position(12), ..other }, start + age / 2);
        assert_eq!(heard.confirmed(&epoch(), age, start + age / 2), [] as [&str; 0]);
    }

    #[test]
    fn a_stream_is_refused_when_all_that_are_heard_refuse_it() {
        let start = Instant::now();
        let mut heard = Heard::new(start);
        let soon = start + SPOKEN;
        assert_eq!(heard.verdict(&epoch(), soon), Verdict::Unknown, "nobody is heard");
        let refusing = Progress { refuses_stream: true, ..progress(10, 10, State::Stopped, Some(&[])) };
        heard.hear("a".into(), refusing.clone(), soon);
        assert_eq!(heard.verdict(&epoch(), start + SPOKEN / 2), Verdict::Unknown, "others may speak yet");
        assert_eq!(heard.verdict(&epoch(), soon), Verdict::Refused);
        // One that stopped for another reason, as for an event that it cannot apply, has nothing against the stream.
        heard.hear("b".into(), progress(9, 9, State::Stopped, Some(&[])), soon);
        assert_eq!(heard.verdict(&epoch(), soon), Verdict::Followed);
        let other = "zzzzzzzz2345".parse().unwrap();
        assert_eq!(heard.verdict(&other, soon), Verdict::Refused, "both stand in another life");
        assert_eq!(heard.verdict(&epoch(), soon + LIVE), Verdict::Unknown, "both fell silent");
        heard.hear("a".into(), refusing, soon + LIVE);
        assert_eq!(heard.verdict(&epoch(), soon + LIVE), Verdict::Refused);
        heard.listening_since(soon + 2 * LIVE);
        assert_eq!(heard.verdict(&epoch(), soon + 2 * LIVE), Verdict::Unknown, "that was said before");
    }

    #[test]
    fn outcomes_are_known_only_along_an_unbroken_chain() {
        let now = Instant::now();
        let mut heard = Heard::new(now);
        heard.hear("a".into(), progress(10, 12, State::Serving, Some(&[11])), now);
        assert_eq!(heard.outcome(&epoch(), Position(11)), REJECTED);
        assert_eq!(heard.outcome(&epoch(), Position(12)), APPLIED);
        assert_eq!(heard.outcome(&epoch(), Position(10)), None);
        heard.hear("a".into(), progress(12, 14, State::Serving, Some(&[14])), now);
        assert_eq!(
            (heard.outcome(&epoch(), Position(11)), heard.outcome(&epoch(), Position(14))),
            (REJECTED, REJECTED)
        );
        heard.hear("a".into(), progress(16, 17, State::Serving, Some(&[])), now);
        assert_eq!(heard.outcome(&epoch(), Position(15)), None, "15 and 16 were missed");
        assert_eq!(heard.outcome(&epoch(), Position(17)), APPLIED);
        heard.hear("a".into(), progress(17, 300, State::Serving, None), now);
        assert_eq!(heard.outcome(&epoch(), Position(200)), None, "too many to announce");
    }
}
