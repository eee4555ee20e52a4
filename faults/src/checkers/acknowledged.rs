//! Invariant 6: what was acknowledged is in the stream, where the answer said; and what was told not to be stored is
//! not there.

use std::collections::{HashMap, HashSet};

use super::Evidence;
use crate::history::{Outcome, name_of};

/// Every acknowledged write is the event at its position, with the id and under the key that it was told.
pub(crate) fn stored(evidence: &Evidence<'_>) -> Vec<String> {
    let by_position: HashMap<i64, _> = evidence.log.iter().map(|logged| (logged.position, logged)).collect();
    let mut faults = Vec::new();
    for record in &evidence.history.writes {
        let Outcome::Stored { token, id } = &record.outcome else {
            continue;
        };
        let position = token.position.as_i64();
        let what = || format!("{:?}, acknowledged at {position},", record.operation);
        let Some(logged) = by_position.get(&position) else {
            faults.push(format!("{} is not in the stream", what()));
            continue;
        };
        if !record.operation.is(&logged.event, evidence.hashing) {
            faults.push(format!("{} is {:?} there", what(), logged.event));
        }
        if id.is_some_and(|id| id != position) {
            faults.push(format!("{} was told the id {id:?}", what()));
        }
        let key = record.key_hash(evidence.hashing);
        if logged.key.as_ref().map(|key| &key.key) != key.as_ref() {
            faults.push(format!("{} has the key {:?} there, not {key:?}", what(), logged.key));
        }
    }
    faults
}

/// Nobody is told of a failure that did not happen.
pub(crate) fn not_stored(evidence: &Evidence<'_>) -> Vec<String> {
    let there: HashSet<String> = evidence.log.iter().filter_map(name_of).collect();
    let mut faults = Vec::new();
    for record in &evidence.history.writes {
        if let Outcome::Failed(told) = &record.outcome
            && there.contains(&record.operation.name(evidence.hashing))
        {
            faults.push(format!("{:?} is in the stream; it was told: {told}", record.operation));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, failed, interaction, stored as told};
    use super::*;

    #[test]
    fn a_lost_event_and_one_at_another_place_are_faults() {
        let mut sample = Sample::default();
        let at = sample.log(interaction("a"));
        sample.history.writes.push(told("a", at));
        assert_eq!(stored(&sample.evidence()), Vec::<String>::new());
        sample.history.writes.push(told("b", at));
        sample.history.writes.push(told("c", at + 1));
        let faults = stored(&sample.evidence());
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[1].contains("is not in the stream"));
    }

    #[test]
    fn a_failure_that_did_not_happen_is_a_fault() {
        let mut sample = Sample::default();
        sample.log(interaction("a"));
        sample.history.writes.push(failed("b"));
        assert_eq!(not_stored(&sample.evidence()), Vec::<String>::new());
        sample.history.writes.push(failed("a"));
        assert_eq!(not_stored(&sample.evidence()).len(), 1);
    }
}
