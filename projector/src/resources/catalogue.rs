//! The legacy catalogue: rows by COPY as they come, keys, indexes and everything derived when it closes.

mod steps;

use contract::Position;
use contract::catalogue::CatalogueChunk;
use contract::fold::{Outcome, Reason};
use sqlx::{PgConnection, Row};

use crate::failure::Failure;

pub(crate) use steps::{
    ALL_STEPS, BECOME_OWNER, Indexes, STEPS, Step, indexes, indexes_on, indexes_only_read_by,
};

/// Whether the one catalogue was closed.
pub(crate) const STATE: &str = include_str!("catalogue/state.sql");
const OPEN: &str = include_str!("catalogue/open.sql");
const CLOSE: &str = include_str!("catalogue/close.sql");

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    Open,
    Closed,
}

/// A stream takes one catalogue.
pub(super) async fn opened(
    connection: &mut PgConnection,
    position: Position,
    importing: &mut bool,
) -> Result<Outcome, Failure> {
    if state(connection).await? != State::None {
        return Ok(Outcome::Rejected(Reason::CatalogueTaken));
    }
    sqlx::query(OPEN).bind(position.as_i64()).execute(&mut *connection).await?;
    steps::prepare_loading(connection).await?;
    *importing = true;
    Ok(Outcome::Applied)
}

/// Loads the chunk's rows.
pub(super) async fn chunk(
    connection: &mut PgConnection,
    chunk: &CatalogueChunk,
    importing: bool,
) -> Result<Outcome, Failure> {
    if !importing {
        return Ok(Outcome::Rejected(Reason::CatalogueNotOpen));
    }
    let statement = format!("copy {} ({}) from stdin", chunk.table.name(), chunk.table.columns());
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(chunk.copy.as_slice()).await?;
    let rows = copy.finish().await?;
    if rows != chunk.rows {
        let reason =
            format!("the chunk says {} rows of {}, Postgres read {rows}", chunk.rows, chunk.table.name());
        return Err(Failure::Content(reason));
    }
    Ok(Outcome::Applied)
}

/// All steps are made; from here on products exist.
pub(super) async fn closed(
    connection: &mut PgConnection,
    position: Position,
    importing: &mut bool,
) -> Result<Outcome, Failure> {
    if state(connection).await? != State::Open {
        return Ok(Outcome::Rejected(Reason::CatalogueNotOpen));
    }
    sqlx::query(CLOSE).bind(position.as_i64()).execute(connection).await?;
    *importing = false;
    Ok(Outcome::Applied)
}

async fn state(connection: &mut PgConnection) -> Result<State, Failure> {
    Ok(match sqlx::query(STATE).fetch_optional(connection).await? {
        None => State::None,
        Some(row) if row.try_get("closed")? => State::Closed,
        Some(_) => State::Open,
    })
}
