//! A row: lines that are measured in the same rounds.

use std::time::Duration;

use serde::Serialize;

use crate::contestant::Contestant;
use crate::disk::Flushes;
use crate::error::Error;
use crate::figures::{Measured, Spread};
use crate::private::Private;

/// Each line is tried for so long before the first round; that is not counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// What is measured together.
pub(crate) struct Row {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What was asked for, in words.
    pub(crate) about: String,
    /// Its lines; references after what is measured beside them.
    pub(crate) lines: Vec<Line>,
}

/// One line of the table.
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: &'static str,
    /// Names of the lines that it is measured beside; none for a reference.
    pub(crate) beside: &'static [&'static str],
    /// What is measured.
    pub(crate) contestant: Contestant,
}

/// A row that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) row: &'static str,
    pub(crate) about: String,
    pub(crate) lines: Vec<LineOutcome>,
}

/// A line that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct LineOutcome {
    pub(crate) line: &'static str,
    pub(crate) per_second: Spread,
    pub(crate) p50_ms: Spread,
    pub(crate) p99_ms: Spread,
    /// Of the disk under the data, whoever asked for them; none where the kernel does not count them.
    pub(crate) flushes_per_second: Option<Spread>,
    pub(crate) beside: Vec<Ratio>,
    pub(crate) rounds: Vec<Measured>,
}

/// A line's rate, as many times its reference's rate in the same round.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) reference: &'static str,
    pub(crate) ratio: Spread,
}

impl Row {
    /// Measures all lines in each round, every other round backwards.
    ///
    /// # Errors
    /// The first wrong answer.
    pub(crate) async fn measure(
        &self,
        private: &Private,
        rounds: u64,
        duration: Duration,
    ) -> Result<Outcome, Error> {
        let mut measured: Vec<Vec<(Measured, Option<f64>)>> = self.lines.iter().map(|_| vec![]).collect();
        let flushes = Flushes::of(private.folder.path());
        for line in &self.lines {
            line.contestant.measure(private, &self.full(line), WARM_UP.min(duration)).await?;
        }
        for round in 0..rounds {
            let mut order: Vec<usize> = (0..self.lines.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let line = &self.lines[index];
                let counting = flushes.begin();
                let figures = line.contestant.measure(private, &self.full(line), duration).await?;
                let flushes = counting.per_second();
                eprintln!(
                    "round {} of {rounds}: {}: {:.0} a second, p50 {:.2} ms, p99 {:.2} ms",
                    round + 1,
                    self.full(line),
                    figures.per_second,
                    figures.p50_ms,
                    figures.p99_ms
                );
                measured[index].push((figures, flushes));
            }
        }
        Ok(self.outcome(measured))
    }

    fn full(&self, line: &Line) -> String {
        format!("{}: {}", self.name, line.name)
    }

    fn outcome(&self, measured: Vec<Vec<(Measured, Option<f64>)>>) -> Outcome {
        let rounds_of = |name: &str| {
            let index = self.lines.iter().position(|line| line.name == name);
            &measured[index.expect("a line is measured beside lines of its own row")]
        };
        let lines = self.lines.iter().zip(&measured).map(|(line, rounds)| LineOutcome {
            line: line.name,
            per_second: Spread::of(rounds.iter().map(|(round, _)| round.per_second)),
            p50_ms: Spread::of(rounds.iter().map(|(round, _)| round.p50_ms)),
            p99_ms: Spread::of(rounds.iter().map(|(round, _)| round.p99_ms)),
            flushes_per_second: {
                let counted: Option<Vec<f64>> = rounds.iter().map(|(_, flushes)| *flushes).collect();
                counted.map(Spread::of)
            },
            beside: line
                .beside
                .iter()
                .map(|reference| {
                    let pairs = rounds.iter().zip(rounds_of(reference));
                    Ratio {
                        reference,
                        ratio: Spread::of(
                            pairs.map(|((own, _), (other, _))| own.per_second / other.per_second),
                        ),
                    }
                })
                .collect(),
            rounds: rounds.iter().map(|(round, _)| round.clone()).collect(),
        });
        Outcome { row: self.name, about: self.about.clone(), lines: lines.collect() }
    }
}
