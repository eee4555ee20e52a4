//! Loads a snapshot into the empty generation `building`, and compares what came in with what was written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use futures::future::try_join_all;
use replica::SCHEMA_BUILDING;
use service::config::Replica;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::manifest::TableFile;
use super::{Error, Whole};
use crate::audit::hash::{self, Hashes};
use crate::audit::snapshot::reading;
use crate::folder::failed;
use crate::generation;
use crate::rebuild::lanes::{LANES, Lanes, Table};
use crate::rebuild::load::{PART, PARTS, fill, stand, watched, weight};
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::Progress;
use crate::rebuild::{self, building};

/// Loads everything, compares it, and lets the generation stand where the snapshot does. Answers how many rows came in.
///
/// # Errors
/// When a database or a file fails, or other rows came in than were written. The generation is of no use then.
pub(crate) async fn load(
    whole: &Whole,
    target: &Replica,
    pace: &Pace,
    progress: &Progress,
) -> Result<u64, rebuild::Error> {
    let (mut connection, empty) = building::own(target, SCHEMA_BUILDING).await?;
    let reading = reading(&generation::applying(target, SCHEMA_BUILDING)?);
    let mut hashing = PgConnection::connect_with(&reading).await?;
    let keys = hash::tables(&mut hashing).await?;
    hashing.close().await?;
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let told: Vec<&str> = whole.manifest.tables.iter().map(|table| table.name.as_str()).collect();
    if names != told {
        let reason = format!("its tables are {}, and not {}", told.join(", "), names.join(", "));
        return Err(Error::Manifest { place: whole.place.clone(), reason }.into());
    }
    let tables = whole.manifest.tables.iter().map(|table| Table {
        name: table.name.clone(),
        rows: table.rows,
        bytes: table.bytes,
        index_bytes: table.index_bytes,
    });
    let lanes = Lanes::new(tables.collect(), weight);
    let all = try_join_all((0..LANES).map(|_| lane(whole, target, &keys, pace.beside(LANES), &lanes)));
    watched(all, &mut connection, &lanes, progress).await?;
    stand(&mut connection, &whole.manifest.checkpoint(), empty.fence).await?;
    connection.close().await?;
    Ok(lanes.rows())
}

async fn lane(
    whole: &Whole,
    target: &Replica,
    keys: &[hash::Table],
    mut pace: Pace,
    lanes: &Lanes,
) -> Result<(), rebuild::Error> {
    let options = reading(&generation::applying(target, SCHEMA_BUILDING)?);
    let mut into = PgConnection::connect_with(&options).await?;
    while let Some(table) = lanes.next() {
        let file = whole.manifest.tables.iter().find(|file| file.name == table.name);
        let file = file.expect("the tables are those of the manifest");
        let rows = load_table(whole, &mut into, &table, file, &mut pace, lanes).await?;
        let key = keys.iter().find(|key| key.name == table.name).expect("both lists were compared");
        pace.begin();
        let buckets = hash::hash_table(&mut into, key).await?;
        pace.end(usize::try_from(rows).unwrap_or(usize::MAX)).await;
        let loaded = Hashes(BTreeMap::from([(table.name.clone(), buckets)])).fingerprint();
        if (rows, &loaded) != (file.rows, &file.audit_hash) {
            return Err(Error::Loaded {
                place: whole.place.clone(),
                table: table.name,
                loaded: format!("{rows}, audit hash {loaded}"),
                told: format!("{}, audit hash {}", file.rows, file.audit_hash),
            }
            .into());
        }
    }
    Ok(into.close().await?)
}

async fn load_table(
    whole: &Whole,
    into: &mut PgConnection,
    table: &Table,
    file: &TableFile,
    pace: &mut Pace,
    lanes: &Lanes,
) -> Result<u64, rebuild::Error> {
    let (sender, parts) = mpsc::channel::<Vec<u8>>(PARTS);
    let path = whole.place.join(&file.file);
    let reading = tokio::task::spawn_blocking(move || hand_on(path, &sender));
    let columns = file.columns.join(", ");
    let (read, written) =
        tokio::join!(reading, fill(into, table, (columns.as_str(), "text"), parts, pace, lanes));
    read.expect("reading a file does not panic")?;
    written
}

/// Reads a file to its end, and says so by an empty part.
fn hand_on(path: PathBuf, sender: &mpsc::Sender<Vec<u8>>) -> Result<(), Error> {
    let mut file = File::open(&path).map_err(failed(&path, "read"))?;
    loop {
        let mut part = Vec::with_capacity(PART);
        let read = Read::by_ref(&mut file).take(PART as u64).read_to_end(&mut part);
        read.map_err(failed(&path, "read"))?;
        let last = part.is_empty();
        // Whoever writes may have failed, and says why.
        if sender.blocking_send(part).is_err() || last {
            return Ok(());
        }
    }
}
