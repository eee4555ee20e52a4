//! `projector rebuild`: a new generation beside the one that serves, proven equal, then swapped in.

pub(crate) mod base;
pub(crate) mod building;
pub(crate) mod lanes;
pub(crate) mod load;
pub(crate) mod moment;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod replay;
pub(crate) mod swap;

mod ahead;
mod copy;
mod error;
mod fill;
mod gate;
mod made_last;
mod reads;
mod source;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contract::announcement::{Progress as Announced, State};
use contract::{PROJECTION_VERSION, Position};
use replica::{SCHEMA_BUILDING, SCHEMA_LIVE, read_checkpoint};
use serde::Serialize;
use service::Config;
use service::config::Replica;
use sqlx::{Connection as _, PgConnection};
use stream::{Connection, Link};
use tokio_util::sync::CancellationToken;

use crate::record::Record;
use crate::snapshot::Whole;
use crate::{failpoint, generation, status};
use building::{Guard, Known};
pub(crate) use error::Error;
use pace::Pace;
use progress::{Phase, Progress};
use replay::Replay;
use source::Estimate;
pub(crate) use source::Source;

/// How long nats-server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) replica: String,
    pub(crate) from: Option<Source>,
    pub(crate) max_rate: Option<u64>,
    pub(crate) accept_differences: bool,
    /// The replica is new: nothing of it serves.
    pub(crate) fresh: bool,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Plan<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    from: &'a Source,
    /// Goes on with what an earlier rebuild left.
    resumes_at: Option<u64>,
    yields_to_reads: bool,
    ways: &'a [Estimate],
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    from: &'a Source,
    generation: i64,
    position: u64,
    /// Events applied, rows copied.
    events: u64,
    rows: u64,
    seconds: f64,
    compared: &'a str,
    swap_ms: f64,
}

/// Rebuilds a replica.
pub(crate) async fn rebuild(config: &Config, options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let replica = config.replica(&options.replica)?;
    if let Some(Source::Replica(name)) = &options.from {
        let other = config.replica(name)?;
        if other.name == replica.name {
            return Err(format!("replica {name} cannot be made from itself: name another one").into());
        }
    }
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = connect(config, "atelier projector rebuild", stop).await?;
    let heard = status::listen(&link).await?;
    let ways = source::ways(config, replica, &heard).await?;
    let from = options.from.clone().unwrap_or_else(|| ways[0].source.clone());
    let whole = match &from {
        Source::Snapshot(place) => {
            let progress = Progress::start(&replica.name, options.json);
            let whole = Whole::open(place, &progress).await;
            progress.finish();
            let whole = whole?;
            whole.fits(config, &link).await?;
            Some(whole)
        }
        Source::Stream | Source::Replica(_) => None,
    };
    let begun = building::find(replica, SCHEMA_BUILDING).await?;
    let resumed = begun.filter(|known| resumable(known, &from, &link));
    let yields = heard.get(&replica.name).is_some_and(|progress| progress.state.is_waited_for());
    let plan = Plan {
        schema_version: 1,
        kind: "plan",
        replica: &replica.name,
        from: &from,
        resumes_at: resumed.as_ref().and_then(|known| known.checkpoint.as_ref()).map(|at| at.position.0),
        yields_to_reads: yields,
        ways: &ways,
    };
    tell_plan(&plan, &options)?;
    if options.dry_run {
        return Ok(());
    }
    let record = Record::begin(replica, if whole.is_some() { "restore" } else { "rebuild" }).await?;
    let (heard, options, from, whole) = (&heard, &options, &from, whole.as_ref());
    let work = Work { config, replica, link: &link, heard, options, from, whole, yields };
    let done = work.run(resumed).await;
    record.end(&done.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned())).await;
    Ok(done?)
}

/// A connection to the stream for a verb, or why there is none.
pub(crate) async fn connect(config: &Config, name: &str, stop: CancellationToken) -> Result<Link, Error> {
    let connection = Connection::open(config.stream_settings(), name, stop);
    match tokio::time::timeout(PATIENCE, connection.verified()).await {
        Ok(Ok(link)) => Ok(link),
        Ok(Err(refusal)) => Err(Error::Away(refusal.to_string())),
        Err(_) => {
            let why = connection.current().err().map_or("it was slow".to_owned(), |error| error.to_string());
            Err(Error::Away(why))
        }
    }
}

/// Whether what an earlier rebuild left is gone on with: the same events would be applied by the same code. A copy of
/// another replica's snapshot is begun anew, unless everything was there.
fn resumable(known: &Known, from: &Source, link: &Link) -> bool {
    let at = |known: &Known| {
        let at = known.checkpoint.as_ref();
        at.is_some_and(|at| at.version == PROJECTION_VERSION && at.epoch == *link.epoch())
    };
    known.source == from.to_string() && at(known) && (known.complete || *from == Source::Stream)
}

fn tell_plan(plan: &Plan<'_>, options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if options.json {
        println!("{}", serde_json::to_string(plan)?);
        return Ok(());
    }
    for way in plan.ways {
        println!("from {}: about {} s ({})", way.source, way.seconds, way.because);
    }
    let why = match (&options.from, plan.ways.len()) {
        (Some(_), _) => "as told",
        (None, 1) => "the only way",
        (None, _) => "the faster way",
    };
    let resumes = plan.resumes_at.map_or(String::new(), |at| format!(", going on behind {at}"));
    let word = if options.fresh { "filled" } else { "rebuilt" };
    println!("replica {} is {word} from {}, {why}{resumes}", plan.replica, plan.from);
    let pace =
        if plan.yields_to_reads { "slows down when its reads do" } else { "nobody reads there: flat out" };
    if options.fresh {
        println!("it is not known to anybody meanwhile");
    } else {
        println!("it goes on serving meanwhile; the work {pace}");
    }
    Ok(())
}

struct Work<'a> {
    config: &'a Config,
    replica: &'a Replica,
    link: &'a Link,
    heard: &'a HashMap<String, Announced>,
    options: &'a Options,
    from: &'a Source,
    /// When that is a snapshot in a folder.
    whole: Option<&'a Whole>,
    yields: bool,
}

impl Work<'_> {
    /// Whether the replica's projector applies to what serves.
    fn serves(&self) -> bool {
        self.heard.get(&self.replica.name).is_some_and(|progress| progress.state != State::Stopped)
    }

    async fn run(&self, resumed: Option<Known>) -> Result<(), Error> {
        let (replica, link) = (self.replica, self.link);
        let began = Instant::now();
        let mut guard = Guard::take(replica).await?;
        let progress = Progress::start(&replica.name, self.options.json);
        if self.yields {
            // What this process itself computes gives way to whoever serves on this machine.
            let _may_not = rustix::process::nice(10);
        }
        let mut pace = Pace::new(replica, self.options.max_rate, self.yields).await;
        let complete = resumed.as_ref().is_some_and(|known| known.complete);
        if resumed.is_none() {
            building::begin(replica, &mut guard, &self.from.to_string(), link.epoch()).await?;
            failpoint::reached("begun");
        }
        let rows = if complete { 0 } else { self.fill(&pace, &progress).await? };
        let (connection, checkpoint) = building::own(replica, SCHEMA_BUILDING).await?;
        let from = checkpoint.position;
        let database = generation::applying(replica, SCHEMA_BUILDING)?;
        let mut replay = Replay::start(link, database, connection, checkpoint).await?;
        progress.phase(if *self.from == Source::Stream { Phase::Replay } else { Phase::CatchUp });
        let at_rest = match self.at_rest().await? {
            Some(position) if position >= replay.position() => {
                replay.run_to(position, &mut pace, &progress).await?;
                gate::at_rest(self).await?
            }
            _ => vec![],
        };
        replay.catch_up(&mut pace, &progress).await?;
        let events = replay.position().0 - from.0;
        let seconds = began.elapsed().as_secs_f64();
        progress.say(&format!("applied {events} events up to {} after {seconds:.1} s", replay.position()));
        progress.phase(Phase::Index);
        let indexing = Instant::now();
        match made_last::make(replica, pace.side_by_side()).await? {
            0 => {}
            made => {
                let seconds = indexing.elapsed().as_secs_f64();
                progress.say(&format!("made {made} indexes that only reads need in {seconds:.1} s"));
            }
        }
        building::complete(&mut guard, SCHEMA_BUILDING).await?;
        failpoint::reached("complete");

        progress.phase(Phase::Compare);
        let compared = gate::pass(self, &mut replay, &mut pace, &progress, at_rest).await?;
        progress.say(&compared);
        failpoint::reached("compared");
        progress.phase(Phase::CatchUp);
        replay.catch_up(&mut pace, &progress).await?;
        progress.phase(Phase::Swap);
        let swapped = swap::swap(replica, &mut guard, link, SCHEMA_BUILDING, &mut replay, &progress).await?;
        progress.finish();
        let known = building::find(replica, SCHEMA_LIVE).await?;
        let report = Report {
            schema_version: 1,
            kind: "done",
            replica: &replica.name,
            from: self.from,
            generation: known.map_or(0, |known| known.number),
            position: swapped.position.0,
            events: replay.position().0 - from.0,
            rows,
            seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            compared: &compared,
            swap_ms: (swapped.held.as_secs_f64() * 10_000.0).round() / 10.0,
        };
        self.tell(&report);
        Ok(())
    }

    /// Where what serves stands still; none: somebody applies to it, or it belongs to another stream.
    async fn at_rest(&self) -> Result<Option<Position>, Error> {
        if self.serves() {
            return Ok(None);
        }
        let options = generation::applying(self.replica, SCHEMA_LIVE)?;
        let mut connection = PgConnection::connect_with(&options).await?;
        let checkpoint = read_checkpoint(&mut connection).await?;
        connection.close().await?;
        Ok((checkpoint.epoch == *self.link.epoch()).then_some(checkpoint.position))
    }

    fn tell(&self, report: &Report<'_>) {
        if self.options.json {
            let text = serde_json::to_string(report).expect("a report is plain data");
            println!("{text}");
            return;
        }
        let Report { replica, generation, position, seconds, swap_ms, .. } = report;
        if self.options.fresh {
            println!("replica {replica} is filled up to {position}; {seconds} s");
            return;
        }
        println!(
            "replica {replica}: generation {generation} serves, swapped in at {position} within {swap_ms} ms; {seconds} s in all"
        );
        println!(
            "the one before stays to go back to (projector rollback --replica {replica}) until it is removed (projector \
             prune --replica {replica})"
        );
    }
}
