//! How far the legacy catalogue has come in this replica, and about how long the rest will take.

use std::time::Instant;

use contract::announcement::ImportProgress;
use contract::catalogue::CatalogueChunk;

use crate::apply::Going;
use crate::resources::catalogue::STEPS;

/// How much of the whole work loading is; the rest are the steps of the closing. Measured on the full catalogue.
const LOADING: f64 = 55.0;
/// A running step counts as done up to this share of what it was expected to take.
const ALMOST: f64 = 0.95;
/// Before this much of the work was seen nobody can say how long the rest takes.
const ENOUGH: f64 = 0.5;

/// An estimate that rests on what this process has seen.
#[derive(Debug)]
pub(crate) struct Importing {
    since: Instant,
    /// Per cent when that began.
    from: Option<f64>,
    /// The highest that was told: it never goes back.
    told: f64,
}

impl Importing {
    pub(crate) fn begin() -> Importing {
        Importing { since: Instant::now(), from: None, told: 0.0 }
    }

    /// A chunk is about to be loaded.
    pub(crate) fn loading(&mut self, chunk: &CatalogueChunk) -> ImportProgress {
        let what = format!("loading {}", chunk.table.name().replace('_', " "));
        let read = chunk.read.filter(|read| read.of > 0);
        let percent = read.map_or(0.0, |read| LOADING * read.bytes as f64 / read.of as f64);
        self.progress(percent, what, None)
    }

    /// The closing is on its way.
    pub(crate) fn closing(&mut self, going: &Going) -> ImportProgress {
        let all: f64 = STEPS.iter().map(|step| step.share()).sum();
        let share = |share: f64| (100.0 - LOADING) * share / all;
        let done = STEPS.iter().filter(|step| going.done & step.bit() != 0);
        let (count, done) = (done.clone().count(), done.map(|step| share(step.share())).sum::<f64>());
        let rate = self.rate(LOADING + done);
        let underway = going.running.iter().map(|(step, since)| {
            let expected = share(step.share()) * ALMOST;
            rate.map_or(0.0, |rate| (rate * since.elapsed().as_secs_f64()).min(expected))
        });
        let percent = LOADING + done + underway.sum::<f64>();
        let running = going.running.iter().map(|(step, _)| step.what()).collect::<Vec<_>>();
        let what = if running.is_empty() { "closing".to_owned() } else { running.join(" and ") };
        self.progress(percent, what, Some(count as u32))
    }

    fn progress(&mut self, percent: f64, what: String, steps_done: Option<u32>) -> ImportProgress {
        self.told = self.told.max(percent).min(100.0);
        let left = self.rate(self.told).map(|rate| ((100.0 - self.told) / rate).ceil() as u64);
        ImportProgress {
            percent: (self.told * 10.0).round() / 10.0,
            what,
            seconds_left: left,
            steps_done,
            steps: steps_done.map(|_| STEPS.len() as u32),
        }
    }

    /// Per cent in a second, once enough was seen.
    fn rate(&mut self, percent: f64) -> Option<f64> {
        let from = *self.from.get_or_insert(percent);
        let (seen, took) = (percent - from, self.since.elapsed().as_secs_f64());
        (seen >= ENOUGH && took > 0.0).then(|| seen / took)
    }
}

#[cfg(test)]
mod tests {
    use contract::catalogue::{BytesRead, Table};

    use super::*;
    use crate::resources::catalogue::ALL_STEPS;

    #[test]
    fn progress_rises_from_the_first_row_to_the_last_step() {
        let mut importing = Importing::begin();
        let chunk = |bytes| CatalogueChunk {
            table: Table::StylePhotos,
            rows: 1,
            read: Some(BytesRead { bytes, of: 1_000 }),
            copy: vec![],
        };
        let mut last = importing.loading(&chunk(0));
        assert_eq!(
            (last.percent, last.what.as_str(), last.seconds_left),
            (0.0, "loading style photos", None)
        );
        for bytes in [10, 500, 1_000] {
            let next = importing.loading(&chunk(bytes));
            assert!(next.percent > last.percent && next.steps.is_none(), "{next:?}");
            last = next;
        }
        assert!(last.seconds_left.is_some());
        let mut done = 0;
        for step in STEPS {
            let next = importing.closing(&Going { done, running: vec![(step, Instant::now())] });
            assert!(next.percent >= last.percent && next.what == step.what(), "{next:?}");
            assert_eq!((next.steps_done, next.steps), (Some(done.count_ones()), Some(STEPS.len() as u32)));
            done |= step.bit();
            last = next;
        }
        assert_eq!(importing.closing(&Going { done: ALL_STEPS, running: vec![] }).percent, 100.0);
    }
}
