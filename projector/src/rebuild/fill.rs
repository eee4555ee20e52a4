//! The rows that a generation begins with, when it is not made from the stream's events alone.

use std::time::Instant;

use super::base;
use super::copy::copy;
use super::moment::Moment;
use super::pace::Pace;
use super::progress::{Phase, Progress};
use super::source::Source;
use super::{Error, Work};
use crate::snapshot;

impl Work<'_> {
    /// Fills the empty generation `building`, and lets it stand where the rows were read. Answers how many there were.
    pub(super) async fn fill(&self, pace: &Pace, progress: &Progress) -> Result<u64, Error> {
        let (replica, link, began) = (self.replica, self.link, Instant::now());
        match self.from {
            Source::Stream => base::begin(link, replica, pace, progress).await,
            Source::Replica(name) => {
                progress.phase(Phase::Copy);
                let source = self.config.replica(name).expect("it was looked up before");
                let moment = Moment::take(source).await?;
                if moment.checkpoint.epoch != *link.epoch() {
                    let (found, remembered) = (link.epoch().clone(), moment.checkpoint.epoch);
                    return Err(stream::Error::OtherEpoch { found, remembered }.into());
                }
                let (position, megabytes) = (moment.checkpoint.position, moment.bytes() as f64 / 1e6);
                let rows = copy(source, replica, &moment, pace, progress).await?;
                let seconds = began.elapsed().as_secs_f64();
                progress.say(&format!(
                    "copied {rows} rows of replica {name} as of {position}, {megabytes:.0} MB with indexes, in {seconds:.1} s"
                ));
                Ok(rows)
            }
            Source::Snapshot(place) => {
                progress.phase(Phase::Copy);
                let whole = self.whole.expect("it was opened before");
                let rows = snapshot::load(whole, replica, pace, progress).await?;
                let (place, position) = (place.display(), whole.manifest.position);
                let seconds = began.elapsed().as_secs_f64();
                progress.say(&format!(
                    "loaded {rows} rows of {place} as of {position} in {seconds:.1} s; each table has its audit hash"
                ));
                Ok(rows)
            }
        }
    }
}
