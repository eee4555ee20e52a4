//! The one coordinate: an event's stream sequence, and the life of the stream that it belongs to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An event's sequence in the stream; also the id of what the event made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The stream's first sequence: ids below it were imported, ids from it on were written here.
    pub const FIRST: Position = Position(1_000_000_000);
    /// The checkpoint of a replica that has applied nothing.
    pub const BEFORE_FIRST: Position = Position(999_999_999);
    /// Positions stay below 2^49, so that `position × 16 + index` stays an exact number in JavaScript (2^53).
    pub const LIMIT: u64 = 1 << 49;

    /// Most parts of a kind that an event may have: photos, ratings.
    pub const PARTS: usize = 16;

    /// The next event's position.
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }

    /// The id of the `index`-th thing (0 to 15) that belongs to what this event made: a photo, a rating.
    pub fn part(self, index: usize) -> i64 {
        assert!(
            index < Position::PARTS,
            "events with more parts of a kind are refused when they are decoded"
        );
        self.as_i64() * 16 + index as i64
    }

    /// As Postgres's bigint.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).expect("positions stay below 2^49")
    }

    /// From Postgres's bigint; a negative one reads as 0, below every position.
    pub fn from_i64(value: i64) -> Position {
        Position(value.max(0) as u64)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One life of the stream: 12 lower-case base32 characters in its metadata. A position means nothing without it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(String);

impl Epoch {
    /// Characters of an epoch.
    pub const LENGTH: usize = 12;

    /// The epoch as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Epoch {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Epoch, Unreadable> {
        let base32 = |c: u8| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c);
        if text.len() == Epoch::LENGTH && text.bytes().all(base32) {
            Ok(Epoch(text.to_owned()))
        } else {
            Err(Unreadable("epoch", text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for Epoch {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Epoch, Unreadable> {
        text.parse()
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> String {
        epoch.0
    }
}

/// `<epoch>-<position>`: what a write answers with and a read may demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The life of the stream.
    pub epoch: Epoch,
    /// The event's position in it.
    pub position: Position,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.position)
    }
}

impl FromStr for Token {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Token, Unreadable> {
        let unreadable = || Unreadable("position token", text.chars().take(80).collect());
        let (epoch, position) = text.split_once('-').ok_or_else(unreadable)?;
        if position.is_empty() || !position.bytes().all(|c| c.is_ascii_digit()) {
            return Err(unreadable());
        }
        let position: u64 = position.parse().map_err(|_| unreadable())?;
        if position >= Position::LIMIT {
            return Err(unreadable());
        }
        Ok(Token { epoch: epoch.parse()?, position: Position(position) })
    }
}

/// A text that is no epoch or no token.
#[derive(Debug, thiserror::Error)]
#[error("{1:?} is no {0}")]
pub struct Unreadable(&'static str, String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_written() {
        let token = Token { epoch: "abcdefgh2345".parse().unwrap(), position: Position(1_000_000_042) };
        assert_eq!(token.to_string(), "abcdefgh2345-1000000042");
        assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "abcdefgh2345",
            "abcdefgh2345-",
            "abcdefgh2345-+1",
            "ABCDEFGH2345-1",
            "abc-1",
            "abcdefgh2345-99999999999999999999",
            "abcdefgh2345-1x",
        ] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_of_the_highest_position_are_exact_in_javascript() {
        assert!(Position(Position::LIMIT - 1).part(15) < 1 << 53);
    }
}
