//! From another replica: one snapshot of it, copied table by table; keys and indexes are made when a table's rows are there.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::PROJECTION_VERSION;
use futures::TryStreamExt;
use futures::future::try_join_all;
use replica::{Checkpoint, SCHEMA_BUILDING, SCHEMA_LIVE, read_checkpoint};
use service::config::Replica;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::mpsc;

use super::pace::Pace;
use super::progress::Progress;
use super::{Error, building};
use crate::failpoint;
use crate::failure::Failure;
use crate::generation;
use crate::resources::catalogue;

const TABLES: &str = include_str!("tables.sql");
const KEYS: &str = include_str!("keys.sql");
const COLUMNS: &str = include_str!("columns.sql");
const ROWS_SO_FAR: &str = include_str!("rows_so_far.sql");
const STAND: &str = include_str!("stand.sql");
/// Tables that are copied side by side, as with two jobs of pg_dump.
const LANES: usize = 2;
/// Bytes that are handed on at once.
const PART: usize = 1024 * 1024;
/// Parts that wait between who reads and who writes.
const PARTS: usize = 8;
/// How much longer a byte of an index takes to make than a byte of rows to copy. Measured.
const INDEX_WEIGHT: f64 = 1.5;

/// A moment of a replica, held as long as this lives.
pub(super) struct Snapshot {
    _holds: PgConnection,
    name: String,
    pub(super) checkpoint: Checkpoint,
    tables: Vec<Table>,
}

#[derive(Clone, Debug)]
struct Table {
    name: String,
    rows: u64,
    bytes: u64,
    index_bytes: u64,
}

impl Table {
    fn weight(&self) -> f64 {
        self.bytes as f64 + self.index_bytes as f64 * INDEX_WEIGHT
    }
}

impl Snapshot {
    /// Takes one of what a replica serves.
    ///
    /// # Errors
    /// When that is of another projection version, or holds a catalogue that is not complete.
    pub(super) async fn take(source: &Replica) -> Result<Snapshot, Error> {
        let mut connection = snapshot_connection(source).await?;
        let name = sqlx::query("select pg_export_snapshot() as name").fetch_one(&mut connection).await?;
        let name = name.try_get("name")?;
        let checkpoint = read_checkpoint(&mut connection).await?;
        if checkpoint.version != PROJECTION_VERSION {
            let (found, ours) = (checkpoint.version, PROJECTION_VERSION);
            return Err(Error::SourceVersion { source_name: source.name.clone(), found, ours });
        }
        if checkpoint.importing || checkpoint.step != 0 {
            return Err(Error::SourceImports { source_name: source.name.clone() });
        }
        let mut tables = Vec::new();
        for row in sqlx::query(TABLES).fetch_all(&mut connection).await? {
            let number = |column| row.try_get::<i64, _>(column).map(|number| number.max(0).unsigned_abs());
            tables.push(Table {
                name: row.try_get("name")?,
                rows: number("rows")?,
                bytes: number("bytes")?,
                index_bytes: number("index_bytes")?,
            });
        }
        Ok(Snapshot { _holds: connection, name, checkpoint, tables })
    }

    /// What there is to copy: bytes with indexes.
    pub(super) fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes + table.index_bytes).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

async fn snapshot_connection(source: &Replica) -> Result<PgConnection, Error> {
    let options = generation::applying(source, SCHEMA_LIVE)?;
    let options = options.options([("idle_in_transaction_session_timeout", "0"), ("timezone", "UTC")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql("begin transaction isolation level repeatable read, read only")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// Copies everything into the empty generation `building`, and lets it stand where the snapshot did.
///
/// # Errors
/// When a database fails. The generation is of no use then.
pub(super) async fn copy(
    source: &Replica,
    target: &Replica,
    snapshot: &Snapshot,
    pace: &Pace,
    progress: &Progress,
) -> Result<u64, Error> {
    let (mut connection, empty) = building::own(target, SCHEMA_BUILDING).await?;
    let lanes = Lanes {
        source,
        target,
        snapshot,
        waiting: Mutex::new(snapshot.tables.iter().cloned().collect()),
        rows: AtomicU64::new(0),
        weight: Mutex::new(0.0),
    };
    let all = try_join_all((0..LANES).map(|_| lanes.run(pace.beside(LANES))));
    tokio::pin!(all);
    let mut ticks = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            ended = &mut all => { ended?; break }
            _ = ticks.tick() => lanes.tell(&mut connection, progress).await?,
        }
    }
    let Checkpoint { position, epoch, event_hash, clock, version, .. } = &snapshot.checkpoint;
    let stands = sqlx::query(STAND)
        .bind(position.as_i64())
        .bind(epoch.as_str())
        .bind(event_hash)
        .bind(clock.map_or(0, |clock| clock.0))
        .bind(version)
        .bind(empty.fence)
        .execute(&mut connection)
        .await?;
    if stands.rows_affected() != 1 {
        return Err(Failure::Fenced.into());
    }
    connection.close().await?;
    Ok(lanes.rows.load(Ordering::Relaxed))
}

struct Lanes<'a> {
    source: &'a Replica,
    target: &'a Replica,
    snapshot: &'a Snapshot,
    /// The heaviest first, so that none is left over at the end.
    waiting: Mutex<VecDeque<Table>>,
    /// Of tables that are done.
    rows: AtomicU64,
    weight: Mutex<f64>,
}

impl Lanes<'_> {
    async fn run(&self, mut pace: Pace) -> Result<(), Error> {
        let mut from = snapshot_connection(self.source).await?;
        let same = format!("set transaction snapshot '{}'", self.snapshot.name);
        sqlx::raw_sql(AssertSqlSafe(same)).execute(&mut from).await?;
        let options = generation::applying(self.target, SCHEMA_BUILDING)?;
        let mut into = PgConnection::connect_with(&options).await?;
        while let Some(table) = self.next() {
            let rows = copy_table(&mut from, &mut into, &table, &mut pace, &self.weight).await?;
            self.rows.fetch_add(rows, Ordering::Relaxed);
        }
        from.close().await?;
        Ok(into.close().await?)
    }

    fn next(&self) -> Option<Table> {
        self.waiting.lock().expect("no holder of this lock panics").pop_front()
    }

    async fn tell(&self, connection: &mut PgConnection, progress: &Progress) -> Result<(), Error> {
        let row = sqlx::query(ROWS_SO_FAR).fetch_one(connection).await?;
        let rows = self.rows.load(Ordering::Relaxed) + row.try_get::<i64, _>("rows")?.unsigned_abs();
        let done = *self.weight.lock().expect("no holder of this lock panics");
        let total = self.snapshot.tables.iter().map(Table::weight).sum::<f64>();
        progress.copied(done.min(total), total, rows, self.snapshot.rows());
        Ok(())
    }
}

/// One transaction, which begins with emptying the table: rows then come frozen, and a server that logs minimally logs
/// none of them.
async fn copy_table(
    from: &mut PgConnection,
    into: &mut PgConnection,
    table: &Table,
    pace: &mut Pace,
    weight: &Mutex<f64>,
) -> Result<u64, Error> {
    let name = &table.name;
    let columns = sqlx::query(COLUMNS).bind(name).fetch_one(&mut *into).await?;
    let columns: String = columns.try_get("columns")?;
    let keys = sqlx::query(KEYS).bind(name).fetch_all(&mut *into).await?;

    let mut transaction = into.begin().await?;
    sqlx::raw_sql(catalogue::BECOME_OWNER).execute(&mut *transaction).await?;
    let mut script = format!("truncate {name};");
    for key in &keys {
        script += &format!("{};", key.try_get::<String, _>("gone")?);
    }
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *transaction).await?;

    let (sender, mut parts) = mpsc::channel::<Vec<u8>>(PARTS);
    let out = format!("copy {name} ({columns}) to stdout (format binary)");
    let reading = async {
        let mut rows = from.copy_out_raw(&out).await?;
        let mut part = Vec::with_capacity(PART + PART / 4);
        while let Some(bytes) = rows.try_next().await? {
            part.extend_from_slice(&bytes);
            if part.len() >= PART {
                let full = std::mem::replace(&mut part, Vec::with_capacity(PART + PART / 4));
                if sender.send(full).await.is_err() {
                    // Whoever writes has failed, and says why.
                    return Ok(());
                }
            }
        }
        let _failed_and_says_why = sender.send(part).await;
        drop(sender);
        Ok::<(), sqlx::Error>(())
    };
    let statement = format!("copy {name} ({columns}) from stdin (format binary, freeze)");
    let writing = async {
        let mut counted = 0.0;
        let mut copy = transaction.copy_in_raw(&statement).await?;
        while let Some(part) = parts.recv().await {
            pace.begin();
            let share = part.len() as f64;
            copy.send(part).await?;
            let left = table.bytes as f64 - counted;
            counted += share.min(left);
            add(weight, share.min(left));
            pace.end(rows_of(share, table)).await;
        }
        // Rows are wider in the table than on their way.
        add(weight, table.bytes as f64 - counted);
        copy.finish().await
    };
    let ((), rows) = tokio::try_join!(reading, writing)?;
    let mut script = String::new();
    for key in &keys {
        script += &format!("{};", key.try_get::<String, _>("made")?);
    }
    for index in catalogue::indexes_on(name) {
        script += &format!("{index};");
    }
    script += &format!("analyze {name}; reset role");
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    failpoint::reached("copied a table");
    add(weight, table.index_bytes as f64 * INDEX_WEIGHT);
    Ok(rows)
}

fn add(weight: &Mutex<f64>, share: f64) {
    *weight.lock().expect("no holder of this lock panics") += share;
}

/// About how many rows of a table are so many bytes.
fn rows_of(bytes: f64, table: &Table) -> usize {
    (bytes / table.bytes.max(1) as f64 * table.rows as f64) as usize
}
