//! The legacy catalogue: rows by COPY as they come, indexes and everything derived when it closes.

use contract::Position;
use contract::catalogue::CatalogueChunk;
use contract::fold::{Outcome, Reason};
use sqlx::{PgConnection, Row};

use crate::failure::Failure;

const STATE: &str = include_str!("catalogue/state.sql");
const OPEN: &str = include_str!("catalogue/open.sql");
const CLOSE: &str = include_str!("catalogue/close.sql");
/// Making indexes takes the tables' owner.
const BECOME_OWNER: &str = include_str!("catalogue/become_owner.sql");
/// Back to the projector's own role, and planner statistics for what was loaded.
const ANALYZE: &str = include_str!("catalogue/analyze.sql");
/// What the closing event makes, in order. Each may rely on what stands before it.
const DERIVED: [(&str, &str); 5] = [
    ("products' indexes", include_str!("../../../migrations/indexes/products.sql")),
    ("reviews' indexes", include_str!("../../../migrations/indexes/reviews.sql")),
    ("product documents", include_str!("products/documents.sql")),
    ("review totals", include_str!("reviews/totals.sql")),
    ("characteristic totals", include_str!("reviews/characteristic_totals.sql")),
];

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
    sqlx::query(OPEN).bind(position.as_i64()).execute(connection).await?;
    *importing = true;
    Ok(Outcome::Applied)
}

/// Loads the chunk's rows.
pub(super) async fn chunk(connection: &mut PgConnection, chunk: &CatalogueChunk) -> Result<Outcome, Failure> {
    if state(connection).await? != State::Open {
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

/// Makes indexes and everything derived; from here on products exist.
pub(super) async fn closed(
    connection: &mut PgConnection,
    position: Position,
    importing: &mut bool,
) -> Result<Outcome, Failure> {
    if state(connection).await? != State::Open {
        return Ok(Outcome::Rejected(Reason::CatalogueNotOpen));
    }
    sqlx::raw_sql(BECOME_OWNER).execute(&mut *connection).await?;
    for (what, statements) in DERIVED {
        let started = std::time::Instant::now();
        sqlx::raw_sql(statements).execute(&mut *connection).await?;
        tracing::info!(
            what,
            seconds = started.elapsed().as_secs_f64(),
            "the catalogue's closing made something"
        );
    }
    sqlx::raw_sql(ANALYZE).execute(&mut *connection).await?;
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
