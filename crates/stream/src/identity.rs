//! Is this the stream that a replica followed, and is it whole?

use std::ops::RangeInclusive;

use async_nats::jetstream::stream::Info;
use contract::position::{Epoch, Position};

use crate::connect::Link;
use crate::definition::info_with_missing;
use crate::error::{Error, Result};

/// What is remembered of the stream.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The epoch.
    pub epoch: Epoch,
    /// The last position applied.
    pub position: Position,
    /// The hash of the event there; empty before any.
    pub event_hash: Vec<u8>,
    /// The last event that was seen behind it without being applied.
    pub heard: Option<Heard>,
}

/// An event that is known to lie in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Where.
    pub position: Position,
    /// Its hash.
    pub event_hash: Vec<u8>,
}

impl Remembered {
    /// What is known of a stream whose last known event is this one.
    pub(crate) fn of(epoch: &Epoch, position: Position, event_hash: Vec<u8>) -> Remembered {
        Remembered { epoch: epoch.clone(), position, event_hash, heard: None }
    }

    /// The events that must still be there, of a stream that was made with this first position: a checkpoint below it has
    /// applied nothing of it.
    fn events(&self, first: Position) -> impl Iterator<Item = (Position, &[u8])> {
        let heard = self.heard.iter().map(|heard| (heard.position, heard.event_hash.as_slice()));
        let applied = Some((self.position, self.event_hash.as_slice()));
        applied.into_iter().chain(heard).filter(move |(position, _)| *position >= first)
    }

    fn highest(&self) -> Position {
        self.heard.as_ref().map_or(self.position, |heard| heard.position.max(self.position))
    }
}

/// How many events a stream lacks that it should hold: nothing is ever deleted from it, so each position from the first
/// that it was made with to the last has its event. Counts and positions are of one moment, also under load.
pub(crate) fn missing(info: &Info) -> u64 {
    let state = &info.state;
    let first = info.config.first_sequence.unwrap_or(1);
    (state.last_sequence + 1).saturating_sub(first).saturating_sub(state.messages)
}

/// The first positions in a row that a stream lacks, as its description with details tells them.
pub(crate) fn first_missing(info: &Info) -> Option<RangeInclusive<u64>> {
    let (state, first) = (&info.state, info.config.first_sequence.unwrap_or(1));
    if state.first_sequence > first {
        return Some(first..=state.first_sequence - 1);
    }
    let mut deleted = state.deleted.iter().flatten().copied();
    let begin = deleted.next()?;
    let end = deleted.zip(begin + 1..).take_while(|(one, next)| one == next).last();
    Some(begin..=end.map_or(begin, |(end, _)| end))
}

impl Link {
    /// Checks that the stream still holds what is remembered, and lacks nothing; returns its head.
    ///
    /// # Errors
    /// [`Error::is_damage`] tells a stream that was recreated, cut, rewritten or has a gap from one that could not be
    /// asked.
    pub async fn verify_identity(&self, remembered: &Remembered) -> Result<Position> {
        if *self.epoch() != remembered.epoch {
            return Err(Error::OtherEpoch {
                found: self.epoch().clone(),
                remembered: remembered.epoch.clone(),
            });
        }
        let head = self.head().await?;
        let known = remembered.highest();
        if known > head {
            return Err(Error::Truncated { head, known });
        }
        let _whole = self.verify_whole().await?;
        for (position, hash) in remembered.events(self.first()) {
            match self.read(position).await {
                Ok(event) if event.hash() == *hash => {}
                Ok(_) | Err(Error::Missing(_)) => return Err(Error::Rewritten { position }),
                Err(error) => return Err(error),
            }
        }
        Ok(head)
    }

    /// Checks that the stream lacks no event, as far as its server knows; returns its head. Cheap: one question, and one
    /// more only when something is missing.
    ///
    /// # Errors
    /// As [`Link::verify_identity`].
    pub async fn verify_whole(&self) -> Result<Position> {
        let info = self.info().await?;
        let head = Position(info.state.last_sequence);
        if missing(&info) == 0 {
            return Ok(head);
        }
        let asked = info_with_missing(&self.context);
        let info = self.until_closed("tell what is missing", asked).await?;
        match missing(&info) {
            0 => Ok(Position(info.state.last_sequence)),
            missing => Err(Error::Incomplete {
                missing,
                first: Position(info.config.first_sequence.unwrap_or(1)),
                last: Position(info.state.last_sequence),
                range: first_missing(&info).unwrap_or(0..=0),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_stream_that_begins_high_nothing_below_its_beginning_is_asked_for() {
        let epoch: Epoch = "abcdefgh2345".parse().unwrap();
        let first = Position(Position::FIRST.0 + 1_000_000);
        let asked = |position: u64, heard: Option<u64>| {
            let heard = heard.map(|at| Heard { position: Position(at), event_hash: vec![] });
            let remembered = Remembered { heard, ..Remembered::of(&epoch, Position(position), vec![]) };
            remembered.events(first).map(|(position, _)| position.0).collect::<Vec<_>>()
        };
        assert_eq!(asked(first.0 - 1, None), [0; 0]);
        assert_eq!(asked(first.0, None), [first.0]);
        assert_eq!(asked(first.0 - 1, Some(first.0 + 4)), [first.0 + 4]);
    }
}
