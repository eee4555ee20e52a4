//! Writes what a replica held at one moment: each table's rows in the text form of COPY, and their audit hash.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::try_join_all;
use service::config::Replica;
use sqlx::PgConnection;

use super::Error as Snapshot;
use super::manifest::TableFile;
use crate::audit::hash::{self, Hashes};
use crate::folder::Folder;
use crate::rebuild;
use crate::rebuild::lanes::{LANES, Lanes, Table};
use crate::rebuild::load::{PART, columns};
use crate::rebuild::moment::Moment;
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::Progress;

/// Between two looks at how far the work is.
const LOOK: Duration = Duration::from_millis(500);

/// What was written.
pub(super) struct Written {
    /// By name.
    pub(super) tables: Vec<TableFile>,
    pub(super) hashes: Hashes,
}

/// The folder of tables' files in a snapshot's.
const TABLES: &str = "tables";

/// Writes all tables.
///
/// # Errors
/// When the database or the disk fails.
pub(super) async fn write(
    source: &Replica,
    moment: &Moment,
    folder: &Folder,
    pace: &Pace,
    progress: &Progress,
) -> Result<Written, rebuild::Error> {
    // Everything is read twice: for its file, and for its hash.
    let lanes = Lanes::new(moment.tables.clone(), |table| table.bytes as f64 * 2.0);
    let written = Mutex::new(BTreeMap::new());
    {
        let all = (0..LANES).map(|_| lane(source, moment, folder, pace.beside(LANES), &lanes, &written));
        let all = try_join_all(all);
        tokio::pin!(all);
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                ended = &mut all => { ended?; break }
                _ = ticks.tick() => lanes.tell(0, progress),
            }
        }
    }
    let mut result = Written { tables: Vec::new(), hashes: Hashes::default() };
    for (name, (file, buckets)) in written.into_inner().expect("no holder of this lock panics") {
        result.tables.push(file);
        result.hashes.0.insert(name, buckets);
    }
    Ok(result)
}

type Done = Mutex<BTreeMap<String, (TableFile, BTreeMap<u16, hash::Bucket>)>>;

async fn lane(
    source: &Replica,
    moment: &Moment,
    folder: &Folder,
    mut pace: Pace,
    lanes: &Lanes,
    written: &Done,
) -> Result<(), rebuild::Error> {
    let mut from = moment.session(source).await?;
    let keys = hash::tables(&mut from).await?;
    while let Some(table) = lanes.next() {
        let file = write_table(&mut from, &table, folder, &mut pace, lanes).await?;
        let key = keys.iter().find(|key| key.name == table.name);
        let key = key.expect("both lists are of one generation in one moment");
        pace.begin();
        let buckets = hash::hash_table(&mut from, key).await?;
        pace.end(usize::try_from(file.rows).unwrap_or(usize::MAX)).await;
        lanes.add(table.bytes as f64);
        let hashed: u64 = buckets.values().map(|bucket| bucket.rows).sum();
        if hashed != file.rows {
            let (table, written) = (table.name, file.rows);
            return Err(Snapshot::Counts { table, written, hashed }.into());
        }
        let hashes = Hashes(BTreeMap::from([(table.name.clone(), buckets.clone())]));
        let file = TableFile { audit_hash: hashes.fingerprint(), ..file };
        written.lock().expect("no holder of this lock panics").insert(table.name, (file, buckets));
    }
    Ok(sqlx::Connection::close(from).await?)
}

async fn write_table(
    from: &mut PgConnection,
    table: &Table,
    folder: &Folder,
    pace: &mut Pace,
    lanes: &Lanes,
) -> Result<TableFile, rebuild::Error> {
    let columns = columns(from, &table.name).await?;
    let name = format!("{TABLES}/{}.copy", table.name);
    let mut file = folder.file(&name).map_err(Snapshot::from)?;
    let mut rows = 0;
    let mut left = table.bytes as f64;
    let mut write = |part: &[u8]| {
        // A line is a row: what ends lines in a value is escaped.
        rows += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        tokio::task::block_in_place(|| file.write(part)).map_err(Snapshot::from)
    };
    {
        let mut read = from.copy_out_raw(&format!("copy {} ({columns}) to stdout", table.name)).await?;
        let mut part = Vec::with_capacity(PART + PART / 4);
        while let Some(bytes) = read.try_next().await? {
            part.extend_from_slice(&bytes);
            if part.len() >= PART {
                pace.begin();
                write(part.as_slice())?;
                let share = (part.len() as f64).min(left);
                left -= share;
                lanes.add(share);
                pace.end(table.rows_of(share)).await;
                part.clear();
            }
        }
        write(part.as_slice())?;
    }
    lanes.add(left);
    lanes.add_rows(rows);
    let sum = tokio::task::block_in_place(|| file.finish()).map_err(Snapshot::from)?;
    Ok(TableFile {
        name: table.name.clone(),
        file: name,
        columns: columns.split(", ").map(str::to_owned).collect(),
        rows,
        bytes: sum.bytes,
        sha256: sum.sha256,
        audit_hash: String::new(),
        index_bytes: table.index_bytes,
    })
}
