//! `projector stream backup` and `projector stream restore`: the stream itself, out of nats-server and into it again, in a
//! folder with checksums.

mod restore;

use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::{Epoch, Position};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{Config, shutdown};
use stream::{BackUp, Description, Inspection, Monitor};

pub(crate) use restore::restore;

use crate::folder::{self, Folder, Sum};
use crate::rebuild::progress::{Phase, Progress};

/// The stream's files, as nats-server packs them.
const ARCHIVE: &str = "stream.tar.s2";
/// Settings and state beside them, which nats-server needs to take them back.
const SETTINGS: &str = "backup.json";
const MANIFEST: &str = "manifest.json";
const KIND: &str = "atelier backup of the stream";
const SCHEMA_VERSION: u32 = 1;

/// Why the stream is not backed up, or not restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its folder is not as it must be.
    #[error(transparent)]
    Folder(#[from] folder::Error),
    /// nats-server did not do it.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// A stream that `projector init` has not made.
    #[error("the stream's metadata names no epoch: it was not made by `projector init`")]
    NoEpoch,
    /// Its manifest says something else than what is needed.
    #[error("{} is no backup of the stream: its manifest.json cannot be used ({reason})", .place.display())]
    Manifest {
        /// The folder.
        place: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is one.
    #[error(
        "nats-server has a stream ATELIER (epoch {epoch}, up to {last}): a backup is restored only where there is none. Another server is named by --set stream.url=… and --set stream.monitor_url=…"
    )]
    IsThere {
        /// Its epoch.
        epoch: String,
        /// Its last position.
        last: Position,
    },
    /// The server would not get done.
    #[error(
        "nats-server syncs each event (sync_interval: always), and then gives up the restore of anything large: start it without that line for the restore, and with it again afterwards, as docs/operating.md says"
    )]
    SyncsEach,
    /// Replicas hold more.
    #[error(
        "{} ends at {last}, and {} beyond it: they would refuse the restored stream, and what they hold more would be lost with it. Restore a newer backup", .place.display(), .ahead.join(", ")
    )]
    Older {
        /// The folder.
        place: PathBuf,
        /// Its last position.
        last: Position,
        /// As in `replica a stands at 1000000007`.
        ahead: Vec<String>,
    },
    /// Everything in it was hashed under another key.
    #[error(
        "{} was made under hashing key {found}, and the file of keys.hashing holds key {ours}: put the key file back that belongs to it, see docs/keys.md", .place.display()
    )]
    HashingKey {
        /// The folder.
        place: PathBuf,
        /// In the manifest.
        found: String,
        /// The configured one.
        ours: String,
    },
    /// What came into being is something else.
    #[error("{} was restored, and the stream is not what it was: {reason}. Remove it (nats stream rm ATELIER) and look into nats-server's log", .place.display())]
    Another {
        /// The folder.
        place: PathBuf,
        /// How it differs.
        reason: String,
    },
    /// A signal ended it.
    #[error("it was broken off by a signal")]
    Interrupted,
}

/// What a backup's folder says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    schema_version: u32,
    kind: String,
    /// When, as in `2026-11-29T22:10:00.000Z`.
    pub(crate) taken: String,
    pub(crate) epoch: Epoch,
    /// The public name of the key under which everything in it is hashed, if the stream names it.
    pub(crate) hashing_key: Option<String>,
    /// The first position that the stream was made with.
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) events: u64,
    /// SHA-256 of the last event, hexadecimal; empty without any, or when it could not be read.
    pub(crate) event_hash: String,
    /// Each event's checksum was looked at before.
    pub(crate) whole: bool,
    /// The server that packed it: an older one may not read it.
    pub(crate) nats_server: String,
    pub(crate) bytes: u64,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    kind: &'static str,
    out: &'a Path,
    epoch: &'a str,
    first: u64,
    last: u64,
    events: u64,
    bytes: u64,
    seconds: f64,
}

/// Backs the stream up.
pub(crate) async fn backup(
    config: &Config,
    out: &Path,
    dry_run: bool,
    json: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let inspection = Inspection::open(&config.stream_settings(), "atelier projector stream backup").await?;
    let description = inspection.describe().await?;
    if !json {
        let Description { last, events, bytes, .. } = &description;
        println!(
            "the stream (epoch {}, {events} events up to {last}, {:.0} MB) is backed up to {}",
            description.epoch.as_ref().map_or("unknown", Epoch::as_str),
            *bytes as f64 / 1e6,
            out.display()
        );
    }
    let folder = Folder::begin(out, description.bytes)?;
    if dry_run {
        return Ok(());
    }
    let stop = shutdown::on_signal()?;
    let progress = Progress::start("stream", json);
    let saved = tokio::select! {
        saved = save(config, &inspection, &description, folder, true, &progress) => saved,
        () = stop.cancelled() => Err(Error::Interrupted),
    };
    progress.finish();
    let (place, manifest) = saved?;
    let report = Report {
        schema_version: 1,
        kind: "done",
        out: &place,
        epoch: manifest.epoch.as_str(),
        first: manifest.first.0,
        last: manifest.last.0,
        events: manifest.events,
        bytes: manifest.bytes,
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    };
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        let Report { last, events, seconds, .. } = &report;
        let (place, megabytes) = (place.display(), manifest.bytes as f64 / 1e6);
        println!(
            "{place}: {events} events up to {last}, {megabytes:.1} MB, within {seconds} s; each event's checksum was right"
        );
    }
    Ok(())
}

/// Up to where a folder holds the stream, if there is such a folder.
///
/// # Errors
/// When it is something else, or damaged.
pub(crate) fn saved_up_to(place: &Path) -> Result<Option<Position>, Error> {
    if !place.exists() {
        return Ok(None);
    }
    tokio::task::block_in_place(|| restore::whole(place)).map(|manifest| Some(manifest.last))
}

/// Writes the stream's archive into a folder. `whole`: only when each event's checksum is right.
///
/// # Errors
/// When nats-server does not give it, or the disk fails. Then there is no such folder.
pub(crate) async fn save(
    config: &Config,
    inspection: &Inspection,
    description: &Description,
    folder: Folder,
    whole: bool,
    progress: &Progress,
) -> Result<(PathBuf, Manifest), Error> {
    let epoch = description.epoch.clone().ok_or(Error::NoEpoch)?;
    progress.phase(Phase::Save);
    let taken = service::time::now().to_string();
    let monitor = Monitor::new(&config.stream.monitor_url)?;
    let nats_server = monitor.state().await.map_or_else(|_| "unknown".to_owned(), |state| state.version);
    let mut backup = inspection.back_up(whole).await?;
    let number = |name: &str| backup.state.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (last, events) = (Position(number("last_seq")), number("messages"));
    let event_hash = match inspection.link(description) {
        Some(link) if events > 0 => match link.read(last).await {
            Ok(event) => HEXLOWER.encode(&event.hash()),
            Err(error) if whole => return Err(error.into()),
            Err(_) => String::new(),
        },
        _ => String::new(),
    };
    let total = number("bytes");
    let sum = write(&mut backup, &folder, total, progress).await?;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        taken,
        epoch,
        hashing_key: description.hashing_key.clone(),
        first: description.configured_first,
        last,
        events,
        event_hash,
        whole,
        nats_server,
        bytes: sum.bytes,
    };
    let settings = json!({ "config": backup.settings, "state": backup.state });
    let finishing = || {
        let manifest = serde_json::to_string_pretty(&manifest).expect("a manifest is plain data");
        folder.text(SETTINGS, &format!("{settings:#}\n"))?;
        folder.text(MANIFEST, &format!("{manifest}\n"))?;
        let place = folder.place().to_owned();
        folder.finish()?;
        Ok::<_, Error>(place)
    };
    let place = tokio::task::block_in_place(finishing)?;
    Ok((place, manifest))
}

async fn write(backup: &mut BackUp, folder: &Folder, total: u64, progress: &Progress) -> Result<Sum, Error> {
    let mut file = folder.file(ARCHIVE)?;
    let mut done = 0;
    while let Some(piece) = backup.next().await? {
        tokio::task::block_in_place(|| file.write(&piece))?;
        done += piece.len() as u64;
        // Packed, it is smaller than what the server says of it.
        progress.moved(done, total.max(done));
    }
    Ok(tokio::task::block_in_place(|| file.finish())?)
}
