//! Everything that comes before the decision, and that leaves the old life as it was.

use std::path::Path;

use contract::Position;
use contract::control::EpochOpened;
use data_encoding::HEXLOWER;
use replica::{Checkpoint, SCHEMA_LIVE};
use service::config::Replica;
use sqlx::{Connection as _, PgConnection, Row};
use stream::Description;

use super::decision::{self, Decision};
use super::look::look;
use super::plan::{self, Choices, LEFT_OUT, Plan};
use super::save::{self, save};
use super::tail::{apply_tail, fence};
use super::{Error, Work};
use crate::rebuild::progress::{Phase, Progress};
use crate::record::operator;
use crate::snapshot::{self, Whole};
use crate::{failpoint, generation, init, secrets};

const COUNTED: &str = include_str!("counted.sql");

impl Work<'_> {
    /// Comes to a decision. When it fails before that, the stream is opened again as it was.
    pub(super) async fn prepare(
        &self,
        shown: &Plan,
        choices: &Choices,
        place: &Path,
    ) -> Result<Decision, Error> {
        let progress = self.progress();
        let was_open = match self.inspection.describe().await {
            Ok(description) => {
                self.inspection.close().await?;
                failpoint::reached("closed");
                !description.closed
            }
            Err(stream::Error::NoStream) => false,
            Err(error) => return Err(error.into()),
        };
        let decided = self.decide(shown, choices, place, &progress).await;
        progress.finish();
        if decided.is_err() && was_open && !matches!(decision::read(place), Ok(Some(_))) {
            match self.inspection.open_again().await {
                Ok(()) => progress.say("the stream is open again, as it was"),
                Err(error) => progress.say(&format!("the stream could not be opened again: {error}")),
            }
        }
        decided
    }

    async fn decide(
        &self,
        shown: &Plan,
        choices: &Choices,
        place: &Path,
        progress: &Progress,
    ) -> Result<Decision, Error> {
        for replica in self.replicas(&choices.without) {
            let (connection, _stands) = fence(replica).await?;
            connection.close().await?;
        }
        // From here on nothing moves.
        let look = look(self.config, self.inspection).await?;
        let plan = plan::plan(&look.scene, choices)?;
        if (&plan.base, &plan.previous) != (&shown.base, &shown.previous) || plan.lost != shown.lost {
            return Err(Error::Changed);
        }
        let stream = look.stream.as_ref();
        let saved =
            save(self.config, self.inspection, stream, place, self.options.without_files, progress).await?;
        progress.say(&saved.words());
        failpoint::reached("files saved");
        let base = self.config.replica(&plan.base).map_err(Error::Size)?;
        if plan.behind > 0
            && let Some(stream) = stream
        {
            self.apply_tails(&plan, stream, progress).await?;
        }
        let (counted, stands) = counted(base).await?;
        let (snapshot, audit_hash) = self.snapshot(base, &stands, place, progress).await?;
        failpoint::reached("snapshot taken");
        let known = plan.first.0.max(stands.position.0 + LEFT_OUT);
        let decision = Decision {
            schema_version: Decision::SCHEMA_VERSION,
            decided: service::time::now().to_string(),
            epoch: secrets::new_epoch(),
            first: Position(known),
            replica: base.name.clone(),
            event_hash: HEXLOWER.encode(&stands.event_hash),
            without: choices.without.clone(),
            max_bytes: match stream {
                Some(stream) => stream.max_bytes,
                None => init::max_bytes(self.config).map_err(|error| Error::Size(error.to_string()))?,
            },
            duplicate_window_ms: stream.map_or(self.config.stream.duplicate_window_ms, |stream| {
                u64::try_from(stream.duplicate_window.as_millis()).unwrap_or(u64::MAX)
            }),
            servers: stream.map_or(1, |stream| stream.servers),
            saved_up_to: stream.map(|stream| stream.last),
            opened: EpochOpened {
                previous: plan.previous.clone(),
                base: stands.position,
                audit_hash,
                snapshot: snapshot.display().to_string(),
                counted,
                sender: operator(),
            },
            ended: None,
        };
        decision.write(place)?;
        failpoint::reached("decided");
        Ok(decision)
    }

    /// The base, and every replica that holds the same, applies what the stream still has.
    async fn apply_tails(&self, plan: &Plan, stream: &Description, progress: &Progress) -> Result<(), Error> {
        let Some(link) = self.inspection.link(stream) else { return Ok(()) };
        for (name, _) in plan.parts.iter().filter(|(_, part)| part.holds_the_base()) {
            let replica = self.config.replica(name).map_err(Error::Size)?;
            let tail = apply_tail(replica, &link, stream.last).await?;
            let (applied, stands) = (tail.applied, tail.checkpoint.position);
            progress.say(&format!("replica {name} applied {applied} events more, up to {stands}"));
            if !tail.stopped.is_empty() {
                let lost = stream.last.0.saturating_sub(stands.0);
                progress.say(&format!(
                    "the last {lost} positions of the stream are not applied, because {}",
                    tail.stopped
                ));
            }
        }
        Ok(())
    }

    /// Everything that the base holds, in a folder; what an earlier try has taken counts. Answers the folder, and its audit hash.
    async fn snapshot(
        &self,
        base: &Replica,
        stands: &Checkpoint,
        place: &Path,
        progress: &Progress,
    ) -> Result<(std::path::PathBuf, String), Error> {
        let out = place.join("snapshot");
        if out.exists() {
            let whole = Whole::open(&out, progress).await.map_err(crate::rebuild::Error::from)?;
            let taken = whole.manifest.checkpoint();
            if !plan::same(&taken, stands) {
                return Err(Error::SnapshotOfAnother { place: out });
            }
            return Ok((out, whole.manifest.audit_hash));
        }
        progress.phase(Phase::Copy);
        let moment = snapshot::take_moment(base).await?;
        let bytes = moment.tables.iter().map(|table| table.bytes).sum();
        let folder = save::begin(&out, bytes)?;
        let taken = snapshot::write(self.config, base, &moment, folder, progress).await?;
        let (rows, position) = (taken.manifest.rows, taken.manifest.position);
        progress.say(&format!(
            "a snapshot of replica {} as of {position} ({rows} rows) lies in {}",
            base.name,
            taken.place.display()
        ));
        Ok((taken.place, taken.manifest.audit_hash))
    }
}

/// What a replica has counted by type, and where it stands.
async fn counted(replica: &Replica) -> Result<(std::collections::BTreeMap<String, u64>, Checkpoint), Error> {
    let mut connection = PgConnection::connect_with(&generation::applying(replica, SCHEMA_LIVE)?).await?;
    sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
        .execute(&mut connection)
        .await?;
    let stands = replica::read_checkpoint(&mut connection).await?;
    let mut counted = std::collections::BTreeMap::new();
    for row in sqlx::query(COUNTED).fetch_all(&mut connection).await? {
        let events = u64::try_from(row.try_get::<i64, _>("events")?).unwrap_or_default();
        counted.insert(row.try_get("event_type")?, events);
    }
    connection.close().await?;
    Ok((counted, stands))
}
