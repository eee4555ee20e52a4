//! What replicas announce of themselves, followed over a while: how fast they apply, and how fast events come.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use contract::announcement::Progress;
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
}

#[derive(Default)]
struct Track {
    heard: VecDeque<(Instant, Progress)>,
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
        let track = &mut self.replicas.entry(replica).or_default().heard;
        // Positions of another life of the stream are other numbers.
        if track.back().is_some_and(|(_, last)| last.epoch != progress.epoch) {
            track.clear();
        }
        track.push_back((now, progress));
        while track.front().is_some_and(|(at, _)| now - *at > WINDOW) {
            track.pop_front();
        }
    }

    /// What a replica said last, when that was at `since` or later.
    pub(super) fn last(&self, replica: &str, since: Instant) -> Option<&Progress> {
        let (at, progress) = self.replicas.get(replica)?.heard.back()?;
        (*at >= since).then_some(progress)
    }

    /// For how long a replica has said nothing: at least, when it never did.
    pub(super) fn silent_for(&self, replica: &str, now: Instant) -> Option<Duration> {
        let last = self.replicas.get(replica).and_then(|track| track.heard.back()).map(|(at, _)| *at);
        last.or(self.since).map(|at| now.saturating_duration_since(at))
    }

    /// How fast a replica goes, once it was heard for long enough.
    pub(super) fn rates(&self, replica: &str) -> Option<Rates> {
        let track = &self.replicas.get(replica)?.heard;
        let ((begun, first), (ended, last)) = (track.front()?, track.back()?);
        let took = *ended - *begun;
        if took < ENOUGH {
            return None;
        }
        let rate = |from: u64, to: u64| to.saturating_sub(from) as f64 / took.as_secs_f64();
        let (applied, arriving) = (rate(first.position.0, last.position.0), rate(first.head.0, last.head.0));
        Some(Rates { applied, arriving })
    }

    /// What each replica said last.
    pub(super) fn into_last(self) -> HashMap<String, Progress> {
        let last = |(replica, mut track): (String, Track)| Some((replica, track.heard.pop_back()?.1));
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
    use contract::Position;
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
