//! Made-up evidence for the checkers' own tests.

use std::time::{Duration, Instant};

use contract::keyed_hash::HashingKey;
use contract::resources::interactions::InteractionRecorded;
use contract::{Event, Idempotency, Position, Token};

use super::Evidence;
use crate::history::{History, Operation, Outcome, Read, Record};
use crate::log::Logged;
use crate::model::State;

const FIRST: i64 = 1_000_000_000;

/// Evidence that grows.
pub(crate) struct Sample {
    pub(crate) history: History,
    pub(crate) log: Vec<Logged>,
    pub(crate) base: State,
    pub(crate) replicas: Vec<(String, State)>,
    hashing: HashingKey,
}

impl Default for Sample {
    fn default() -> Sample {
        let base = State { position: FIRST - 1, ..State::default() };
        let replicas = ["a", "b"].map(|name| (name.to_owned(), base.clone())).to_vec();
        Sample { history: History::default(), log: vec![], base, replicas, hashing: HashingKey::new([7; 32]) }
    }
}

impl Sample {
    /// Another event of the stream; its position.
    pub(crate) fn log(&mut self, event: Event) -> i64 {
        let position = FIRST + self.log.len() as i64;
        self.log.push(Logged {
            position,
            id: format!("id-{position}"),
            stored: 1_000,
            time: 900,
            key: None,
            hash: vec![1],
            event,
        });
        position
    }

    /// The same, under a key.
    pub(crate) fn log_keyed(&mut self, event: Event, key: &str) -> i64 {
        let position = self.log(event);
        let last = self.log.last_mut().unwrap();
        last.key = Some(Idempotency { key: key.to_owned(), body: "body".to_owned() });
        position
    }

    /// Both replicas apply the stream.
    pub(crate) fn replicas_follow(&mut self) {
        for (_, state) in &mut self.replicas {
            for logged in &self.log {
                state.follow(logged).unwrap();
            }
        }
    }

    /// A row that the first replica has.
    pub(crate) fn make_interaction(&mut self, id: i64) {
        let row = (String::new(), String::new(), String::new(), 900);
        self.replicas[0].1.interactions.insert(id, row);
    }

    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            history: &self.history,
            log: &self.log,
            base: &self.base,
            replicas: &self.replicas,
            hashing: &self.hashing,
            tokens: true,
            panics: &[],
        }
    }
}

/// An interaction with a mark.
pub(crate) fn interaction(mark: &str) -> Event {
    Event::InteractionRecorded(InteractionRecorded {
        element: "button".into(),
        widget: "overview".into(),
        time: mark.into(),
    })
}

/// A write that was acknowledged.
pub(crate) fn stored(mark: &str, position: i64) -> Record {
    record(mark, Outcome::Stored { token: token(position), id: None })
}

/// A write that was told not to be stored.
pub(crate) fn failed(mark: &str) -> Record {
    record(mark, Outcome::Failed("nothing was stored".into()))
}

/// A read.
pub(crate) fn read(demanded: Option<i64>, served: i64, stale: bool) -> Read {
    let (demanded, served) = (demanded.map(token), Some(token(served)));
    Read { started: Instant::now(), took: Duration::ZERO, status: 200, demanded, served, stale }
}

fn token(position: i64) -> Token {
    Token { epoch: "abcdefgh2345".parse().unwrap(), position: Position::from_i64(position) }
}

fn record(mark: &str, outcome: Outcome) -> Record {
    let now = Instant::now();
    Record {
        operation: Operation::Interaction { mark: mark.into() },
        key: None,
        started: now,
        last_try: now,
        ended: now,
        tries: 1,
        slowest: Duration::ZERO,
        outcome,
    }
}
