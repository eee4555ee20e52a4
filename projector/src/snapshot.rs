//! `projector snapshot`: everything that a replica holds, with where it stands, in a folder with checksums.

mod error;
mod load;
mod manifest;
mod scratch;
mod script;
mod take;
mod verify;
mod whole;

use std::path::Path;
use std::time::Instant;

use contract::PROJECTION_VERSION;
use data_encoding::HEXLOWER;
use serde::Serialize;
use service::config::Replica;
use service::{Config, keys, shutdown};
use sqlx::Row;

pub(crate) use error::Error;
pub(crate) use load::load;
pub(crate) use manifest::Manifest;
pub(crate) use verify::verify;
pub(crate) use whole::Whole;

use crate::folder::{Folder, place_of};
use crate::rebuild::moment::Moment;
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::{Phase, Progress};
use crate::record::Record;
use crate::{generation, rebuild};

const SERVER: &str = include_str!("snapshot/server.sql");

#[derive(Serialize)]
struct Plan<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    out: &'a Path,
    epoch: &'a str,
    position: u64,
    /// About, as last counted.
    rows: u64,
    /// Of tables as they lie in the database.
    bytes: u64,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    out: &'a Path,
    epoch: &'a str,
    position: u64,
    rows: u64,
    bytes: u64,
    audit_hash: &'a str,
    seconds: f64,
}

/// What was written, and where.
pub(crate) struct Taken {
    pub(crate) manifest: Manifest,
    pub(crate) place: std::path::PathBuf,
}

/// Takes a snapshot of what a replica serves.
pub(crate) async fn snapshot(
    config: &Config,
    name: &str,
    out: &Path,
    dry_run: bool,
    json: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let replica = config.replica(name)?;
    let began = Instant::now();
    let moment = take_moment(replica).await?;
    let bytes = moment.tables.iter().map(|table| table.bytes).sum();
    let plan = Plan {
        schema_version: 1,
        kind: "plan",
        replica: name,
        out,
        epoch: moment.checkpoint.epoch.as_str(),
        position: moment.checkpoint.position.0,
        rows: moment.tables.iter().map(|table| table.rows).sum(),
        bytes,
    };
    if json {
        println!("{}", serde_json::to_string(&plan)?);
    } else {
        let (rows, megabytes) = (plan.rows, bytes as f64 / 1e6);
        println!(
            "replica {name} as of {} is written to {}: about {rows} rows, {megabytes:.0} MB in its tables",
            plan.position,
            out.display()
        );
    }
    let folder = Folder::begin(out, bytes)?;
    if dry_run {
        return Ok(());
    }
    let record = Record::begin(replica, "snapshot").await?;
    let progress = Progress::start(name, json);
    let stop = shutdown::on_signal()?;
    let taken = tokio::select! {
        taken = write(config, replica, &moment, folder, &progress) => taken,
        () = stop.cancelled() => Err(Error::Interrupted.into()),
    };
    progress.finish();
    record.end(&taken.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned())).await;
    let Taken { manifest, place } = taken?;
    let report = Report {
        schema_version: 1,
        kind: "done",
        replica: name,
        out: &place,
        epoch: manifest.epoch.as_str(),
        position: manifest.position.0,
        rows: manifest.rows,
        bytes: manifest.bytes,
        audit_hash: &manifest.audit_hash,
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    };
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let Report { position, rows, audit_hash, seconds, .. } = &report;
    let (place, megabytes) = (place.display(), manifest.bytes as f64 / 1e6);
    println!(
        "{place}: {rows} rows as of {position}, {megabytes:.1} MB, audit hash {audit_hash}; {seconds} s in all"
    );
    println!("prove it: projector snapshot verify {place}");
    Ok(())
}

/// Restores a replica: a rebuild whose source is a snapshot in a folder.
pub(crate) async fn restore(
    config: &Config,
    from: &Path,
    options: rebuild::Options,
) -> Result<(), Box<dyn std::error::Error>> {
    let from = Some(rebuild::Source::Snapshot(place_of(from)?));
    rebuild::rebuild(config, rebuild::Options { from, ..options }).await
}

/// A moment of a replica for a snapshot.
///
/// # Errors
/// When its rows are another version's, or half a catalogue.
pub(crate) async fn take_moment(replica: &Replica) -> Result<Moment, rebuild::Error> {
    Moment::take(replica).await.map_err(|error| {
        let replica = replica.name.clone();
        match error {
            rebuild::Error::SourceVersion { found, ours, .. } => {
                Error::ReplicaVersion { replica, found, ours }.into()
            }
            rebuild::Error::SourceImports { .. } => Error::Imports { replica }.into(),
            other => other,
        }
    })
}

/// Writes a moment of a replica into a folder.
///
/// # Errors
/// When the database or the disk fails. Then there is no such folder.
pub(crate) async fn write(
    config: &Config,
    replica: &Replica,
    moment: &Moment,
    folder: Folder,
    progress: &Progress,
) -> Result<Taken, rebuild::Error> {
    let taken = service::time::now().to_string();
    progress.phase(Phase::Copy);
    let pace = Pace::new(replica, None, true).await;
    let mut connection = moment.session(replica).await?;
    let postgres = sqlx::query(SERVER).fetch_one(&mut connection).await?.try_get("version")?;
    let written = take::write(replica, moment, &folder, &pace, progress).await?;
    let checkpoint = &moment.checkpoint;
    let key = keys::hashing(&config.keys).map_err(Error::from)?;
    let manifest = Manifest {
        schema_version: manifest::SCHEMA_VERSION,
        kind: manifest::KIND.to_owned(),
        replica: replica.name.clone(),
        taken,
        position: checkpoint.position,
        epoch: checkpoint.epoch.clone(),
        event_hash: HEXLOWER.encode(&checkpoint.event_hash),
        clock: checkpoint.clock.map(|clock| clock.0),
        projection_version: PROJECTION_VERSION,
        migrations: generation::migrations().map(|migration| migration.version).collect(),
        hashing_key: key.id(),
        postgres,
        rows: written.tables.iter().map(|table| table.rows).sum(),
        bytes: written.tables.iter().map(|table| table.bytes).sum(),
        audit_hash: written.hashes.fingerprint(),
        tables: written.tables,
    };
    let text = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
    let finishing = || {
        folder.text(script::SCRIPT, &script::script(&manifest))?;
        folder.text(script::PAGE, &script::page(&manifest))?;
        folder.text(manifest::MANIFEST, &(text + "\n"))?;
        let place = folder.place().to_owned();
        folder.finish()?;
        Ok::<_, Error>(place)
    };
    let place = tokio::task::block_in_place(finishing)?;
    Ok(Taken { manifest, place })
}
