//! The stream read once from end to end: gaps, and counts by type up to each position that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use contract::Position;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use service::telemetry::say;
use stream::{Link, StoredEvent, Surveyed};

use crate::parking::Decisions;
use crate::status::{duration, grouped};

/// Between two lines of progress where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Gaps that are remembered; of more only their number.
const GAPS: usize = 1_000;

/// What a stream holds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How many events were read.
    pub(super) events: u64,
    /// Positions without an event.
    pub(super) gaps: Vec<RangeInclusive<u64>>,
    /// How many positions that are.
    pub(super) missing: u64,
    /// By position: counts by type of everything up to it.
    pub(super) up_to: BTreeMap<Position, BTreeMap<String, u64>>,
    types: BTreeMap<String, u64>,
}

impl Tally {
    /// Reads from `first` to `last`.
    ///
    /// # Errors
    /// When the server does not give what it has.
    pub(super) async fn take(
        link: &Link,
        (first, last): (Position, Position),
        asked: &BTreeSet<Position>,
        decisions: &Decisions,
    ) -> stream::Result<Tally> {
        let mut tally = Tally::default();
        let mut asked: Vec<Position> = asked.iter().rev().copied().collect();
        let mut survey = link.survey(first, last).await?;
        let mut progress = Progress::begin(first, last);
        while let Some(surveyed) = survey.next().await? {
            let at = match &surveyed {
                Surveyed::Event(event) => event.position,
                Surveyed::Gap(gap) => Position(*gap.start()),
            };
            // Everything up to there has come.
            while asked.last().is_some_and(|position| *position < at) {
                tally.note(asked.pop());
            }
            match surveyed {
                Surveyed::Event(event) => tally.count(&event, decisions),
                Surveyed::Gap(gap) => tally.lack(gap),
            }
            progress.at(at);
        }
        while !asked.is_empty() {
            tally.note(asked.pop());
        }
        progress.end();
        Ok(tally)
    }

    fn count(&mut self, event: &StoredEvent, decisions: &Decisions) {
        self.events += 1;
        // As replicas count: a parked one by its subject.
        let event_type = match decisions.about(event.position) {
            Some(_) => contract::subject::event_type(&event.subject),
            None => event.event_type(),
        };
        match self.types.get_mut(&event_type) {
            Some(count) => *count += 1,
            None => drop(self.types.insert(event_type, 1)),
        }
    }

    fn lack(&mut self, gap: RangeInclusive<u64>) {
        self.missing += gap.end() - gap.start() + 1;
        if self.gaps.len() < GAPS {
            self.gaps.push(gap);
        }
    }

    fn note(&mut self, position: Option<Position>) {
        if let Some(position) = position {
            self.up_to.insert(position, self.types.clone());
        }
    }
}

/// For whoever waits, on stderr.
struct Progress {
    first: Position,
    last: Position,
    begun: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn begin(first: Position, last: Position) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let all = (last.0 + 1).saturating_sub(first.0);
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("reading the stream {bar:24} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        Progress { first, last, begun: now, told: now, bar }
    }

    fn at(&mut self, position: Position) {
        const LOOK_EACH: u64 = 1_024;
        if !position.0.is_multiple_of(LOOK_EACH) {
            return;
        }
        let (done, took) = (position.0 - self.first.0, self.begun.elapsed().as_secs_f64());
        let rate = done as f64 / took.max(0.001);
        let left = (self.last.0 - position.0.min(self.last.0)) as f64 / rate.max(1.0);
        let words = || {
            let (done, all) = (grouped(done), grouped(self.last.0 - self.first.0 + 1));
            format!("{done} of {all} events  {}/s  about {} left", grouped(rate as u64), duration(left))
        };
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(words());
        } else if self.told.elapsed() > BETWEEN_LINES {
            self.told = Instant::now();
            say(&format!("reading the stream: {}", words()));
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
