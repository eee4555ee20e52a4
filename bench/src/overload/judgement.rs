//! Whether the system came through as it must.

use std::time::Duration;

use load::memory::{Memory, beyond};

use super::requests::Kind;
use super::tally::Tally;
use crate::error::Error;
use crate::private::Private;

/// Accepted requests may take so many times the normal p99.
const SLOWER: f64 = 3.0;
/// All is as before within so long.
const RECOVERED: Duration = Duration::from_secs(5);
/// And then answers take no longer than so many times the normal p99: less would be chance.
const AS_BEFORE: f64 = 1.5;

/// What came back in each phase.
pub(super) struct Phases {
    pub(super) capacity: Tally,
    pub(super) normal: Tally,
    pub(super) load: Tally,
    pub(super) after: Tally,
    /// Between the load and what came after it.
    pub(super) late: Duration,
    pub(super) duration: Duration,
}

/// What was found.
#[derive(Default)]
pub(super) struct Judgement {
    broken: Vec<String>,
}

impl Judgement {
    pub(super) fn memory(&mut self, rest: &Memory, highest: &Memory) {
        for (name, most) in highest {
            let rest = rest.get(name).copied().unwrap_or_default();
            println!("{name}: {} MB at rest, {} MB at most under load", rest >> 20, most >> 20);
        }
        self.broken.extend(beyond(rest, highest));
    }

    pub(super) fn answers(&mut self, phases: &Phases) {
        let Phases { normal, load, after, .. } = phases;
        for (name, tally) in [("normal", normal), ("overload", load), ("after it", after)] {
            for (fault, times) in &tally.faults {
                self.broken.push(format!("{name}: {times} × {fault}"));
            }
        }
        if normal.refused_since(Duration::ZERO) > 0 {
            self.broken.push("the normal rate is refused: it is not borne".to_owned());
        }
        // Behind an overload that was none everything holds.
        if load.refused_since(Duration::ZERO) == 0 {
            self.broken.push("nothing was refused: it was no overload".to_owned());
        }
        if load.unsent > load.all() as u64 / 20 {
            self.broken.push(format!("the generator could not send {} requests", load.unsent));
        }
        let recovered = RECOVERED.saturating_sub(phases.late);
        for kind in Kind::ALL {
            let usual = normal.percentile(kind, Duration::ZERO, Duration::MAX, 0.99);
            let loaded = load.percentile(kind, Duration::ZERO, phases.duration, 0.99);
            let text = format!(
                "{}: p99 {usual:.1} ms normally, {loaded:.1} ms of those accepted under load ({:.1} ×)",
                kind.word(),
                loaded / usual
            );
            println!("{text}");
            if loaded > usual * SLOWER {
                self.broken.push(format!("{text}, over {SLOWER} ×"));
            }
            let again = after.percentile(kind, recovered, Duration::MAX, 0.99);
            if again > usual * AS_BEFORE {
                self.broken.push(format!(
                    "{}: p99 {again:.1} ms from {RECOVERED:?} after the load on, {usual:.1} ms before it",
                    kind.word()
                ));
            }
        }
        let last = after.last_refusal().unwrap_or_default();
        println!("the last refusal came {:.1} s after the load", (phases.late + last).as_secs_f64());
        if after.refused_since(recovered) > 0 {
            self.broken.push(format!(
                "still {} refusals {RECOVERED:?} after the load",
                after.refused_since(recovered)
            ));
        }
    }

    /// Every acknowledged write is in every replica, and nothing is in the stream that was refused.
    pub(super) async fn writes(
        &mut self,
        private: &Private,
        before: u64,
        phases: &Phases,
    ) -> Result<(), Error> {
        let Phases { capacity, normal, load, after, .. } = phases;
        let all = [capacity, normal, load, after];
        let acknowledged: Vec<i64> =
            all.iter().flat_map(|tally| tally.acknowledged.iter().copied()).collect();
        let in_doubt: u64 = all.iter().map(|tally| tally.in_doubt).sum();
        for (replica, database) in private.system.replicas().iter().zip(&private.databases) {
            let missing: i64 = sqlx::query_scalar(include_str!("missing.sql"))
                .bind(&acknowledged)
                .fetch_one(database)
                .await?;
            if missing > 0 {
                self.broken.push(format!("{missing} acknowledged reviews are not in replica {replica}"));
            }
        }
        let stored = private.stream_head().await? - before;
        let told = acknowledged.len() as u64;
        println!("{told} writes were acknowledged, {in_doubt} are in doubt, {stored} are in the stream");
        if !(told..=told + in_doubt).contains(&stored) {
            self.broken.push("the stream does not hold what was acknowledged and nothing else".to_owned());
        }
        Ok(())
    }

    pub(super) fn tell(self) -> Result<(), Error> {
        if self.broken.is_empty() {
            return Ok(());
        }
        Err(Error::said(format!("not within the bounds:\n  {}", self.broken.join("\n  "))))
    }
}
