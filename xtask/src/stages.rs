//! Stages with their seconds, as they pass.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::error::Error;

/// Shows one stage at a time.
#[derive(Default)]
pub(crate) struct Stages {
    spinner: Option<ProgressBar>,
}

impl Stages {
    /// A stage has begun: on a terminal it turns.
    pub(crate) fn began(&mut self, name: &str) {
        let spinner = ProgressBar::new_spinner().with_message(name.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(100));
        self.spinner = Some(spinner);
    }

    /// It is over.
    pub(crate) fn ended(&mut self, name: &str, took: Duration) {
        self.clear();
        say(&format!("{name:>20} {:8.1} s", took.as_secs_f64()));
    }

    /// Takes the turning line away, before anything else is printed.
    pub(crate) fn clear(&mut self) {
        if let Some(spinner) = self.spinner.take() {
            spinner.finish_and_clear();
        }
    }

    /// A stage that is done right here.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let started = Instant::now();
        self.began(name);
        let outcome = work();
        self.clear();
        let outcome = outcome?;
        self.ended(name, started.elapsed());
        Ok(outcome)
    }
}

/// Prints a line for people. Whoever read it may have gone; the work goes on.
pub(crate) fn say(line: &str) {
    let _read_or_not = writeln!(std::io::stdout(), "{line}");
}
