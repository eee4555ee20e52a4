//! What came back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::Token;
use load::Answer;

use super::requests::Kind;
use crate::figures::percentile;

/// One request that was done.
#[derive(Debug, Clone, Copy)]
struct Done {
    kind: Kind,
    /// When it should have been sent, from the beginning.
    at: Duration,
    /// From then on until its whole answer was there.
    milliseconds: f64,
}

/// All that came back in one phase.
#[derive(Debug)]
pub(super) struct Tally {
    began: Instant,
    done: Vec<Done>,
    /// When refused ones should have been sent.
    refused: Vec<(Kind, Duration)>,
    /// The longest that a refusal took.
    pub(super) slowest_refusal_ms: f64,
    /// Positions of acknowledged writes.
    pub(super) acknowledged: Vec<i64>,
    /// Refusals by `type`.
    pub(super) reasons: BTreeMap<String, u64>,
    /// What is neither done nor refused as it should be.
    pub(super) faults: BTreeMap<String, u64>,
    /// Could not even be sent: the generator had no connection left.
    pub(super) unsent: u64,
    /// Writes whose fate is not known.
    pub(super) in_doubt: u64,
}

impl Tally {
    pub(super) fn new(began: Instant) -> Tally {
        Tally {
            began,
            done: vec![],
            refused: vec![],
            slowest_refusal_ms: 0.0,
            acknowledged: vec![],
            reasons: BTreeMap::new(),
            faults: BTreeMap::new(),
            unsent: 0,
            in_doubt: 0,
        }
    }

    pub(super) fn add(&mut self, kind: Kind, due: Instant, answer: std::io::Result<Answer>) {
        let (at, milliseconds) = (due.duration_since(self.began), due.elapsed().as_secs_f64() * 1000.0);
        match answer {
            Ok(answer) if answer.status == kind.done() => {
                self.done.push(Done { kind, at, milliseconds });
                if kind == Kind::Write {
                    let token: Option<Token> = answer.position.and_then(|text| text.parse().ok());
                    match token {
                        Some(token) => self.acknowledged.push(token.position.as_i64()),
                        None => self.fault("a write without a position".to_owned()),
                    }
                }
            }
            Ok(answer) => {
                let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let reason = said["type"].as_str().unwrap_or("nothing that is known").to_owned();
                if kind == Kind::Write
                    && !said["detail"].as_str().is_some_and(|text| text.contains("nothing was stored"))
                {
                    self.in_doubt += 1;
                }
                if answer.status == 503 && answer.retry_after && answer.is_problem {
                    self.refused.push((kind, at));
                    self.slowest_refusal_ms = self.slowest_refusal_ms.max(milliseconds);
                    *self.reasons.entry(reason).or_default() += 1;
                } else {
                    let after = if answer.retry_after { "with" } else { "without" };
                    self.fault(format!("{} {} {after} Retry-After: {reason}", kind.word(), answer.status));
                }
            }
            Err(error) => {
                self.in_doubt += u64::from(kind == Kind::Write);
                self.fault(format!("{}: {error}", kind.word()));
            }
        }
    }

    fn fault(&mut self, what: String) {
        *self.faults.entry(what).or_default() += 1;
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        self.done.iter().filter(|done| done.kind == kind).count()
    }

    pub(super) fn refused(&self, kind: Kind) -> usize {
        self.refused.iter().filter(|(of, _)| *of == kind).count()
    }

    /// All that was asked and came back in some way.
    pub(super) fn all(&self) -> usize {
        self.done.len() + self.refused.len() + self.faults.values().sum::<u64>() as usize
    }

    /// Of those that were due from a moment on, until another one.
    pub(super) fn percentile(&self, kind: Kind, from: Duration, until: Duration, share: f64) -> f64 {
        let chosen = self.done.iter().filter(|done| done.kind == kind && (from..until).contains(&done.at));
        percentile(&mut chosen.map(|done| done.milliseconds).collect::<Vec<_>>(), share)
    }

    /// When the last refused or failed one should have been sent.
    pub(super) fn last_refusal(&self) -> Option<Duration> {
        self.refused.iter().map(|(_, at)| *at).max()
    }

    /// Whether anything that was due from a moment on was refused.
    pub(super) fn refused_since(&self, from: Duration) -> usize {
        self.refused.iter().filter(|(_, at)| *at >= from).count()
    }
}
