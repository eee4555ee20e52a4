//! What replicas announce of themselves, followed over a while: how fast they apply, and how fast events come.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use contract::announcement::Progress;
use contract::{Epoch, Position};
use stream::Link;

/// Rates are told over this much of the past.
const WINDOW: Duration = Duration::from_secs(10);
/// Less than this tells no rate: announcements come four times a second.
const ENOUGH: Duration = Duration::from_millis(200);

/// What was heard of all replicas.
#[derive(Default)]
pub(super) struct Heard {
    replicas: HashMap<String, Track>,
    since: Option<Instant>,
    /// The stream's own head when listening began.
    head: Option<(Epoch, Position)>,
}

#[derive(Default)]
struct Track {
    heard: VecDeque<Word>,
}

/// What a replica announced.
struct Word {
    at: Instant,
    progress: Progress,
    /// The highest head that was known by then: one whose projector has just started does not know it yet, and
    /// would seem to see all of the stream arrive at once.
    head: Position,
}

/// Events in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// That the replica applies.
    pub(super) applied: f64,
    /// That come into the stream.
    pub(super) arriving: f64,
}

impl Heard {
    /// Listens for so long.
    ///
    /// # Errors
    /// When the connection is lost before anything can be heard.
    pub(super) async fn listen(&mut self, link: &Link, long: Duration) -> stream::Result<()> {
        let mut announcements = link.listen().await?;
        let end = tokio::time::sleep(long);
        tokio::pin!(end);
        self.since.get_or_insert_with(Instant::now);
        if let Ok(head) = link.head().await {
            self.head = Some((link.epoch().clone(), head));
        }
        loop {
            tokio::select! {
                announced = announcements.next() => match announced {
                    Some((replica, progress)) => self.hear(replica, progress, Instant::now()),
                    None => return Ok(()),
                },
                () = &mut end => return Ok(()),
            }
        }
    }

    pub(super) fn hear(&mut self, replica: String, progress: Progress, now: Instant) {
        let last = self.replicas.values().filter_map(|track| track.heard.back());
        let heads = last.filter(|word| word.progress.epoch == progress.epoch).map(|word| word.head);
        let own = self.head.as_ref().filter(|(epoch, _)| *epoch == progress.epoch).map(|(_, head)| *head);
        let head = heads.chain(own).fold(progress.head, Position::max);
        let track = &mut self.replicas.entry(replica).or_default().heard;
        // Positions of another life of the stream are other numbers.
        if track.back().is_some_and(|last| last.progress.epoch != progress.epoch) {
            track.clear();
        }
        track.push_back(Word { at: now, progress, head });
        while track.front().is_some_and(|word| now - word.at > WINDOW) {
            track.pop_front();
        }
    }

    /// What a replica said last, when that was at `since` or later.
    pub(super) fn last(&self, replica: &str, since: Instant) -> Option<&Progress> {
        let word = self.replicas.get(replica)?.heard.back()?;
        (word.at >= since).then_some(&word.progress)
    }

    /// For how long a replica has said nothing: at least, when it never did.
    pub(super) fn silent_for(&self, replica: &str, now: Instant) -> Option<Duration> {
        let last = self.replicas.get(replica).and_then(|track| track.heard.back()).map(|word| word.at);
        last.or(self.since).map(|at| now.saturating_duration_since(at))
    }

    /// How fast a replica goes, once it was heard for long enough.
    pub(super) fn rates(&self, replica: &str) -> Option<Rates> {
        let track = &self.replicas.get(replica)?.heard;
        let (first, last) = (track.front()?, track.back()?);
        let took = last.at - first.at;
        if took < ENOUGH {
            return None;
        }
        let rate = |from: u64, to: u64| to.saturating_sub(from) as f64 / took.as_secs_f64();
        let applied = rate(first.progress.position.0, last.progress.position.0);
        let arriving = rate(first.head.0, last.head.0);
        Some(Rates { applied, arriving })
    }

    /// What each replica said last.
    pub(super) fn into_last(self) -> HashMap<String, Progress> {
        let last = |(replica, mut track): (String, Track)| Some((replica, track.heard.pop_back()?.progress));
        self.replicas.into_iter().filter_map(last).collect()
    }
}

impl Rates {
    /// Seconds until so many events are applied, when it comes nearer at all.
    pub(super) fn seconds_left(self, behind: u64) -> Option<f64> {
        let nearer = self.applied - self.arriving;
        (nearer > 0.0).then(|| behind as f64 / nearer)
    }
}

#[cfg(test)]
mod tests {
    use contract::announcement::State;

    use super::*;

    fn said(position: u64, head: u64) -> Progress {
        Progress {
            epoch: "abcdefgh2345".parse().unwrap(),
            position: Position(position),
            previous: Position(position),
            head: Position(head),
            head_age_ms: 0,
            state: State::CatchingUp,
            why: String::new(),
            mend: String::new(),
            refuses_stream: false,
            generation: "live".into(),
            version: 1,
            events_version: 1,
            exceptions: None,
            import: None,
        }
    }

    #[test]
    fn rates_are_of_the_last_seconds_and_tell_how_long_it_takes() {
        let (mut heard, start) = (Heard::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(heard.rates("a"), None);
        heard.hear("a".into(), said(100, 5_000), start);
        assert_eq!(heard.rates("a"), None, "one word tells no rate");
        heard.hear("a".into(), said(1_100, 5_200), start + 2 * second);
        let rates = heard.rates("a").unwrap();
        assert_eq!(rates, Rates { applied: 500.0, arriving: 100.0 });
        assert_eq!(rates.seconds_left(4_000), Some(10.0));
        assert_eq!(Rates { applied: 100.0, arriving: 100.0 }.seconds_left(1), None);
        heard.hear("a".into(), said(1_100, 5_200), start + 13 * second);
        heard.hear("a".into(), said(1_100, 5_200), start + 14 * second);
        assert_eq!(heard.rates("a"), Some(Rates { applied: 0.0, arriving: 0.0 }));
    }

    #[test]
    fn a_projector_that_has_just_started_does_not_see_the_whole_stream_arrive() {
        let (mut heard, start) = (Heard::default(), Instant::now());
        let second = Duration::from_secs(1);
        heard.head = Some((said(0, 0).epoch, Position(4_990)));
        heard.hear("a".into(), said(5_000, 5_000), start);
        heard.hear("b".into(), said(100, 100), start);
        heard.hear("b".into(), said(600, 5_010), start + second);
        let rates = heard.rates("b").unwrap();
        assert_eq!(rates, Rates { applied: 500.0, arriving: 10.0 });
        assert_eq!(rates.seconds_left(4_410), Some(9.0));
    }

    #[test]
    fn a_replica_that_fell_silent_is_not_taken_at_its_last_word() {
        let (mut heard, start) = (Heard::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(heard.silent_for("a", start), None);
        heard.since = Some(start);
        heard.hear("a".into(), said(1, 1), start + second);
        assert!(heard.last("a", start).is_some() && heard.last("a", start + 2 * second).is_none());
        assert_eq!(heard.silent_for("a", start + 6 * second), Some(5 * second));
        assert_eq!(heard.silent_for("b", start + 6 * second), Some(6 * second));
    }

    #[test]
    fn another_life_of_the_stream_begins_anew() {
        let (mut heard, start) = (Heard::default(), Instant::now());
        heard.hear("a".into(), said(1, 1), start);
        let other = Progress { epoch: "zzzzzzzzzzzz".parse().unwrap(), ..said(900, 900) };
        heard.hear("a".into(), other, start + Duration::from_secs(1));
        assert_eq!(heard.rates("a"), None);
    }
}
