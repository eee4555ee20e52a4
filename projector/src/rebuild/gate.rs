//! What a new generation must pass before it serves: at one position it holds what a healthy replica holds, and answers as
//! what serves does.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::PROJECTION_VERSION;
use replica::{SCHEMA_BUILDING, SCHEMA_LIVE};
use service::config::Replica;
use sqlx::{Connection, PgConnection};

use super::pace::Pace;
use super::progress::Progress;
use super::reads::{self, Difference};
use super::replay::Replay;
use super::{Error, Work};
use crate::audit::hash::{Hashes, hash, tables};
use crate::audit::mark;
use crate::audit::snapshot::{Snapshot, Waiting, reading};
use crate::generation;

/// How long a replica may take to come to the mark.
const PATIENCE: Duration = Duration::from_secs(60);
/// Reads of a sample that are shown when they differ.
const SHOWN: usize = 5;

/// Compares with what serves, where that stands still because nobody applies to it: after an upgrade of the projection's
/// logic, say. Answers the reads that differ.
///
/// # Errors
/// When a database fails.
pub(super) async fn at_rest(work: &Work<'_>) -> Result<Vec<Difference>, Error> {
    let session = async |schema| {
        let options = reading(&generation::applying(work.replica, schema)?);
        let mut connection = PgConnection::connect_with(&options).await?;
        let begin = "begin transaction isolation level repeatable read, read only";
        sqlx::raw_sql(begin).execute(&mut connection).await?;
        Ok::<_, Error>(connection)
    };
    let (mut serving, mut built) = (session(SCHEMA_LIVE).await?, session(SCHEMA_BUILDING).await?);
    let (_reads, differences) = reads::compare(&mut serving, &mut built).await?;
    Ok(differences)
}

/// Compares; answers what was compared, for people. `at_rest`: reads that are known to differ.
///
/// # Errors
/// When what was built differs, or there is nothing to compare it with, unless differences were accepted.
pub(super) async fn pass(
    work: &Work<'_>,
    replay: &mut Replay,
    pace: &mut Pace,
    progress: &Progress,
    at_rest: Vec<Difference>,
) -> Result<String, Error> {
    let audit = mark::name();
    let serving = Waiting::begin(work.replica, &audit).await?;
    let reference = match reference(work) {
        Some(other) => Some((other, Waiting::begin(other, &audit).await?)),
        None => None,
    };
    let mark = mark::put(work.link, work.heard, audit, None).await?;
    let serving = match work.serves() {
        true => Some(serving.snapshot(&mark, PATIENCE).await?),
        // Nobody applies to it: there is nothing that stands where the new one does.
        false => None,
    };
    let reference = match reference {
        Some((other, waiting)) => Some((other.name.as_str(), waiting.snapshot(&mark, PATIENCE).await?)),
        None => None,
    };
    replay.run_to(mark.position, pace, progress).await?;
    let compared = compare(work, pace, serving.as_ref(), reference.as_ref()).await;
    for snapshot in serving.into_iter().chain(reference.map(|(_, snapshot)| snapshot)) {
        if let Err(error) = snapshot.release().await {
            tracing::debug!(%error, "a snapshot was not let go of; its projector does it by itself");
        }
    }
    let mut compared = compared?;
    compared.differences.extend(at_rest);
    let faults = compared.faults();
    if faults.is_empty() {
        return Ok(compared.words(mark.position.0));
    }
    for fault in &faults {
        progress.say(fault);
    }
    if work.options.accept_differences {
        return Ok(format!("{} differences were accepted", faults.len()));
    }
    Err(Error::Different(format!(
        "the new generation of replica {} differs from what it was compared with at {} ({}); it stays beside what \
         serves. Look at the differences above; when they are meant (the projection's logic changed, or what serves is \
         damaged), the same command with --accept-differences swaps it in; `projector prune` removes it",
        work.replica.name,
        mark.position,
        faults.join("; ")
    )))
}

/// Another replica that serves, written by the same logic.
fn reference<'a>(work: &Work<'a>) -> Option<&'a Replica> {
    let mut others = work.config.replicas.iter().filter(|other| other.name != work.replica.name);
    others.find(|other| {
        work.heard
            .get(&other.name)
            .is_some_and(|progress| progress.state.is_waited_for() && progress.version == PROJECTION_VERSION)
    })
}

/// What was compared, and what came of it.
#[derive(Default)]
struct Compared {
    /// With which replica, and how many rows.
    with: Option<(String, u64, String)>,
    /// Tables, each with how many of its buckets differ.
    tables: BTreeMap<String, usize>,
    reads: usize,
    differences: Vec<Difference>,
}

async fn compare(
    work: &Work<'_>,
    pace: &Pace,
    serving: Option<&Snapshot>,
    reference: Option<&(&str, Snapshot)>,
) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    let options = reading(&generation::applying(work.replica, SCHEMA_BUILDING)?);
    let mut built = PgConnection::connect_with(&options).await?;
    // With one replica alone there is what serves, which another fold of the same stream has made.
    let own = serving.map(|snapshot| (work.replica.name.as_str(), snapshot));
    let with = reference.map(|(name, snapshot)| (*name, snapshot));
    if let Some((name, snapshot)) = with.or(own) {
        let mut healthy = snapshot.open().await?;
        let (ours, theirs) = match pace.side_by_side() {
            1 => (all(&mut built).await?, all(&mut healthy).await?),
            _ => tokio::try_join!(all(&mut built), all(&mut healthy))?,
        };
        let differing = ours.differences(&theirs).into_iter();
        compared.tables = differing.map(|(table, buckets)| (table, buckets.len())).collect();
        compared.with = Some((name.to_owned(), ours.rows(), ours.fingerprint()));
        healthy.close().await?;
    }
    if let Some((_, snapshot)) = own.or(with) {
        let mut serving = snapshot.open().await?;
        (compared.reads, compared.differences) = reads::compare(&mut serving, &mut built).await?;
        serving.close().await?;
    }
    built.close().await?;
    Ok(compared)
}

async fn all(connection: &mut PgConnection) -> sqlx::Result<Hashes> {
    let tables = tables(connection).await?;
    hash(connection, &tables).await
}

impl Compared {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let Some((name, ..)) = &self.with else {
            faults.push(
                "no replica serves at this projection version, so there is nothing to compare with"
                    .to_owned(),
            );
            return faults;
        };
        for (table, buckets) in &self.tables {
            faults.push(format!("table {table} differs from replica {name}'s in {buckets} of 256 buckets"));
        }
        for Difference { read, serving, built } in self.differences.iter().take(SHOWN) {
            faults.push(format!("{read} is answered differently: {} now, {} then", cut(serving), cut(built)));
        }
        if self.differences.len() > SHOWN {
            faults.push(format!("and {} more reads", self.differences.len() - SHOWN));
        }
        faults
    }

    fn words(&self, position: u64) -> String {
        let (name, rows, fingerprint) =
            self.with.as_ref().map_or(("nothing", 0, ""), |(name, rows, print)| (name, *rows, print));
        format!(
            "equal to replica {name} at {position}: {rows} rows, audit hash {fingerprint}; {} reads answered the same",
            self.reads
        )
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
