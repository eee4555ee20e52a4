//! `projector audit --heal`: buckets that differ are replaced by those of another replica, or of a fold of the stream, at a mark
//! where the replica's projector waits.

mod fold;
mod replace;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use contract::announcement::Progress as Announced;
use serde::Serialize;
use service::Config;
use service::config::Replica;
use stream::Link;

use super::hash::Hashes;
use super::mark::{self, Mark};
use super::on_record::{self, Records};
use super::progress::Progress;
use super::report::{Report, Verdict};
use super::round::{self, Ask, Comparison};
use super::side::Side;
use super::snapshot::Waiting;
use super::{Error, Options, with_its_causes};
use fold::Fold;
use replace::Replaced;

/// Where the right rows come from.
enum Truth<'a> {
    Replica(&'a Replica),
    Fold(Box<Fold<'a>>),
}

struct Work<'a> {
    config: &'a Config,
    link: &'a Link,
    heard: &'a HashMap<String, Announced>,
    target: &'a Replica,
    patience: Duration,
    shown: usize,
}

/// What was done, for programs.
#[derive(Serialize)]
struct Healed<'a> {
    schema_version: u32,
    kind: &'static str,
    replica: &'a str,
    from: &'a str,
    position: u64,
    /// How long nothing was applied to the replica.
    paused_seconds: f64,
    tables: &'a [Replaced],
}

/// Heals a replica, unless `--dry-run` is given: then it shows what differs.
pub(super) async fn heal(
    config: &Config,
    link: &Link,
    heard: &HashMap<String, Announced>,
    options: &Options,
    replica: &str,
    from: &str,
) -> Result<Verdict, Error> {
    let target = config.replica(replica).map_err(Error::NoReplica)?;
    fit(target, heard, link)?;
    let ask = options.ask();
    let work = Work { config, link, heard, target, patience: ask.patience, shown: ask.shown };
    let mut truth = match from {
        "stream" => Truth::Fold(Box::new(Fold::begin(target, link, heard).await?)),
        name => {
            let other =
                config.replica(name.strip_prefix("replica:").unwrap_or(name)).map_err(Error::NoReplica)?;
            if other.name == target.name {
                return Err(Error::Itself(other.name.clone()));
            }
            fit(other, heard, link)?;
            Truth::Replica(other)
        }
    };
    let done = work.run(&mut truth, options, from).await;
    if let Truth::Fold(fold) = truth {
        match &done {
            Ok(_) => fold.discard().await?,
            // Whoever tries again goes on from there.
            Err(_) => tracing::debug!("the fold of the stream stays, for another try"),
        }
    }
    done
}

fn fit(replica: &Replica, heard: &HashMap<String, Announced>, link: &Link) -> Result<(), Error> {
    let name = replica.name.clone();
    round::fit(heard.get(&name), link.epoch()).map_err(|why| Error::Unfit { replica: name, why })
}

impl Work<'_> {
    async fn run(&self, truth: &mut Truth<'_>, options: &Options, from: &str) -> Result<Verdict, Error> {
        let progress = options.progress();
        let first = self.pair(truth, &options.tables, false, &progress).await?;
        let report = first.end().await;
        drop(progress);
        if !options.json || options.dry_run || report.result == Verdict::Equal {
            tell(&report, options.json);
        }
        if report.result == Verdict::Equal || options.dry_run {
            if options.dry_run && report.result == Verdict::Different && !options.json {
                println!(
                    "these buckets of replica {} would be replaced by those of {from}",
                    self.target.name
                );
            }
            return Ok(report.result);
        }
        let records = Records::begin([self.target].into_iter(), "audit --heal").await;
        let healed = self.replace(truth, &report.differing(), options, from).await;
        let outcome = healed.as_ref().map_or_else(|error| with_its_causes(error), |()| "healed".to_owned());
        records.end(&outcome).await;
        healed?;
        let progress = options.progress();
        let again = self.pair(truth, &options.tables, false, &progress).await?.end().await;
        drop(progress);
        on_record::put(
            self.config,
            &again,
            &format!(" after replica {} was healed from {from}", self.target.name),
        )
        .await;
        tell(&again, options.json);
        Ok(again.result)
    }

    /// Replaces what differs in some tables.
    async fn replace(
        &self,
        truth: &mut Truth<'_>,
        tables: &[String],
        options: &Options,
        from: &str,
    ) -> Result<(), Error> {
        let progress = options.progress();
        let mut pair = self.pair(truth, tables, true, &progress).await?;
        let position = pair.mark.position;
        let replaced =
            replace::replace(self.target, &pair.mark, &mut pair.sides, &pair.comparison.differing).await;
        let paused = pair.since.elapsed();
        let _what_differed = pair.end().await;
        drop(progress);
        let replaced = replaced?;
        if options.json {
            let healed = Healed {
                schema_version: 1,
                kind: "healed",
                replica: &self.target.name,
                from,
                position: position.0,
                paused_seconds: (paused.as_secs_f64() * 1000.0).round() / 1000.0,
                tables: &replaced,
            };
            println!("{}", serde_json::to_string(&healed).expect("a report is plain data"));
            return Ok(());
        }
        for Replaced { table, buckets, deleted, inserted } in &replaced {
            println!("{table}: {buckets} buckets replaced: {deleted} rows went, {inserted} came from {from}");
        }
        println!(
            "replica {} healed at {position}; nothing was applied to it for {:.1} s",
            self.target.name,
            paused.as_secs_f64()
        );
        Ok(())
    }

    /// The replica and the truth at one mark, compared. `pausing`: the replica's projector waits there until the pair ends.
    async fn pair(
        &self,
        truth: &mut Truth<'_>,
        tables: &[String],
        pausing: bool,
        progress: &Progress,
    ) -> Result<Pair<'_>, Error> {
        let began = Instant::now();
        let ask = Ask { tables, patience: self.patience, shown: self.shown };
        let audit = mark::name();
        let waiting = Waiting::begin(self.target, &audit).await?;
        let other = match truth {
            Truth::Replica(other) => Some((other.name.clone(), Waiting::begin(other, &audit).await?)),
            Truth::Fold(_) => None,
        };
        let mark = mark::put(self.link, self.heard, audit, pausing.then(|| self.target.name.clone())).await?;
        let what = if pausing { "replaces what differs there" } else { "compares there" };
        progress.say(&format!("mark at {}: replica {} {what}", mark.position, self.target.name));
        let ours = async {
            let snapshot = waiting.snapshot(&mark, self.patience).await?;
            let since = Instant::now();
            let mut side = Side::of_replica(&self.target.name, snapshot, tables).await?;
            let hashes = side.hash(progress).await?;
            Ok::<_, Error>((side, hashes, since))
        };
        let theirs = async {
            match (truth, other) {
                (Truth::Fold(fold), _) => fold.at(&mark, tables, progress).await,
                (Truth::Replica(_), Some((name, waiting))) => {
                    round::at(&name, waiting, &mark, &ask, progress).await
                }
                (Truth::Replica(other), None) => {
                    unreachable!("replica {} was connected to before the mark", other.name)
                }
            }
        };
        let (ours, theirs) = tokio::join!(ours, theirs);
        let ((side, held, since), (other, others)) = (ours?, theirs?);
        let hashes: Vec<(String, Hashes)> = vec![(side.name.clone(), held), (other.name.clone(), others)];
        let mut sides = vec![side, other];
        let comparison = round::compare(&mut sides, hashes, self.shown).await?;
        Ok(Pair { config: self.config, mark, sides, comparison, began, since })
    }
}

/// Two sides at a mark.
struct Pair<'a> {
    config: &'a Config,
    mark: Mark,
    sides: Vec<Side>,
    comparison: Comparison,
    began: Instant,
    /// The replica's projector has come to the mark.
    since: Instant,
}

impl Pair<'_> {
    /// Lets go of everything; what was found.
    async fn end(self) -> Report {
        for side in self.sides {
            side.end().await;
        }
        Report::of(
            self.config,
            Some(&self.mark),
            self.comparison,
            std::collections::BTreeMap::new(),
            self.began.elapsed(),
        )
    }
}

fn tell(report: &Report, json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).expect("a report is plain data"));
    } else {
        print!("{}", report.words());
    }
}
