//! How far a comparison is: a bar on a terminal, on stderr; elsewhere what is said for good alone.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use service::telemetry;

/// Shows how far a comparison is; or nothing, to programs.
#[derive(Default)]
pub(crate) struct Progress {
    speaks: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For people.
    pub(crate) fn start() -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("comparing {bar:24} {pos} of {len} tables  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Progress { speaks: true, bar }
    }

    /// Says something for good.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            _ if !self.speaks => {}
            Some(bar) => bar.println(text),
            None => telemetry::say(text),
        }
    }

    pub(super) fn more(&self, tables: usize) {
        if let Some(bar) = &self.bar {
            bar.inc_length(tables as u64);
        }
    }

    pub(super) fn hashing(&self, side: &str, table: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{side}: {table}"));
        }
    }

    pub(super) fn hashed(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
