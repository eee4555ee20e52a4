//! One comparison: a mark, a snapshot of each replica there, hashes side by side, and the rows where these differ.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use contract::announcement::{Progress as Announced, State};
use contract::{Epoch, PROJECTION_VERSION};
use futures::future::join_all;
use service::Config;
use service::config::Replica;
use stream::Link;

use super::hash::Hashes;
use super::keys::{self, Details};
use super::mark::{self, Mark};
use super::progress::Progress;
use super::report::Report;
use super::side::Side;
use super::snapshot::Waiting;
use super::{Error, with_its_causes};

/// What is to be compared.
pub(crate) struct Ask<'a> {
    /// The tables; none: all.
    pub(crate) tables: &'a [String],
    /// How long a replica may take to come to the mark.
    pub(crate) patience: Duration,
    /// Keys of a table that are told with their rows.
    pub(crate) shown: usize,
}

/// What was found.
pub(crate) struct Comparison {
    /// What each side holds, in the order of the sides.
    pub(crate) hashes: Vec<(String, Hashes)>,
    /// Tables that are not equal on all sides.
    pub(crate) differing: BTreeMap<String, Details>,
}

/// Compares all replicas that can be.
///
/// # Errors
/// When no mark could be put, or a table is named that is not there. A replica that cannot be compared is told in the report.
pub(crate) async fn round(
    config: &Config,
    link: &Link,
    heard: &HashMap<String, Announced>,
    ask: &Ask<'_>,
    progress: &Progress,
) -> Result<Report, Error> {
    let began = Instant::now();
    let audit = mark::name();
    let mut left_out = BTreeMap::new();
    let begin = config.replicas.iter().map(|replica| begin(replica, heard, link.epoch(), &audit));
    let mut waiting = Vec::new();
    for (replica, begun) in config.replicas.iter().zip(join_all(begin).await) {
        match begun {
            Ok(begun) => waiting.push((replica.name.as_str(), begun)),
            Err(why) => drop(left_out.insert(replica.name.clone(), why)),
        }
    }
    if waiting.len() < 2 {
        return Ok(Report::of_none(config, &audit, left_out, began.elapsed()));
    }
    let mark = mark::put(link, heard, audit, None).await?;
    let names: Vec<&str> = waiting.iter().map(|(name, _)| *name).collect();
    progress.say(&format!("mark at {}: comparing replicas {} there", mark.position, names.join(", ")));
    let hashing = waiting.into_iter().map(|(name, waiting)| {
        let mark = &mark;
        async move { (name, at(name, waiting, mark, ask, progress).await) }
    });
    let (mut sides, mut hashes) = (Vec::new(), Vec::new());
    for (name, hashed) in join_all(hashing).await {
        match hashed {
            Ok((side, held)) => {
                hashes.push((name.to_owned(), held));
                sides.push(side);
            }
            Err(error @ Error::NoTable { .. }) => return Err(error),
            Err(error) => drop(left_out.insert(name.to_owned(), with_its_causes(&error))),
        }
    }
    let compared = compare(&mut sides, hashes, ask.shown).await;
    for side in sides {
        side.end().await;
    }
    Ok(Report::of(config, Some(&mark), compared?, left_out, began.elapsed()))
}

/// A replica that can be compared, as far as its projector announces, is connected to.
async fn begin(
    replica: &Replica,
    heard: &HashMap<String, Announced>,
    epoch: &Epoch,
    audit: &str,
) -> Result<Waiting, String> {
    fit(heard.get(&replica.name), epoch)?;
    Waiting::begin(replica, audit).await.map_err(|error| with_its_causes(&error))
}

/// Whether a replica can be compared; else why not.
pub(crate) fn fit(heard: Option<&Announced>, epoch: &Epoch) -> Result<(), String> {
    let Some(heard) = heard else {
        return Err("its projector is silent: see `projector status`".to_owned());
    };
    match heard.state {
        State::Stopped => {
            return Err("it has stopped applying: see `projector status` and its projector's log".to_owned());
        }
        State::Importing => {
            return Err("it is importing a catalogue: compare again when that is closed".to_owned());
        }
        State::CatchingUp | State::Joining | State::Serving | State::Rebuilding => {}
    }
    if heard.version != PROJECTION_VERSION {
        return Err(format!(
            "it is of projection version {}, this binary is of {PROJECTION_VERSION}: equal positions mean equal rows only \
             within a version",
            heard.version
        ));
    }
    if heard.epoch != *epoch {
        return Err("it follows another life of the stream".to_owned());
    }
    Ok(())
}

/// A replica at the mark, hashed.
pub(crate) async fn at(
    name: &str,
    waiting: Waiting,
    mark: &Mark,
    ask: &Ask<'_>,
    progress: &Progress,
) -> Result<(Side, Hashes), Error> {
    let snapshot = waiting.snapshot(mark, ask.patience).await?;
    let mut side = Side::of_replica(name, snapshot, ask.tables).await?;
    let hashes = side.hash(progress).await?;
    Ok((side, hashes))
}

/// Where sides differ that were hashed.
///
/// # Errors
/// When a side's database fails, or its generation was exchanged.
pub(crate) async fn compare(
    sides: &mut [Side],
    hashes: Vec<(String, Hashes)>,
    shown: usize,
) -> Result<Comparison, Error> {
    let mut buckets: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for (_, held) in hashes.iter().skip(1) {
        for (table, differing) in hashes[0].1.differences(held) {
            let all = buckets.entry(table).or_default();
            all.extend(differing);
            all.sort_unstable();
            all.dedup();
        }
    }
    let mut differing = BTreeMap::new();
    for (name, buckets) in buckets {
        let table = sides.iter().find_map(|side| side.table(&name)).cloned();
        let details = match table {
            Some(table) if sides.iter().all(|side| side.table(&name) == Some(&table)) => {
                keys::examine(sides, &table, &buckets, &hashes, shown).await?
            }
            // A table that is not the same table everywhere: there are no rows to be put side by side.
            _ => Details { unread: buckets.len(), buckets, ..Details::default() },
        };
        differing.insert(name, details);
    }
    Ok(Comparison { hashes, differing })
}

#[cfg(test)]
mod tests {
    use contract::Position;

    use super::*;

    fn announced(state: State, version: i32) -> Announced {
        Announced {
            epoch: "abcdefgh2345".parse().unwrap(),
            position: Position(1_000_000_000),
            previous: Position(1_000_000_000),
            head: Position(1_000_000_000),
            head_age_ms: 0,
            state,
            why: String::new(),
            mend: String::new(),
            refuses_stream: false,
            generation: "live".into(),
            version,
            events_version: contract::EVENTS_VERSION,
            exceptions: Some(vec![]),
            import: None,
        }
    }

    #[test]
    fn whoever_cannot_be_compared_is_told_with_the_reason() {
        let epoch: Epoch = "abcdefgh2345".parse().unwrap();
        let said = |heard: Option<Announced>| fit(heard.as_ref(), &epoch).err().unwrap_or_default();
        for state in [State::Serving, State::Joining, State::CatchingUp] {
            assert_eq!(said(Some(announced(state, PROJECTION_VERSION))), "");
        }
        assert!(said(None).contains("silent"));
        assert!(said(Some(announced(State::Stopped, PROJECTION_VERSION))).contains("stopped"));
        assert!(said(Some(announced(State::Importing, PROJECTION_VERSION))).contains("importing"));
        let other = said(Some(announced(State::Serving, PROJECTION_VERSION + 1)));
        assert!(other.contains(&format!("version {}", PROJECTION_VERSION + 1)), "{other}");
        let mut stranger = announced(State::Serving, PROJECTION_VERSION);
        stranger.epoch = "bbcdefgh2345".parse().unwrap();
        assert!(said(Some(stranger)).contains("another life"));
    }
}
