//! Milliseconds since 1970, UTC: the only times that events carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl fmt::Display for Millis {
    /// As in `2026-11-23T15:50:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => f.write_str(&time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

impl FromStr for Millis {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Millis, jiff::Error> {
        Ok(Millis(text.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_written() {
        let time = Millis(1_795_449_000_007);
        assert_eq!(time.to_string(), "2026-11-23T15:50:00.007Z");
        assert_eq!(time.to_string().parse::<Millis>().unwrap(), time);
    }
}
