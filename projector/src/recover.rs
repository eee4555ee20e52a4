//! `projector recover`: another life of the stream, after it was damaged or lost. What the most advanced replica holds is its base.
//!
//! In this order: the stream is closed, so that nobody follows it or writes to it; its files are saved; what it still has behind
//! the base is applied; a snapshot of the base is taken; then it is decided, on disk. From here on the old life does not come
//! back: its stream is deleted, the new one is made closed and begins with `epoch.opened`; replicas adopt it; it is opened;
//! replicas that hold something else are made from the base.

mod adopt;
mod begin;
mod decision;
mod error;
mod look;
mod plan;
mod prepare;
mod save;
mod tail;
mod tell;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::Event;
use contract::control::EpochOpened;
use service::{Config, shutdown};
use stream::Inspection;

pub(crate) use error::Error;

use self::decision::Decision;
use self::plan::{Choices, Part};
use crate::audit::mark::known_to_all;
use crate::folder::place_of;
use crate::rebuild;
use crate::rebuild::building::Guard;
use crate::rebuild::progress::Progress;
use crate::record::Record;

/// How long the session of a process that was killed may take to end: its connection is looked at every two seconds.
const ENDING: Duration = Duration::from_secs(5);
/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) yes: bool,
    pub(crate) out: Option<PathBuf>,
    pub(crate) base: Option<String>,
    pub(crate) without: Vec<String>,
    pub(crate) without_files: bool,
    pub(crate) json: bool,
}

/// Shows what would be done, and with `--yes` does it.
pub(crate) async fn recover(
    config: &Config,
    file: &Path,
    options: Options,
) -> Result<(), Box<dyn std::error::Error>> {
    let beside = file.parent().unwrap_or(Path::new("")).join("recovered");
    let out = place_of(options.out.as_deref().unwrap_or(&beside))?;
    let inspection = Inspection::open(&config.stream_settings(), "atelier projector recover").await?;
    let work = Work { config, inspection: &inspection, options: &options };
    let done = match decision::unfinished(&out)? {
        Some((place, decision)) => {
            tell::goes_on(&place, &decision, &options)?;
            if !options.yes {
                return Ok(());
            }
            let going_on = async {
                let guards = work.guard(&decision.without).await?;
                work.go_on(guards, &place, decision.clone()).await
            };
            work.on_record(&decision.without, going_on).await
        }
        None => {
            let look = look::look(config, &inspection).await?;
            let choices = Choices { base: options.base.clone(), without: options.without.clone() };
            let plan = plan::plan(&look.scene, &choices)?;
            known_to_all(&Event::EpochOpened(nothing(&plan)), &look.heard)?;
            let place = out.join(plan.previous.as_str());
            tell::plan(&plan, &look.scene, &place, &options)?;
            if !options.yes {
                return Ok(());
            }
            let begun = async {
                let guards = work.guard(&choices.without).await?;
                let decision = work.prepare(&plan, &choices, &place).await?;
                work.go_on(guards, &place, decision).await
            };
            work.on_record(&options.without, begun).await
        }
    };
    Ok(done?)
}

/// The opening of a life, of which only the type is asked.
fn nothing(plan: &plan::Plan) -> EpochOpened {
    EpochOpened {
        previous: plan.previous.clone(),
        base: plan.position,
        audit_hash: String::new(),
        snapshot: String::new(),
        counted: [].into(),
        sender: String::new(),
    }
}

struct Work<'a> {
    config: &'a Config,
    inspection: &'a Inspection,
    options: &'a Options,
}

impl Work<'_> {
    /// Does it, unless a signal comes; who does it stands on record in every replica that takes part.
    async fn on_record(
        &self,
        without: &[String],
        work: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let mut records = Vec::new();
        for replica in self.config.replicas.iter().filter(|replica| !without.contains(&replica.name)) {
            match Record::begin(replica, "recover").await {
                Ok(record) => records.push(record),
                Err(error) => tracing::warn!(replica = replica.name, %error, "it is not put on record there"),
            }
        }
        let stop = shutdown::on_signal().ok();
        let stopped = async {
            match &stop {
                Some(stop) => stop.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = stopped => Err(Error::Interrupted),
        };
        let outcome = done.as_ref().map_or_else(ToString::to_string, |()| "done".to_owned());
        for record in records {
            record.end(&outcome).await;
        }
        done
    }

    /// Nobody rebuilds, heals or rolls back a replica meanwhile. The session of a process that was killed may just be ending.
    async fn guard(&self, without: &[String]) -> Result<Vec<Guard>, Error> {
        let mut guards = Vec::new();
        for replica in self.replicas(without) {
            let began = Instant::now();
            let guard = loop {
                match Guard::take(replica).await {
                    Err(rebuild::Error::Taken { .. }) if began.elapsed() < ENDING => {
                        tokio::time::sleep(LOOK).await;
                    }
                    taken => break taken?,
                }
            };
            guards.push(guard);
        }
        Ok(guards)
    }

    fn progress(&self) -> Progress {
        Progress::start("stream", self.options.json)
    }

    /// Those that are not left out.
    fn replicas<'b>(
        &'b self,
        without: &'b [String],
    ) -> impl Iterator<Item = &'b service::config::Replica> + 'b {
        self.config.replicas.iter().filter(|replica| !without.contains(&replica.name))
    }

    /// To the end, from what was decided.
    async fn go_on(&self, guards: Vec<Guard>, place: &Path, decision: Decision) -> Result<(), Error> {
        let (there, left) = self.begin(place, &decision).await?;
        for guard in guards {
            // What is made anew is guarded by its own rebuild.
            guard.release().await?;
        }
        self.clone_all(&decision, &there, &left).await?;
        let ended = Some(service::time::now().to_string());
        Decision { ended, ..decision.clone() }.write(place)?;
        tell::done(&decision, place, &left, self.options);
        Ok(())
    }
}

impl Part {
    /// Whether the replica holds what the base holds.
    fn holds_the_base(self) -> bool {
        matches!(self, Part::Base | Part::Adopts)
    }
}
