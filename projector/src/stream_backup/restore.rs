//! The stream is made again from a backup, on a server that has none.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use replica::{Checkpoint, SCHEMA_LIVE, read_checkpoint};
use service::config::Replica;
use service::{Config, keys, shutdown};
use sqlx::{Connection, PgConnection};
use stream::{Inspection, Monitor, PIECE};

use super::{ARCHIVE, Error, KIND, MANIFEST, Manifest, SCHEMA_VERSION, SETTINGS};
use crate::folder::{self, failed, place_of};
use crate::generation;
use crate::rebuild::progress::{Phase, Progress};

/// How long a replica may take to say where it stands.
const PATIENCE: Duration = Duration::from_secs(3);

/// Restores the stream.
pub(crate) async fn restore(
    config: &Config,
    from: &Path,
    dry_run: bool,
    json: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let place = place_of(from)?;
    let progress = Progress::start("stream", json);
    progress.phase(Phase::Check);
    let manifest = tokio::task::block_in_place(|| whole(&place))?;
    let ours = keys::hashing(&config.keys)?.id();
    if let Some(found) = manifest.hashing_key.clone().filter(|found| *found != ours) {
        return Err(Error::HashingKey { place, found, ours }.into());
    }
    let inspection = Inspection::open(&config.stream_settings(), "atelier projector stream restore").await?;
    match inspection.describe().await {
        Err(stream::Error::NoStream) => {}
        Ok(there) => {
            let epoch = there.epoch.map_or("unknown".to_owned(), |epoch| epoch.to_string());
            return Err(Error::IsThere { epoch, last: there.last }.into());
        }
        Err(error) => return Err(error.into()),
    }
    let mut ahead = Vec::new();
    for replica in &config.replicas {
        match standing(replica).await {
            Ok(at) if at.epoch == manifest.epoch && at.position > manifest.last => {
                ahead.push(format!("replica {} stands at {}", replica.name, at.position));
            }
            Ok(_) => {}
            Err(error) => progress.say(&format!(
                "replica {} does not say where it stands ({error}): should it be beyond {}, it will refuse the stream",
                replica.name, manifest.last
            )),
        }
    }
    if !ahead.is_empty() {
        return Err(Error::Older { place, last: manifest.last, ahead }.into());
    }
    // Each event would take an fsync, and the server gives up a restore whose pieces it does not take within 5 s.
    if Monitor::new(&config.stream.monitor_url)?.syncs().await? {
        return Err(Error::SyncsEach.into());
    }
    let Manifest { epoch, last, events, taken, .. } = &manifest;
    if !json {
        println!("the stream as of {taken} (epoch {epoch}, {events} events up to {last}) is made again");
    }
    if dry_run {
        return Ok(());
    }
    let stop = shutdown::on_signal()?;
    let sent = tokio::select! {
        sent = send(&inspection, &place, &manifest, &progress) => sent,
        // A stream that was not finished does not come into being.
        () = stop.cancelled() => Err(Error::Interrupted),
    };
    progress.finish();
    sent?;
    let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    if json {
        let report = serde_json::json!({
            "schema_version": 1, "kind": "done", "from": place, "epoch": epoch, "last": last, "events": events,
            "seconds": seconds,
        });
        println!("{report}");
    } else {
        println!("the stream is there again: {events} events up to {last}, within {seconds} s");
        println!(
            "stop nats-server now, and start it with sync_interval: always: nothing of ours connects before"
        );
        println!(
            "projectors go on by themselves then; what was written after the backup was taken is not in it"
        );
    }
    Ok(())
}

/// Reads all files of a backup.
pub(super) fn whole(place: &Path) -> Result<Manifest, Error> {
    let sums = folder::check(place, &|_| ())?;
    let wrong = |reason: String| Error::Manifest { place: place.to_owned(), reason };
    for file in [MANIFEST, SETTINGS, ARCHIVE] {
        if !sums.contains_key(file) {
            return Err(wrong(format!("{file} is not among the files with checksums")));
        }
    }
    let text = std::fs::read(place.join(MANIFEST)).map_err(|error| wrong(error.to_string()))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    if (manifest.kind.as_str(), manifest.schema_version) != (KIND, SCHEMA_VERSION) {
        return Err(wrong(format!("it is {:?} in form {}", manifest.kind, manifest.schema_version)));
    }
    Ok(manifest)
}

async fn standing(replica: &Replica) -> Result<Checkpoint, replica::Error> {
    let options = generation::applying(replica, SCHEMA_LIVE)?;
    let read = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        let checkpoint = read_checkpoint(&mut connection).await?;
        connection.close().await?;
        Ok(checkpoint)
    };
    let silent = |_| replica::Error::Database(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(PATIENCE, read).await.map_err(silent)?
}

async fn send(
    inspection: &Inspection,
    place: &Path,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<(), Error> {
    progress.phase(Phase::Load);
    let path = place.join(SETTINGS);
    let text = std::fs::read(&path).map_err(failed(&path, "read"))?;
    let wrong = |reason: String| Error::Manifest { place: place.to_owned(), reason };
    let settings: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let mut restoring = inspection.restore(&settings["config"], &settings["state"]).await?;
    let path = place.join(ARCHIVE);
    let mut file = File::open(&path).map_err(failed(&path, "read"))?;
    let mut done = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = tokio::task::block_in_place(|| {
            Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece)
        });
        if read.map_err(failed(&path, "read"))? == 0 {
            break;
        }
        done += piece.len() as u64;
        restoring.send(Bytes::from(piece)).await?;
        progress.moved(done, manifest.bytes);
    }
    restoring.finish().await?;
    let another = |reason: String| Error::Another { place: place.to_owned(), reason };
    let made = inspection.describe().await?;
    if (made.epoch.as_ref(), made.last, made.events)
        != (Some(&manifest.epoch), manifest.last, manifest.events)
    {
        let reason = format!("epoch {:?}, {} events up to {}", made.epoch, made.events, made.last);
        return Err(another(reason));
    }
    let link = inspection.link(&made).ok_or(Error::NoEpoch)?;
    if !manifest.event_hash.is_empty() {
        let found = data_encoding::HEXLOWER.encode(&link.read(made.last).await?.hash());
        if found != manifest.event_hash {
            return Err(another(format!("another event stands at {}", made.last)));
        }
    }
    Ok(link.verify_whole().await.map(drop)?)
}
