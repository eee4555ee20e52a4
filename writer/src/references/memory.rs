//! What was seen to exist goes on existing: nothing in the shop is ever deleted (hiding is a mark), and a catalogue that is
//! closed never changes. So what a replica once had need not be asked for again in the same life of the stream.
//!
//! Only what exists is remembered, never what does not: that may come with the next event.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard};

use contract::Epoch;

use super::existing::Kind;

/// Things of each kind, and characteristics, that are remembered; all together take at most some 10 MB.
const REMEMBERED: usize = 50_000;

/// What exists in one life of the stream.
#[derive(Default)]
pub(super) struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    epoch: Option<Epoch>,
    things: [Lately<()>; Kind::ALL.len()],
    /// Characteristics with their products.
    characteristics: Lately<i64>,
}

impl Memory {
    /// Whether a thing is known to exist in the life of the stream that is written to now.
    pub(super) fn knows(&self, now: &Epoch, kind: Kind, id: i64) -> bool {
        self.of(now).things[kind as usize].get(id).is_some()
    }

    /// The products of these characteristics, if all of them are known.
    pub(super) fn owners(&self, now: &Epoch, characteristics: &[i64]) -> Option<HashMap<i64, i64>> {
        let mut state = self.of(now);
        characteristics.iter().map(|id| Some((*id, state.characteristics.get(*id)?))).collect()
    }

    /// A replica that stands in this life of the stream has the thing.
    pub(super) fn remember(&self, seen_in: &Epoch, kind: Kind, id: i64) {
        if let Some(mut state) = self.if_still(seen_in) {
            state.things[kind as usize].insert(id, ());
        }
    }

    /// The same of characteristics, each with its product.
    pub(super) fn remember_owners(&self, seen_in: &Epoch, owners: impl IntoIterator<Item = (i64, i64)>) {
        if let Some(mut state) = self.if_still(seen_in) {
            owners.into_iter().for_each(|(id, product)| state.characteristics.insert(id, product));
        }
    }

    /// What is remembered of the life of the stream that is written to now; of an earlier one all is forgotten.
    fn of(&self, now: &Epoch) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        if state.epoch.as_ref() != Some(now) {
            *state = State { epoch: Some(now.clone()), ..State::default() };
        }
        state
    }

    /// Nothing, when the answer comes from another life than the one that is written to: of a replica that stands in
    /// another one, or that was asked before the stream was made anew.
    fn if_still(&self, seen_in: &Epoch) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        (state.epoch.as_ref() == Some(seen_in)).then_some(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

/// A bounded map that forgets what was asked for longest ago, half of it at a time.
struct Lately<Value> {
    young: HashMap<i64, Value>,
    old: HashMap<i64, Value>,
}

impl<Value> Default for Lately<Value> {
    fn default() -> Self {
        Lately { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<Value: Copy> Lately<Value> {
    fn get(&mut self, id: i64) -> Option<Value> {
        if let Some(value) = self.young.get(&id) {
            return Some(*value);
        }
        let value = self.old.remove(&id)?;
        self.insert(id, value);
        Some(value)
    }

    fn insert(&mut self, id: i64, value: Value) {
        if self.young.len() >= REMEMBERED / 2 {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(id, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(text: &str) -> Epoch {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_seen_in_this_life_of_the_stream_is_known_and_nothing_else_is() {
        let (memory, now) = (Memory::default(), epoch("abcdefgh2345"));
        assert!(!memory.knows(&now, Kind::Product, 1));
        memory.remember(&now, Kind::Product, 1);
        assert!(memory.knows(&now, Kind::Product, 1));
        assert!(!memory.knows(&now, Kind::Product, 2) && !memory.knows(&now, Kind::Review, 1));
        memory.remember_owners(&now, [(10, 1), (20, 2)]);
        assert_eq!(memory.owners(&now, &[10, 20]), Some(HashMap::from([(10, 1), (20, 2)])));
        assert_eq!(memory.owners(&now, &[10, 30]), None);
        assert_eq!(memory.owners(&now, &[]), Some(HashMap::new()));
    }

    #[test]
    fn another_life_of_the_stream_begins_with_nothing() {
        let (memory, first, second) = (Memory::default(), epoch("abcdefgh2345"), epoch("zzzzzzzz2345"));
        assert!(!memory.knows(&first, Kind::Product, 1));
        memory.remember(&first, Kind::Product, 1);
        assert!(!memory.knows(&second, Kind::Product, 1), "it was seen in the life before");
        memory.remember(&first, Kind::Product, 2);
        memory.remember_owners(&first, [(10, 2)]);
        assert!(!memory.knows(&second, Kind::Product, 2), "a replica in the old life has it");
        assert_eq!(memory.owners(&second, &[10]), None);
        assert!(!memory.knows(&first, Kind::Product, 1), "nothing is kept aside");
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let (memory, now) = (Memory::default(), epoch("abcdefgh2345"));
        assert!(!memory.knows(&now, Kind::Review, 0));
        memory.remember(&now, Kind::Review, 0);
        for id in 1..5 * REMEMBERED as i64 {
            memory.remember(&now, Kind::Review, id);
            if id % 1_000 == 0 {
                assert!(
                    memory.knows(&now, Kind::Review, 0),
                    "it was asked for all the time, and forgotten at {id}"
                );
            }
            let of = &memory.lock().things[Kind::Review as usize];
            assert!(of.young.len() + of.old.len() <= REMEMBERED);
        }
        assert!(!memory.knows(&now, Kind::Review, 1));
    }
}
