//! Invariants 1 to 5: a replica is the fold of the stream up to its checkpoint, and equal positions mean equal data.

use std::collections::{BTreeMap, BTreeSet};

use contract::Event;

use super::Evidence;
use crate::log::Logged;
use crate::model::State;

/// Each replica holds what the model makes of the events up to its checkpoint.
pub(crate) fn folds(evidence: &Evidence<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for (replica, found) in evidence.replicas {
        match at(evidence, found.position) {
            Ok(expected) => {
                let differences = expected.differences(found);
                faults
                    .extend(differences.iter().map(|difference| format!("replica {replica}: {difference}")));
            }
            Err(error) => faults.push(format!("replica {replica}: {error}")),
        }
    }
    faults
}

/// Replicas at one position hold the same.
pub(crate) fn equal(evidence: &Evidence<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut first: BTreeMap<i64, &(String, State)> = BTreeMap::new();
    for one in evidence.replicas {
        let (replica, state) = one;
        let (other, before) = first.entry(state.position).or_insert(one);
        let differences = before.differences(state);
        faults.extend(differences.iter().map(|difference| format!("{other} and {replica}: {difference}")));
    }
    faults
}

/// The model at a position.
fn at(evidence: &Evidence<'_>, position: i64) -> Result<State, String> {
    let mut state = evidence.base.clone();
    if position < state.position {
        return Err(format!("it stands at {position}, before the import's end at {}", state.position));
    }
    // Decisions count from the beginning, wherever they lie behind what they are about.
    let parked: BTreeSet<i64> = evidence.log.iter().filter_map(parks).collect();
    for logged in evidence.log.iter().take_while(|logged| logged.position <= position) {
        if parked.contains(&logged.position) {
            state.pass_by(logged)?;
        } else {
            state.follow(logged)?;
        }
    }
    if state.position < position {
        return Err(format!("it stands at {position}, and the stream ends at {}", state.position));
    }
    Ok(state)
}

/// The event that an operator's decision parks.
fn parks(logged: &Logged) -> Option<i64> {
    match &logged.event {
        Event::ControlParked(decision) => {
            Some(decision.position.as_i64()).filter(|event| *event < logged.position)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, interaction};
    use super::*;

    #[test]
    fn a_replica_that_skipped_an_event_and_one_beyond_the_stream_are_faults() {
        let mut sample = Sample::default();
        sample.log(interaction("a"));
        sample.log(interaction("b"));
        sample.replicas_follow();
        assert_eq!(folds(&sample.evidence()), Vec::<String>::new());
        assert_eq!(equal(&sample.evidence()), Vec::<String>::new());
        let skipped = *sample.replicas[0].1.interactions.keys().next().unwrap();
        sample.replicas[0].1.interactions.remove(&skipped);
        let faults = folds(&sample.evidence());
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(equal(&sample.evidence()).len(), 1);
        sample.replicas[1].1.position += 1;
        assert_eq!(equal(&sample.evidence()), Vec::<String>::new());
        assert_eq!(folds(&sample.evidence()).len(), 2);
    }

    #[test]
    fn a_replica_that_applied_what_was_parked_is_a_fault() {
        let mut sample = Sample::default();
        sample.log(interaction("a"));
        let position = sample.log.last().unwrap().position;
        sample.replicas_follow();
        let (parked, because) = (contract::Position::from_i64(position), "b".to_owned());
        let decision = contract::control::Parked { position: parked, because, sender: "s".into() };
        sample.log(Event::ControlParked(decision));
        let faults = folds(&sample.evidence());
        assert!(faults.iter().any(|fault| fault.contains("parked")), "{faults:?}");
    }
}
