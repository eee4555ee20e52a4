//! What a replica's own database tells: it is asked also when nobody announces the replica.

use contract::{Millis, Position};
use replica::{Role, SCHEMA_BUILDING, SCHEMA_LIVE, connect_options, read_checkpoint};
use serde::Serialize;
use service::config::Replica;
use sqlx::{Connection as _, PgConnection, Row};

use super::PATIENCE;

const KNOWN: &str = include_str!("known.sql");

/// Of the generation that serves, unless something else is said.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) position: Option<Position>,
    pub(super) version: Option<i32>,
    pub(super) generation: Option<i64>,
    /// What it was made from.
    pub(super) source: Option<String>,
    pub(super) bytes: Option<i64>,
    /// The last comparison.
    pub(super) audit: Option<Audit>,
    /// While another generation is being built, or exchanged for this one.
    pub(super) rebuild: Option<Rebuild>,
    /// Since when a projector is connected as the owner.
    pub(super) owned: Option<Millis>,
}

/// A comparison that the replica took part in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Audit {
    /// `equal`, `different`, or why it could not be said.
    pub(super) result: String,
    pub(super) position: u64,
    pub(super) age_seconds: f64,
}

/// A rebuild, rollback or restore that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Rebuild {
    /// The number of the generation that is being built, once there is one.
    pub(super) generation: Option<i64>,
    /// What it is made from.
    pub(super) source: Option<String>,
    /// Where it stands.
    pub(super) position: Option<u64>,
}

/// Asks; or why it could not be asked, in a sentence part.
pub(super) async fn ask(replica: &Replica) -> Result<Known, String> {
    match tokio::time::timeout(PATIENCE, read(replica)).await {
        Ok(Ok(known)) => Ok(known),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn read(replica: &Replica) -> Result<Known, replica::Error> {
    let mut connection = connect(replica, SCHEMA_LIVE).await?;
    let checkpoint = read_checkpoint(&mut connection).await?;
    let mut known =
        Known { position: Some(checkpoint.position), version: Some(checkpoint.version), ..Known::default() };
    // A database from before there were such tables still tells where it stands.
    let Ok(row) = sqlx::query(KNOWN).fetch_one(&mut connection).await else { return Ok(known) };
    connection.close().await?;
    known.generation = row.try_get("number")?;
    known.source = row.try_get("source")?;
    known.bytes = row.try_get("bytes")?;
    known.owned = row.try_get::<Option<i64>, _>("owned")?.map(Millis);
    if let Some(result) = row.try_get("audit_result")? {
        let position = Position::from_i64(row.try_get("audit_position")?).0;
        let ended: i64 = row.try_get("audit_ended")?;
        let age_seconds = (service::time::now().0 - ended).max(0) as f64 / 1000.0;
        known.audit = Some(Audit { result, position, age_seconds });
    }
    if row.try_get("rebuilt")? {
        let position = match row.try_get("building_stands")? {
            true => building_position(replica).await,
            false => None,
        };
        let (generation, source) = (row.try_get("building")?, row.try_get("building_source")?);
        known.rebuild = Some(Rebuild { generation, source, position });
    }
    Ok(known)
}

/// Where what is being built stands; it may be exchanged or gone at any moment.
async fn building_position(replica: &Replica) -> Option<u64> {
    let mut connection = connect(replica, SCHEMA_BUILDING).await.ok()?;
    let checkpoint = read_checkpoint(&mut connection).await.ok()?;
    let _closed_or_broken = connection.close().await;
    Some(checkpoint.position.0)
}

async fn connect(replica: &Replica, schema: &str) -> Result<PgConnection, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector status")?;
    Ok(PgConnection::connect_with(&options.options([("search_path", schema)])).await?)
}

impl Rebuild {
    /// As in `generation 3 is being built from the stream, at 1000000123`.
    pub(super) fn words(&self) -> String {
        let Some(generation) = self.generation else {
            return "a rebuild, rollback or restore is under way".to_owned();
        };
        let source = match self.source.as_deref() {
            Some("stream") => " from the stream".to_owned(),
            Some(source) => format!(" from {source}"),
            None => String::new(),
        };
        let at = self.position.filter(|position| *position >= Position::FIRST.0);
        let at = at.map_or(String::new(), |position| format!(", at {position}"));
        format!("generation {generation} is being built beside it{source}{at}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_is_told_with_what_is_known_of_it() {
        let mut rebuild =
            Rebuild { generation: Some(3), source: Some("stream".into()), position: Some(1_000_000_123) };
        assert_eq!(rebuild.words(), "generation 3 is being built beside it from the stream, at 1000000123");
        (rebuild.source, rebuild.position) = (Some("replica b".into()), Some(Position::BEFORE_FIRST.0));
        assert_eq!(rebuild.words(), "generation 3 is being built beside it from replica b");
        rebuild.generation = None;
        assert_eq!(rebuild.words(), "a rebuild, rollback or restore is under way");
    }
}
