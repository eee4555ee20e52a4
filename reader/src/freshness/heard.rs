//! The rules of stepping out and of age: what was heard and seen, with its times. Pure, so that they can be tested
//! without waiting.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use contract::announcement::{Progress, State};
use contract::{Epoch, Position, Token};

use crate::freshness::heads::Heads;

/// A replica whose last word is older may be gone. Below the writers' two seconds: a reader closes before writers stop
/// waiting for its replica.
const SILENT: Duration = Duration::from_secs(1);
/// A replica whose data is older is behind.
const BEHIND: Duration = Duration::from_secs(5);
/// Whoever has heard nobody for so long knows nothing of anybody.
const DEAF: Duration = Duration::from_secs(2);

/// Why a replica should leave reads to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its last word is too old.
    Silent,
    /// Its data is too old.
    Behind,
    /// It says so itself.
    In(State),
}

/// A replica's last word.
struct Word {
    at: Instant,
    epoch: Epoch,
    position: Position,
    state: State,
}

/// What is known of the own replica and of the others.
pub(super) struct Heard {
    own: String,
    /// Since when; none while the connection is lost.
    listening: Option<Instant>,
    words: HashMap<String, Word>,
    /// The own replica's: whatever is of another epoch says nothing about its data.
    epoch: Option<Epoch>,
    /// Where the own replica is.
    position: Position,
    /// Where it was at the highest: a crash takes a replica back, and nobody should see that.
    highest: Position,
    heads: Heads,
}

impl Heard {
    /// Nobody listens yet; heads may be older than `began`.
    pub(super) fn new(own: &str, began: Instant) -> Heard {
        Heard {
            own: own.to_owned(),
            listening: None,
            words: HashMap::new(),
            epoch: None,
            position: Position(0),
            highest: Position(0),
            heads: Heads::new(began),
        }
    }

    /// Listening began (again): until then silence meant nothing.
    pub(super) fn listening_since(&mut self, at: Instant) {
        self.listening = Some(at);
    }

    /// The connection is lost: silence means nothing until it is back.
    pub(super) fn listening_ended(&mut self) {
        self.listening = None;
    }

    /// A replica announced something.
    pub(super) fn hear(&mut self, name: &str, said: &Progress, at: Instant) {
        if name == self.own {
            self.enter(&said.epoch, at);
            self.position = said.position;
            self.highest = self.highest.max(said.position);
        }
        // One that stopped may have been refused by a stream that is not its own any more.
        let tells = said.state != State::Stopped || said.head > said.position;
        if tells && self.epoch.as_ref() == Some(&said.epoch) {
            let asked = at.checked_sub(Duration::from_millis(said.head_age_ms)).unwrap_or(at);
            self.heads.add(asked, said.head);
        }
        let word = Word { at, epoch: said.epoch.clone(), position: said.position, state: said.state };
        self.words.insert(name.to_owned(), word);
    }

    /// A statement's snapshot of the own replica stood here. Answers since when that may be too old.
    pub(super) fn see(&mut self, token: &Token, now: Instant) -> Instant {
        if self.epoch.as_ref() != Some(&token.epoch) && !self.speaks(now) {
            self.enter(&token.epoch, now);
        }
        if self.epoch.as_ref() == Some(&token.epoch) {
            // Statements end in any order: one that stood lower says nothing new.
            self.position = self.position.max(token.position);
            self.highest = self.highest.max(token.position);
        }
        self.as_of(token)
    }

    /// Whether a snapshot that stood here says nothing new.
    pub(super) fn has_seen(&self, token: &Token) -> bool {
        self.epoch.as_ref() == Some(&token.epoch) && token.position <= self.position
    }

    /// Since when data that stands here may be too old.
    pub(super) fn as_of(&self, token: &Token) -> Instant {
        self.heads.as_of(token.position)
    }

    /// Why the own replica should leave reads to another one that is well; none when it is well, or nobody else is.
    pub(super) fn steps_out(&self, now: Instant) -> Option<Fault> {
        let listening = self.listening.unwrap_or(now);
        let fault = match self.words.get(&self.own) {
            Some(own) => self.fault(own, own.at.max(listening), now),
            None => (now.saturating_duration_since(listening) > SILENT).then_some(Fault::Silent),
        }?;
        let mut others = self.words.iter().filter(|(name, _)| **name != self.own);
        others.any(|(_, other)| self.fault(other, other.at, now).is_none()).then_some(fault)
    }

    /// Whether the own replica has said something just now: then what it reaches will be heard.
    pub(super) fn speaks(&self, now: Instant) -> bool {
        self.words.get(&self.own).is_some_and(|own| now.saturating_duration_since(own.at) <= SILENT)
    }

    /// Whether anybody was heard lately.
    pub(super) fn hears(&self, now: Instant) -> bool {
        self.words.values().any(|word| now.saturating_duration_since(word.at) <= DEAF)
    }

    /// Where the own replica was at the highest; none before anything is known.
    pub(super) fn floor(&self) -> Option<Token> {
        Some(Token { epoch: self.epoch.clone()?, position: self.highest })
    }

    /// Where the own replica is.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The highest of these positions that the own replica can reach and has not reached yet. Those of another epoch it
    /// never will.
    pub(super) fn missing(&self, demanded: &[Token]) -> Option<Position> {
        let ours = demanded.iter().filter(|token| self.epoch.as_ref() == Some(&token.epoch));
        ours.map(|token| token.position).max().filter(|position| *position > self.position)
    }

    fn fault(&self, word: &Word, at: Instant, now: Instant) -> Option<Fault> {
        if now.saturating_duration_since(at) > SILENT {
            return Some(Fault::Silent);
        }
        match word.state {
            State::Serving | State::Rebuilding => {}
            State::Importing | State::CatchingUp | State::Joining | State::Stopped => {
                return Some(Fault::In(word.state));
            }
        }
        let comparable = self.epoch.as_ref() == Some(&word.epoch);
        let age = now.saturating_duration_since(self.heads.as_of(word.position));
        (comparable && age > BEHIND).then_some(Fault::Behind)
    }

    /// The own replica's data is of this epoch.
    fn enter(&mut self, epoch: &Epoch, at: Instant) {
        if self.epoch.as_ref() == Some(epoch) {
            return;
        }
        if self.epoch.is_some() {
            self.heads = Heads::new(at);
        }
        (self.position, self.highest) = (Position(0), Position(0));
        self.epoch = Some(epoch.clone());
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Silent => write!(f, "it has said nothing for more than {} s", SILENT.as_secs()),
            Fault::Behind => write!(f, "it is more than {} s behind", BEHIND.as_secs()),
            Fault::In(state) => write!(f, "it is {}", state.word()),
        }
    }
}

#[cfg(test)]
mod tests;
