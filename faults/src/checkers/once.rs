//! A write happens once: in the stream, and in its effect.

use std::collections::HashMap;

use super::Evidence;
use crate::history::name_of;

/// No message id stands twice in the stream: no run is longer than the broker's window.
pub(crate) fn ids(evidence: &Evidence<'_>) -> Vec<String> {
    let mut first: HashMap<&str, i64> = HashMap::new();
    let mut faults = Vec::new();
    for logged in evidence.log {
        if let Some(before) = first.insert(&logged.id, logged.position) {
            faults.push(format!("{} stands at {before} and at {}", logged.id, logged.position));
        }
    }
    faults
}

/// No operation of a shopper was applied twice. Each has a name of its own; a repeat is applied when it is neither
/// rejected nor a no-op, which only a key that was taken makes it.
pub(crate) fn effects(evidence: &Evidence<'_>) -> Vec<String> {
    let named: HashMap<String, bool> = evidence
        .history
        .writes
        .iter()
        .map(|record| (record.operation.name(evidence.hashing), record.key.is_some()))
        .collect();
    let mut places: HashMap<String, Vec<i64>> = HashMap::new();
    for logged in evidence.log {
        if let Some(name) = name_of(logged).filter(|name| named.contains_key(name)) {
            let places = places.entry(name).or_default();
            let repeat = logged.key.is_some() && !places.is_empty();
            if !repeat {
                places.push(logged.position);
            }
        }
    }
    let mut faults: Vec<String> = places
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("{name} stands at {places:?}"))
        .collect();
    faults.sort();
    faults
}

/// No replica holds two effects of one `Idempotency-Key`: of all events with it at most one made rows.
pub(crate) fn keys(evidence: &Evidence<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (replica, state) in evidence.replicas {
        let mut made: HashMap<&str, i64> = HashMap::new();
        for logged in evidence.log {
            let Some(key) = &logged.key else {
                continue;
            };
            let rows = state.reviews.contains_key(&logged.position)
                || state.questions.contains_key(&logged.position)
                || state.answers.contains_key(&logged.position)
                || state.interactions.contains_key(&logged.position);
            if !rows {
                continue;
            }
            if let Some(before) = made.insert(&key.key, logged.position) {
                let position = logged.position;
                faults.push(format!(
                    "replica {replica} has rows of {before} and {position}, both of key {}",
                    key.key
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, interaction, stored};
    use super::*;

    #[test]
    fn a_message_id_that_stands_twice_is_a_fault() {
        let mut sample = Sample::default();
        sample.log(interaction("a"));
        sample.log(interaction("b"));
        assert_eq!(ids(&sample.evidence()), Vec::<String>::new());
        sample.log[1].id = sample.log[0].id.clone();
        assert_eq!(ids(&sample.evidence()).len(), 1);
    }

    #[test]
    fn an_operation_that_stands_twice_without_a_key_is_a_fault() {
        let mut sample = Sample::default();
        let at = sample.log(interaction("a"));
        sample.history.writes.push(stored("a", at));
        assert_eq!(effects(&sample.evidence()), Vec::<String>::new());
        sample.log(interaction("a"));
        assert_eq!(effects(&sample.evidence()).len(), 1);
    }

    #[test]
    fn rows_of_two_events_with_one_key_are_a_fault() {
        let mut sample = Sample::default();
        let first = sample.log_keyed(interaction("a"), "key");
        let second = sample.log_keyed(interaction("a"), "key");
        sample.make_interaction(first);
        assert_eq!(keys(&sample.evidence()), Vec::<String>::new());
        sample.make_interaction(second);
        assert_eq!(keys(&sample.evidence()).len(), 1);
    }
}
