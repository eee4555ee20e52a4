//! What a generation is made from, and which way is the faster one.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use contract::PROJECTION_VERSION;
use contract::announcement::Progress;
use replica::SCHEMA_LIVE;
use serde::Serialize;
use service::Config;
use service::config::Replica;
use sqlx::{Connection, PgConnection, Row};
use stream::Inspection;

use super::progress::EXPECTED_EVENTS;
use super::{Error, building};
use crate::generation;

const SIZE: &str = include_str!("size.sql");
/// Bytes of the catalogue's rows in the stream that become tables and indexes in a second, with everything that the closing
/// makes: `bench import` on two cores.
const CATALOGUE_RATE: f64 = 20e6;
/// Bytes of tables and indexes that are copied and made in a second. An assumption: it only chooses the way that is tried
/// first.
const COPY_RATE: f64 = 60e6;
/// About what an ordinary event takes in the stream, and a chunk of the catalogue.
const EVENT_BYTES: f64 = 900.0;
const CHUNK_BYTES: f64 = 530e3;

/// What a generation is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// Everything is applied anew.
    Stream,
    /// A snapshot of another replica is copied, then the rest is applied.
    Replica(String),
    /// A snapshot in a folder is loaded, then the rest is applied.
    Snapshot(PathBuf),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Source, String> {
        match text.split_once(':') {
            None if text == "stream" => Ok(Source::Stream),
            Some(("replica", name)) if !name.is_empty() => Ok(Source::Replica(name.to_owned())),
            _ => Err("say stream, or replica:NAME".to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Stream => write!(f, "stream"),
            Source::Replica(name) => write!(f, "replica {name}"),
            Source::Snapshot(place) => write!(f, "snapshot {}", place.display()),
        }
    }
}

/// What a way is expected to take.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Estimate {
    pub(crate) source: Source,
    pub(crate) seconds: u64,
    /// What it rests on, for people.
    pub(crate) because: String,
}

/// Every way that is open, the faster one first.
///
/// # Errors
/// When the stream cannot be asked. Replicas that do not answer are no way.
pub(crate) async fn ways(
    config: &Config,
    replica: &Replica,
    heard: &HashMap<String, Progress>,
) -> Result<Vec<Estimate>, Error> {
    let inspection = Inspection::open(&config.stream_settings(), "atelier projector rebuild").await?;
    let stream = inspection.describe().await?;
    let (bytes, events) = (stream.bytes as f64, stream.events as f64);
    let chunks = ((bytes - events * EVENT_BYTES) / CHUNK_BYTES).clamp(0.0, events);
    let begun = building::find(replica, replica::SCHEMA_BUILDING).await.ok().flatten();
    let begun = begun.filter(|known| known.source == Source::Stream.to_string());
    let applied = begun.and_then(|known| known.checkpoint);
    let done = applied.map_or(0.0, |at| (at.position.0 + 1).saturating_sub(stream.first.0) as f64);
    let ordinary = (events - chunks - (done - chunks).max(0.0)).max(0.0);
    let catalogue = if done > chunks { 0.0 } else { chunks * CHUNK_BYTES / CATALOGUE_RATE };
    let mut ways = vec![Estimate {
        source: Source::Stream,
        seconds: (catalogue + ordinary / EXPECTED_EVENTS).ceil() as u64,
        because: format!("{events:.0} events, {:.0} MB, {done:.0} of them applied already", bytes / 1e6),
    }];
    for other in config.replicas.iter().filter(|other| other.name != replica.name) {
        let serves = heard
            .get(&other.name)
            .is_some_and(|progress| progress.state.is_waited_for() && progress.version == PROJECTION_VERSION);
        if let (true, Ok(size)) = (serves, size(other).await) {
            ways.push(Estimate {
                source: Source::Replica(other.name.clone()),
                seconds: (size / COPY_RATE).ceil() as u64,
                because: format!("{:.0} MB of tables and indexes", size / 1e6),
            });
        }
    }
    ways.sort_by_key(|way| way.seconds);
    Ok(ways)
}

async fn size(replica: &Replica) -> Result<f64, Error> {
    let mut connection = PgConnection::connect_with(&generation::applying(replica, SCHEMA_LIVE)?).await?;
    let bytes: i64 = sqlx::query(SIZE).fetch_one(&mut connection).await?.try_get("bytes")?;
    connection.close().await?;
    Ok(bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_the_stream_or_a_replica_by_name() {
        assert_eq!("stream".parse(), Ok(Source::Stream));
        assert_eq!("replica:b".parse(), Ok(Source::Replica("b".into())));
        for wrong in ["", "b", "replica:", "replica", "stream:x", "snapshot:x"] {
            assert!(wrong.parse::<Source>().is_err(), "{wrong}");
        }
    }
}
