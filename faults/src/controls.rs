//! Runs in which a checker must find a fault: a checker that has not been seen to fail counts for nothing.
//!
//! Each starts from a real run whose evidence is clean, then breaks one promise, on the real system where that is
//! cheap: rows, events and acknowledgements really are what the checker is told.

mod broken;
mod power;

use std::time::Duration;

use futures::FutureExt;
use tests::within;

use crate::arena::Arena;
use crate::checkers::{ALL, Evidence};
use crate::drive::Plan;
use crate::history::History;
use crate::log::Logged;
use crate::model::State;
use crate::panics;
use crate::row::{Seen, Setup, Stop};
use crate::run::caught;

/// The broker forgets ids at once, so that one id can really be stored twice.
const SETUP: Setup =
    Setup { environment: &[("init", "ATELIER_STREAM_DUPLICATE_WINDOW_MS", "1000")], ..Setup::USUAL };
/// Longer than that window.
const FORGOTTEN: Duration = Duration::from_millis(2_500);

/// Evidence that a control may change.
struct Case {
    history: History,
    log: Vec<Logged>,
    replicas: Vec<(String, State)>,
    panics: Vec<String>,
}

/// How controls ended.
pub(crate) struct Controls {
    lines: Vec<String>,
    /// Every checker was seen to fail, as far as this machine lets it.
    well: bool,
}

impl Controls {
    /// Prints them; whether every checker was seen to fail.
    pub(crate) fn print(self) -> bool {
        println!("\n{:10}  {:42}  control", "", "checker");
        self.lines.iter().for_each(|line| println!("{line}"));
        self.well
    }
}

/// Runs all controls.
pub(crate) async fn run(seed: u64) -> Controls {
    let mut controls = Controls { lines: Vec::new(), well: true };
    let (mut broken, mut power) = (Vec::new(), Vec::new());
    let ended = [
        ("broken", caught(broken_system(seed, &mut broken).boxed_local()).await),
        ("power", caught(power::run(seed, &mut power).boxed_local()).await),
    ];
    controls.lines.extend(broken.into_iter().chain(power));
    for (name, ended) in ended {
        match ended {
            Ok(()) => {}
            Err(Stop::Skipped(reason)) => controls.lines.push(format!("{:10}  {name}: {reason}", "skipped")),
            Err(Stop::Failed(faults)) => {
                controls.well = false;
                controls.lines.push(format!("{:10}  {name}: {}", "NOT SEEN", faults.join("\n            ")));
            }
        }
    }
    controls
}

/// One system, driven, judged clean, and then broken in one way after another.
async fn broken_system(seed: u64, seen: &mut Vec<String>) -> Result<(), Stop> {
    let mut arena = Arena::start("controls", &SETUP, seed, true).await?;
    let drive = arena.drive(Plan::USUAL);
    drive.more(200, within(60)).await;
    drive.stop().await;
    let _clean = arena.judge(Seen::default()).await?;
    tokio::time::sleep(FORGOTTEN).await;
    for control in broken::CONTROLS {
        let mut case = gather(&arena).await?;
        (control.break_it)(&mut arena, &mut case).await?;
        seen.push(seen_to_fail(&arena, control.checker, control.what, &case)?);
    }
    Ok(())
}

/// What is there now.
async fn gather(arena: &Arena) -> Result<Case, Stop> {
    let history = arena.history.lock().clone();
    let panics = panics::told(&arena.system.data().logs());
    Ok(Case { history, log: arena.log().await?, replicas: arena.states().await?, panics })
}

/// The checker must find a fault; what it found, in words.
fn seen_to_fail(arena: &Arena, name: &str, what: &str, case: &Case) -> Result<String, Stop> {
    let checker = ALL.iter().find(|checker| checker.name == name);
    let checker = checker.ok_or_else(|| Stop::from(format!("there is no checker {name:?}")))?;
    let faults = (checker.check)(&Evidence {
        history: &case.history,
        log: &case.log,
        base: &arena.base,
        replicas: &case.replicas,
        hashing: &arena.hashing,
        tokens: true,
        panics: &case.panics,
    });
    match faults.first() {
        Some(fault) => {
            let fault: String = fault.chars().take(180).collect();
            let line = format!(
                "{:10}  {name:42}  {what}\n{:12}{} found; the first: {fault}",
                "seen",
                "",
                faults.len()
            );
            eprintln!("{line}");
            Ok(line)
        }
        None => Err(Stop::from(format!("{name:?} finds nothing: {what}"))),
    }
}
