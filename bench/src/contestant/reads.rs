//! GETs of many addresses, whose answers are known.

use std::time::Duration;

use bytes::Bytes;

use crate::error::Error;
use crate::figures::Measured;
use crate::load::Load;
use crate::private::Private;

/// A server that may answer slowly under load, or differ in a few bytes of a mean over many, is not wrong by that.
const MEAN_BYTES_TOLERANCE: f64 = 0.1;
/// Below this many answers their mean size says nothing.
const ENOUGH_FOR_A_MEAN: u64 = 2_000;

/// Addresses and what they answer.
pub(crate) struct Reads {
    /// The load.
    pub(crate) load: Load,
    /// Some of the addresses with their whole answers, read again after each load.
    pub(crate) sample: Vec<(String, Bytes)>,
    /// The mean size of all addresses' answers, in bytes.
    pub(crate) mean_bytes: f64,
}

impl Reads {
    pub(super) async fn measure(
        &self,
        private: &Private,
        line: &str,
        duration: Duration,
    ) -> Result<Measured, Error> {
        let loaded = self.load.run(line, duration).await?;
        let off = (loaded.mean_bytes - self.mean_bytes).abs() / self.mean_bytes;
        if loaded.measured.count >= ENOUGH_FOR_A_MEAN && off > MEAN_BYTES_TOLERANCE {
            return Err(Error::wrong(
                line,
                format!(
                    "answers have {:.0} bytes in the mean, and {:.0} were expected",
                    loaded.mean_bytes, self.mean_bytes
                ),
            ));
        }
        for (url, expected) in &self.sample {
            let found = private.get(line, url).await?;
            if found != *expected {
                return Err(Error::wrong(
                    line,
                    format!("{url} answers other bytes after the load than before"),
                ));
            }
        }
        Ok(loaded.measured)
    }
}
