//! What must hold whatever happened. Each checker is a pure function from evidence to faults, and each is seen to fail
//! by a control run.

pub(crate) mod acknowledged;
pub(crate) mod fold;
pub(crate) mod once;
pub(crate) mod tokens;

use contract::keyed_hash::HashingKey;

use crate::history::History;
use crate::log::Logged;
use crate::model::State;

/// Faults told of one checker.
const TOLD: usize = 5;

/// Everything that was seen of a run.
pub(crate) struct Evidence<'a> {
    /// What shoppers did and were told.
    pub(crate) history: &'a History,
    /// The events behind the import, up to the head.
    pub(crate) log: &'a [Logged],
    /// What every replica held right after the import.
    pub(crate) base: &'a State,
    /// Each replica with what it holds.
    pub(crate) replicas: &'a [(String, State)],
    /// The key of all hashes in the stream.
    pub(crate) hashing: &'a HashingKey,
    /// Whether reads honour `Atelier-Min-Position`.
    pub(crate) tokens: bool,
    /// Words of panics in the logs of our processes.
    pub(crate) panics: &'a [String],
}

/// A checker with its name.
pub(crate) struct Checker {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Evidence<'_>) -> Vec<String>,
}

/// All of them.
pub(crate) const ALL: [Checker; 9] = [
    Checker { name: "acknowledged writes are in the stream", check: acknowledged::stored },
    Checker { name: "what was told not to be stored is not", check: acknowledged::not_stored },
    Checker { name: "no message id twice", check: once::ids },
    Checker { name: "no operation applied twice", check: once::effects },
    Checker { name: "no key applied twice", check: once::keys },
    Checker { name: "replicas are the fold of the stream", check: fold::folds },
    Checker { name: "replicas are equal at equal positions", check: fold::equal },
    Checker { name: "reads are never older than their token", check: tokens::honoured },
    Checker { name: "no process of ours panicked", check: |evidence| evidence.panics.to_vec() },
];

/// Runs all checkers; each fault begins with its checker's name.
pub(crate) fn run(evidence: &Evidence<'_>) -> Vec<String> {
    ALL.iter().flat_map(|checker| told(checker.name, (checker.check)(evidence))).collect()
}

/// The first faults of one checker.
pub(crate) fn told(name: &str, faults: Vec<String>) -> Vec<String> {
    let more = faults.len().saturating_sub(TOLD);
    let mut told: Vec<String> =
        faults.into_iter().take(TOLD).map(|fault| format!("{name}: {fault}")).collect();
    if more > 0 {
        told.push(format!("{name}: and {more} more"));
    }
    told
}

#[cfg(test)]
pub(crate) mod samples;
