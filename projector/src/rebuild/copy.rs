//! From another replica: one snapshot of it, copied table by table; keys and indexes are made when a table's rows are there.

use futures::TryStreamExt;
use futures::future::try_join_all;
use replica::SCHEMA_BUILDING;
use service::config::Replica;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::lanes::{LANES, Lanes, Table};
use super::load::{PART, PARTS, columns, fill, stand, watched, weight};
use super::moment::Moment;
use super::pace::Pace;
use super::progress::Progress;
use super::{Error, building};
use crate::generation;

/// Copies everything into the empty generation `building`, and lets it stand where the moment did.
///
/// # Errors
/// When a database fails. The generation is of no use then.
pub(super) async fn copy(
    source: &Replica,
    target: &Replica,
    moment: &Moment,
    pace: &Pace,
    progress: &Progress,
) -> Result<u64, Error> {
    let (mut connection, empty) = building::own(target, SCHEMA_BUILDING).await?;
    let lanes = Lanes::new(moment.tables.clone(), weight);
    let all = try_join_all((0..LANES).map(|_| lane(source, target, moment, pace.beside(LANES), &lanes)));
    watched(all, &mut connection, &lanes, progress).await?;
    stand(&mut connection, &moment.checkpoint, empty.fence).await?;
    connection.close().await?;
    Ok(lanes.rows())
}

async fn lane(
    source: &Replica,
    target: &Replica,
    moment: &Moment,
    mut pace: Pace,
    lanes: &Lanes,
) -> Result<(), Error> {
    let mut from = moment.session(source).await?;
    let mut into = PgConnection::connect_with(&generation::applying(target, SCHEMA_BUILDING)?).await?;
    while let Some(table) = lanes.next() {
        copy_table(&mut from, &mut into, &table, &mut pace, lanes).await?;
    }
    from.close().await?;
    Ok(into.close().await?)
}

async fn copy_table(
    from: &mut PgConnection,
    into: &mut PgConnection,
    table: &Table,
    pace: &mut Pace,
    lanes: &Lanes,
) -> Result<(), Error> {
    let columns = columns(into, &table.name).await?;
    let (sender, parts) = mpsc::channel::<Vec<u8>>(PARTS);
    let out = format!("copy {} ({columns}) to stdout (format binary)", table.name);
    let reading = async {
        // It goes with this work, so that whoever writes never waits for what does not come.
        let sender = sender;
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
        // The last part, and the end. Whoever writes may have failed, and says why.
        let _taken_or_failed = sender.send(part).await;
        let _taken_or_failed = sender.send(Vec::new()).await;
        Ok::<(), sqlx::Error>(())
    };
    let writing = fill(into, table, (columns.as_str(), "binary"), parts, pace, lanes);
    let (read, written) = tokio::join!(reading, writing);
    read?;
    written?;
    Ok(())
}
