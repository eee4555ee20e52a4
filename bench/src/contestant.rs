//! What a line of the table measures.

mod batches;
mod committed;
mod pgbench;
mod posts;
mod publishes;
mod reads;

use std::time::Duration;

pub(crate) use batches::Batches;
pub(crate) use committed::Committed;
pub(crate) use pgbench::Pgbench;
pub(crate) use posts::{Posts, post_and_read_back};
pub(crate) use publishes::Publishes;
pub(crate) use reads::Reads;

use crate::error::Error;
use crate::figures::Measured;
use crate::private::Private;

/// One that is measured, or that another is measured beside.
pub(crate) enum Contestant {
    /// GETs whose answers are known.
    Reads(Reads),
    /// POSTs that are counted in the stream.
    Posts(Posts),
    /// Texts fetched from Postgres by key.
    Pgbench(Pgbench),
    /// Plain publishes from a loop.
    Publishes(Publishes),
    /// Atomic batches from a loop.
    Batches(Batches),
    /// The writer's group commit, in this process.
    Committed(Committed),
}

impl Contestant {
    /// Measures once. `line` is its name in messages.
    ///
    /// # Errors
    /// When an answer is not what it should be.
    pub(crate) async fn measure(
        &self,
        private: &Private,
        line: &str,
        duration: Duration,
    ) -> Result<Measured, Error> {
        match self {
            Contestant::Reads(reads) => reads.measure(private, line, duration).await,
            Contestant::Posts(posts) => posts.measure(private, line, duration).await,
            Contestant::Pgbench(pgbench) => pgbench.measure(line, duration).await,
            Contestant::Publishes(publishes) => publishes.measure(line, duration).await,
            Contestant::Batches(batches) => batches.measure(line, duration).await,
            Contestant::Committed(committed) => committed.measure(private, line, duration).await,
        }
    }
}
