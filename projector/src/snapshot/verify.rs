//! `projector snapshot verify`: a snapshot is restored into a scratch database, brought up to date, and compared with a
//! replica. A backup that was never restored is a hope.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::announcement::Progress as Announced;
use contract::{PROJECTION_VERSION, Position};
use replica::SCHEMA_BUILDING;
use serde::Serialize;
use service::config::Replica;
use service::{Config, shutdown};
use sqlx::{Connection, PgConnection};
use stream::Link;

use super::scratch::Scratch;
use super::{Error, Whole, load};
use crate::audit::hash::{self, Hashes};
use crate::audit::mark;
use crate::audit::snapshot::{Waiting, reading};
use crate::config::{Against, Proof as Asked};
use crate::rebuild;
use crate::rebuild::base;
use crate::rebuild::building::{self, Guard};
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::{Phase, Progress};
use crate::rebuild::replay::Replay;
use crate::record::Record;
use crate::{generation, status};

/// How long a replica may take to come to the mark.
const PATIENCE: Duration = Duration::from_secs(60);
/// What `control.operations` says of a snapshot that was proven.
const PROVEN: &str = "proven";

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    kind: &'static str,
    snapshot: &'a Path,
    /// Of the snapshot.
    position: u64,
    rows: u64,
    restored_seconds: f64,
    /// Events that came since.
    events: u64,
    compared_with: &'a str,
    compared_at: u64,
    audit_hash: &'a str,
    seconds: f64,
}

struct Proven {
    rows: u64,
    restored: Duration,
    events: u64,
    at: Position,
    rows_compared: u64,
    fingerprint: String,
}

/// Proves a snapshot.
pub(crate) async fn verify(config: &Config, asked: Asked) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let stop = shutdown::on_signal()?;
    let _closes_at_the_end = stop.clone().drop_guard();
    let progress = Progress::start("verify", asked.json);
    let whole = Whole::open(&asked.snapshot, &progress).await?;
    let server = server(config, &whole, &asked)?;
    let link = rebuild::connect(config, "atelier projector snapshot verify", stop.clone()).await?;
    whole.fits(config, &link).await?;
    let heard = status::listen(&link).await?;
    let with = match asked.against {
        Against::Stream => None,
        Against::Replica => Some(
            reference(config, &whole, &heard)
                .ok_or_else(|| Error::Alone { place: whole.place.clone(), version: PROJECTION_VERSION })?,
        ),
    };
    let record = match with {
        Some(with) => Some(Record::begin(with, "snapshot verify").await?),
        // The configuration may name replicas that are elsewhere, or that are no more.
        None => None,
    };
    let done = async {
        let scratch = Scratch::make(&server, link.epoch()).await?;
        let proof = Proof { whole: &whole, scratch: &scratch.replica, with, link: &link, heard: &heard };
        let proven = tokio::select! {
            proven = proof.make(&server, &progress) => proven,
            () = stop.cancelled() => Err(Error::Interrupted.into()),
        };
        let removed = scratch.remove().await;
        proven.and_then(|proven| removed.map(|()| proven))
    };
    let done = done.await;
    progress.finish();
    if let Some(record) = record {
        record.end(&done.as_ref().map_or_else(ToString::to_string, |_| PROVEN.to_owned())).await;
    }
    let proven = done?;
    let compared_with = with.map_or("the stream".to_owned(), |with| format!("replica {}", with.name));
    let seconds = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
    let report = Report {
        schema_version: 1,
        kind: "done",
        snapshot: &whole.place,
        position: whole.manifest.position.0,
        rows: proven.rows,
        restored_seconds: seconds(proven.restored),
        events: proven.events,
        compared_with: &compared_with,
        compared_at: proven.at.0,
        audit_hash: &proven.fingerprint,
        seconds: seconds(began.elapsed()),
    };
    if asked.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let Report { rows, restored_seconds, events, compared_with, compared_at, audit_hash, seconds, .. } =
        &report;
    let compared = proven.rows_compared;
    println!(
        "{}: {rows} rows restored within {restored_seconds} s, then {events} events applied",
        whole.place.display()
    );
    println!("equal to {compared_with} at {compared_at}: {compared} rows, audit hash {audit_hash}");
    println!("proven within {seconds} s; the scratch database is removed");
    Ok(())
}

/// On which server the scratch database is made.
fn server(config: &Config, whole: &Whole, asked: &Asked) -> Result<Replica, Error> {
    if let Some((url, passwords)) = asked.database_url.clone().zip(asked.passwords.clone()) {
        let server =
            |url: &str| url.split('?').next().and_then(|url| url.rsplit_once('/')).map(|it| it.0.to_owned());
        // The roles there are given the passwords in this folder, as by `projector init`.
        if let Some(known) = config.replicas.iter().find(|known| server(&known.url) == server(&url)) {
            let name = &known.name;
            return Err(Error::Where(format!(
                "{url} is on the server of replica {name}: say --replica {name}"
            )));
        }
        return Ok(Replica { name: "scratch".to_owned(), url, passwords });
    }
    let wanted = match &asked.replica {
        Some(name) => Some(config.replica(name).map_err(Error::Where)?),
        None => config.replica(&whole.manifest.replica).ok().or(config.replicas.first()),
    };
    wanted.cloned().ok_or_else(|| Error::Where("the configuration has no replica".to_owned()))
}

/// A replica that serves, written by the same logic; another than the snapshot's if there is one.
fn reference<'a>(
    config: &'a Config,
    whole: &Whole,
    heard: &HashMap<String, Announced>,
) -> Option<&'a Replica> {
    let serves = |replica: &&Replica| {
        heard
            .get(&replica.name)
            .is_some_and(|progress| progress.state.is_waited_for() && progress.version == PROJECTION_VERSION)
    };
    let serving: Vec<&Replica> = config.replicas.iter().filter(serves).collect();
    let other = serving.iter().find(|replica| replica.name != whole.manifest.replica);
    other.or(serving.first()).copied()
}

struct Proof<'a> {
    whole: &'a Whole,
    scratch: &'a Replica,
    /// None: with the stream alone.
    with: Option<&'a Replica>,
    link: &'a Link,
    heard: &'a HashMap<String, Announced>,
}

impl Proof<'_> {
    async fn make(&self, server: &Replica, progress: &Progress) -> Result<Proven, rebuild::Error> {
        let began = Instant::now();
        let Proof { whole, scratch, link, .. } = *self;
        let mut pace = Pace::new(server, None, true).await;
        let mut guard = Guard::take(scratch).await?;
        let source = format!("snapshot {}", whole.place.display());
        building::begin(scratch, &mut guard, &source, link.epoch()).await?;
        progress.phase(Phase::Copy);
        let rows = load(whole, scratch, &pace, progress).await?;
        let restored = began.elapsed();
        progress.phase(Phase::CatchUp);
        let (connection, checkpoint) = building::own(scratch, SCHEMA_BUILDING).await?;
        let database = generation::applying(scratch, SCHEMA_BUILDING)?;
        let mut replay = Replay::start(link, database, connection, checkpoint).await?;
        replay.catch_up(&mut pace, progress).await?;
        let (at, ours, theirs) = match self.with {
            Some(with) => self.beside(with, &mut replay, &mut pace, progress).await?,
            None => self.folded_from_stream(&mut guard, replay, &mut pace, progress).await?,
        };
        let differences = ours.differences(&theirs);
        if !differences.is_empty() {
            let words = differences.iter().map(|(table, buckets)| {
                format!("table {table} in {} of {} buckets", buckets.len(), hash::BUCKETS)
            });
            return Err(Error::Different {
                place: whole.place.clone(),
                with: self.with.map_or("the stream".to_owned(), |with| format!("replica {}", with.name)),
                position: at,
                differences: words.collect::<Vec<_>>().join(", "),
            }
            .into());
        }
        let events = at.0 - whole.manifest.position.0;
        Ok(Proven { rows, restored, events, at, rows_compared: ours.rows(), fingerprint: ours.fingerprint() })
    }

    /// Both at one mark.
    async fn beside(
        &self,
        with: &Replica,
        replay: &mut Replay,
        pace: &mut Pace,
        progress: &Progress,
    ) -> Result<(Position, Hashes, Hashes), rebuild::Error> {
        progress.phase(Phase::Compare);
        let audit = mark::name();
        let waiting = Waiting::begin(with, &audit).await?;
        let mark = mark::put(self.link, self.heard, audit, None).await?;
        let healthy = waiting.snapshot(&mark, PATIENCE).await?;
        replay.run_to(mark.position, pace, progress).await?;
        let hashed = async {
            let mut theirs = healthy.open().await?;
            let theirs = async { Ok::<_, rebuild::Error>(all(&mut theirs).await?) };
            tokio::try_join!(self.hashes(), theirs)
        };
        let hashed = hashed.await;
        if let Err(error) = healthy.release().await {
            tracing::debug!(%error, "a snapshot was not let go of; its projector does it by itself");
        }
        let (ours, theirs) = hashed?;
        Ok((mark.position, ours, theirs))
    }

    /// Everything in the stream is applied anew, up to where the restored generation stands.
    async fn folded_from_stream(
        &self,
        guard: &mut Guard,
        replay: Replay,
        pace: &mut Pace,
        progress: &Progress,
    ) -> Result<(Position, Hashes, Hashes), rebuild::Error> {
        let at = replay.position();
        replay.close().await?;
        progress.phase(Phase::Compare);
        let ours = self.hashes().await?;
        progress.phase(Phase::Replay);
        building::begin(self.scratch, guard, "stream", self.link.epoch()).await?;
        base::begin(self.link, self.scratch, pace, progress).await?;
        let (connection, checkpoint) = building::own(self.scratch, SCHEMA_BUILDING).await?;
        let database = generation::applying(self.scratch, SCHEMA_BUILDING)?;
        let mut replay = Replay::start(self.link, database, connection, checkpoint).await?;
        progress.replaying(replay.position(), at);
        replay.run_to(at, pace, progress).await?;
        progress.phase(Phase::Compare);
        Ok((at, ours, self.hashes().await?))
    }

    /// What the scratch database holds.
    async fn hashes(&self) -> Result<Hashes, rebuild::Error> {
        let options = reading(&generation::applying(self.scratch, SCHEMA_BUILDING)?);
        let mut connection = PgConnection::connect_with(&options).await?;
        let hashes = all(&mut connection).await?;
        connection.close().await?;
        Ok(hashes)
    }
}

async fn all(connection: &mut PgConnection) -> sqlx::Result<Hashes> {
    let tables = hash::tables(connection).await?;
    hash::hash(connection, &tables).await
}
