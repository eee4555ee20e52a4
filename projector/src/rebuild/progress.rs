//! How far a rebuild has come: a bar on a terminal, else a line every few seconds, both on stderr; with `--json` a line of
//! JSON each second on stdout. What has to be said for good goes above the bar.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use contract::Position;
use contract::announcement::ImportProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use service::telemetry;
use tokio::task::JoinHandle;

/// Between two lines for programs, and two looks of the bar.
const EVERY: Duration = Duration::from_secs(1);
/// Between two lines for people without a terminal.
const BETWEEN_LINES: u32 = 5;
/// Events in a second that are expected of a replay before its own rate is known: an assumption.
pub(crate) const EXPECTED_EVENTS: f64 = 25_000.0;
/// Fewer events than these tell no rate.
const ENOUGH: u64 = 20_000;

/// What a rebuild is doing, in the order of doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Prepare,
    Check,
    Replay,
    Copy,
    CatchUp,
    Index,
    Compare,
    Swap,
    Done,
    /// Of the stream's files.
    Save,
    Load,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Phase::Prepare => "preparing",
            Phase::Check => "checking",
            Phase::Replay => "replaying",
            Phase::Copy => "copying",
            Phase::CatchUp => "catching up",
            Phase::Index => "making indexes",
            Phase::Compare => "comparing",
            Phase::Swap => "swapping",
            Phase::Done => "done",
            Phase::Save => "saving",
            Phase::Load => "loading",
        }
    }
}

/// Shows how far one rebuild is. Clones show the same one.
#[derive(Clone)]
pub(crate) struct Progress {
    state: Arc<Mutex<State>>,
    bar: Option<ProgressBar>,
    _ticking: Arc<Ticking>,
}

struct Ticking(JoinHandle<()>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct State {
    replica: String,
    phase: Phase,
    since: Instant,
    /// Of a replay.
    replay: Option<Replaying>,
    /// Of a copy: bytes of tables and indexes, and rows.
    copy: Option<Copying>,
    /// Bytes of files, of how many.
    moved: Option<(u64, u64)>,
}

#[derive(Clone)]
struct Replaying {
    position: Position,
    head: Position,
    import: Option<ImportProgress>,
    /// Ordinary events that were applied, and how long that took.
    ordinary: u64,
    took: Duration,
    last: Instant,
}

#[derive(Clone, Copy, Default)]
struct Copying {
    done: f64,
    total: f64,
    rows: u64,
    rows_total: u64,
}

/// A line for programs.
#[derive(Serialize)]
struct Line<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    phase: Phase,
    percent: Option<f64>,
    done: Option<u64>,
    total: Option<u64>,
    per_second: Option<f64>,
    behind_events: Option<u64>,
    seconds_left: Option<u64>,
}

impl Progress {
    /// Begins to show the rebuild of a replica.
    pub(crate) fn start(replica: &str, json: bool) -> Progress {
        let state = State {
            replica: replica.to_owned(),
            phase: Phase::Prepare,
            since: Instant::now(),
            replay: None,
            copy: None,
            moved: None,
        };
        let state = Arc::new(Mutex::new(state));
        let bar = (!json && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix} {bar:24} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let ticking = tokio::spawn(tick(Arc::clone(&state), bar.clone(), json));
        Progress { state, bar, _ticking: Arc::new(Ticking(ticking)) }
    }

    /// The next phase begins.
    pub(crate) fn phase(&self, phase: Phase) {
        let mut state = self.state();
        (state.phase, state.since, state.moved) = (phase, Instant::now(), None);
        tracing::debug!(phase = phase.word(), "the rebuild's next phase");
    }

    /// Says something for good.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => telemetry::say(text),
        }
    }

    /// Events are applied from here on; the stream's last one is there.
    pub(crate) fn replaying(&self, position: Position, head: Position) {
        let replay = Replaying {
            position,
            head,
            import: None,
            ordinary: 0,
            took: Duration::ZERO,
            last: Instant::now(),
        };
        let mut state = self.state();
        match &mut state.replay {
            Some(replay) if replay.position <= position => {
                (replay.head, replay.last) = (head, Instant::now());
            }
            none => *none = Some(replay),
        }
    }

    pub(super) fn importing(&self, import: ImportProgress) {
        if let Some(replay) = &mut self.state().replay {
            replay.import = Some(import);
        }
    }

    pub(super) fn applied(&self, position: Position, importing: bool) {
        if let Some(replay) = &mut self.state().replay {
            if importing || replay.import.is_some() {
                replay.import = replay.import.take().filter(|_| importing);
            } else {
                replay.ordinary += position.0 - replay.position.0;
                replay.took += replay.last.elapsed();
            }
            (replay.position, replay.last) = (position, Instant::now());
            replay.head = replay.head.max(position);
        }
    }

    /// So much of a copy is done.
    pub(super) fn copied(&self, done: f64, total: f64, rows: u64, rows_total: u64) {
        self.state().copy = Some(Copying { done, total, rows, rows_total });
    }

    /// So many bytes of files were read or written, of so many.
    pub(crate) fn moved(&self, done: u64, total: u64) {
        self.state().moved = Some((done, total));
    }

    /// The events or rows that were written in a second on average, once the work is done.
    pub(crate) fn finish(&self) {
        self.phase(Phase::Done);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    fn line(&self) -> Line<'_> {
        let mut line = Line {
            schema_version: 1,
            kind: "progress",
            replica: &self.replica,
            phase: self.phase,
            percent: None,
            done: None,
            total: None,
            per_second: None,
            behind_events: None,
            seconds_left: None,
        };
        let elapsed = self.since.elapsed().as_secs_f64();
        match self.phase {
            Phase::Replay | Phase::CatchUp => {
                let Some(replay) = &self.replay else { return line };
                let behind = replay.head.0 - replay.position.0;
                line.behind_events = Some(behind);
                let took = replay.took.as_secs_f64();
                let known = replay.ordinary >= ENOUGH && took > 0.0;
                let rate = if known { replay.ordinary as f64 / took } else { EXPECTED_EVENTS };
                line.per_second = known.then_some(rate.round());
                let ordinary_left = behind as f64 / rate;
                let left = match &replay.import {
                    None => Some(ordinary_left),
                    // Chunks are few and heavy: what lies behind the catalogue is counted by its own rate.
                    Some(import) => import.seconds_left.map(|left| left as f64 + ordinary_left),
                };
                line.seconds_left = left.map(|left| left.ceil() as u64);
                line.percent = left.map(|left| percent(elapsed, elapsed + left));
            }
            Phase::Copy => {
                let Some(copy) = self.copy.filter(|copy| copy.done > 0.0) else { return line };
                (line.done, line.total) = (Some(copy.rows), Some(copy.rows_total));
                line.per_second = Some((copy.rows as f64 / elapsed.max(0.001)).round());
                line.percent = Some(percent(copy.done, copy.total));
                line.seconds_left =
                    Some((elapsed * (copy.total - copy.done).max(0.0) / copy.done).ceil() as u64);
            }
            Phase::Check | Phase::Save | Phase::Load => {
                let Some((done, total)) = self.moved.filter(|(done, _)| *done > 0) else { return line };
                line.percent = Some(percent(done as f64, total as f64));
                line.seconds_left =
                    Some((elapsed * total.saturating_sub(done) as f64 / done as f64).ceil() as u64);
            }
            Phase::Prepare | Phase::Index | Phase::Compare | Phase::Swap | Phase::Done => {}
        }
        line
    }
}

fn percent(done: f64, total: f64) -> f64 {
    (done / total.max(f64::MIN_POSITIVE) * 1000.0).round().min(1000.0) / 10.0
}

impl Line<'_> {
    fn words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.percent.map(|percent| format!("{percent:.0} %")));
        parts.extend(self.done.zip(self.total).map(|(done, total)| format!("{done} of about {total} rows")));
        parts.extend(self.per_second.map(|rate| format!("{rate:.0}/s")));
        parts.extend(self.behind_events.map(|behind| format!("{behind} events to the head")));
        parts.extend(self.seconds_left.map(|left| format!("about {left} s left")));
        parts.join("  ")
    }
}

async fn tick(state: Arc<Mutex<State>>, bar: Option<ProgressBar>, json: bool) {
    let mut ticks = tokio::time::interval(EVERY);
    let mut count = 0;
    loop {
        ticks.tick().await;
        let state = state.lock().expect("no holder of this lock panics");
        let line = state.line();
        if json {
            let text = serde_json::to_string(&line).expect("a line is plain data");
            println!("{text}");
        } else if let Some(bar) = &bar {
            bar.set_prefix(format!("{}: {}", line.replica, line.phase.word()));
            bar.set_position((line.percent.unwrap_or_default() * 10.0) as u64);
            bar.set_message(line.words());
        } else if count % BETWEEN_LINES == 0 && line.phase != Phase::Done {
            telemetry::say(&format!("{}: {}  {}", line.replica, line.phase.word(), line.words()));
        }
        count += 1;
    }
}
