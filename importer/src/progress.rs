//! How far the import has come: a bar on a terminal, else a line every few seconds. Both on stderr.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use service::telemetry::say;

use crate::pass::Seen;

/// Between two lines without a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows one stage of the work.
pub(crate) struct Progress {
    stage: &'static str,
    bytes: u64,
    started: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A stage that is done when this many bytes were read.
    pub(crate) fn start(stage: &'static str, bytes: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} %  {msg}  ETA {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(stage);
            bar
        });
        let now = Instant::now();
        Self { stage, bytes, started: now, last_line: now, bar }
    }

    /// Shows how far it is now.
    pub(crate) fn show(&mut self, seen: Seen) {
        if let Some(bar) = &self.bar {
            bar.set_position(seen.bytes);
            bar.set_message(self.message(seen));
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            let percent = (seen.bytes * 100).checked_div(self.bytes).unwrap_or(100);
            let left = self.started.elapsed().as_secs_f64() * (self.bytes.saturating_sub(seen.bytes)) as f64
                / seen.bytes.max(1) as f64;
            say(&format!("{} {percent} %  {}  ETA {left:.0} s", self.stage, self.message(seen)));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn message(&self, seen: Seen) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        if seen.rows == 0 {
            let megabytes = seen.bytes as f64 / 1e6;
            return format!("{}  {:.0} MB/s", seen.file, megabytes / seconds);
        }
        format!("{}  {} rows  {:.0} rows/s", seen.file, seen.rows, seen.rows as f64 / seconds)
    }
}
