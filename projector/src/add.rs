//! `projector add`: a replica comes while everything serves. Its database is prepared and filled before anybody knows it; then
//! it joins as one that comes back does.

mod database;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::announcement::State;
use replica::{SCHEMA_LIVE, SCHEMA_PREVIOUS};
use serde::Serialize;
use service::Config;
use service::config::{Piece, Replica, Stage};
use stream::Link;
use tokio_util::sync::CancellationToken;

use crate::members::{Error, Supervisor, readers, say, until, write};
use crate::rebuild::building::{self, Guard};
use crate::rebuild::{self, Source};
use crate::record::Record;
use crate::{init, status};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) replica: String,
    pub(crate) url: String,
    pub(crate) passwords: Option<PathBuf>,
    pub(crate) from: Option<Source>,
    pub(crate) max_rate: Option<u64>,
    /// How long others may take to do their part; none: it is not waited for.
    pub(crate) wait: Option<Duration>,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    /// `plan`, `added`, or `configured` when nobody waited for it to serve.
    kind: &'static str,
    replica: &'a str,
    database_url: &'a str,
    /// How far an earlier try came; null at the first.
    resumes: Option<&'static str>,
    /// Whether a supervisor on this machine starts what belongs to it.
    supervised: bool,
    seconds: f64,
}

/// Adds a replica. `file` is the configuration's.
pub(crate) async fn add(
    config: &Config,
    file: &Path,
    options: Options,
) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let supervisor = Supervisor::of(file);
    let passwords = match &options.passwords {
        Some(folder) => std::path::absolute(folder)?,
        None => Path::new("passwords").join(&options.replica),
    };
    let piece =
        Piece { name: options.replica.clone(), stage: Stage::Filling, url: options.url.clone(), passwords };
    let begun = begun(config, &piece, supervisor.is_some())?;
    let replica = piece.replica(file);
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = rebuild::connect(config, "atelier projector add", stop).await?;
    if begun.is_none() {
        database::refuse_unless_empty(&replica).await?;
    }
    let adding = Adding {
        config,
        file,
        piece: &piece,
        replica: &replica,
        link: &link,
        supervisor: supervisor.as_ref(),
        options: &options,
    };
    let resumes = begun.map(Stage::word);
    let mut report = Report {
        schema_version: 1,
        kind: "plan",
        replica: &piece.name,
        database_url: &piece.url,
        resumes,
        supervised: supervisor.is_some(),
        seconds: 0.0,
    };
    adding.tell_plan(&report);
    if options.dry_run {
        return Ok(());
    }
    if begun != Some(Stage::Joining) {
        write(&piece, Stage::Filling, file)?;
        let prepared = init::prepare(&replica, link.epoch()).await;
        prepared.map_err(|error| {
            format!(
                "the database of replica {name} could not be prepared: {error}. The same command goes on; `projector drop \
                 --replica {name}` gives it up",
                name = piece.name
            )
        })?;
    }
    let record = Record::begin(&replica, "add").await?;
    let done = adding.fill_and_join(begun).await;
    record.end(&done.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned())).await;
    let serves = done?;
    report.seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    report.kind = if serves { "added" } else { "configured" };
    adding.tell(&report);
    Ok(())
}

/// How far an earlier try came, when this one goes on with it.
fn begun(config: &Config, piece: &Piece, supervised: bool) -> Result<Option<Stage>, Error> {
    let Piece { name, url, .. } = piece;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' && !supervised;
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Error::Name(name.clone()));
    }
    let scheme = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    if scheme
        .is_none_or(|rest| rest.contains('@') || rest.split_once('/').is_none_or(|(_, name)| name.is_empty()))
    {
        return Err(Error::Url(without_password(url)));
    }
    let known = config.piece(name).filter(|known| known.stage != Stage::Dropped);
    let begun = match known.map(|known| (known.stage, known)) {
        Some((Stage::Leaving, _)) => return Err(Error::Leaving(name.clone())),
        Some((stage @ (Stage::Filling | Stage::Joining), known)) if known.url == *url => Some(stage),
        Some((Stage::Filling | Stage::Joining, known)) => {
            return Err(Error::Begun { name: name.clone(), url: known.url.clone() });
        }
        _ => {
            if let Ok(replica) = config.replica(name) {
                return Err(Error::Exists { name: name.clone(), url: replica.url.clone() });
            }
            None
        }
    };
    let pieces = config.pieces.iter().filter(|piece| piece.stage != Stage::Dropped);
    let all = pieces.map(|piece| (&piece.name, &piece.url));
    let mut all = all.chain(config.replicas.iter().map(|replica| (&replica.name, &replica.url)));
    match all.find(|(other, taken)| *other != name && *taken == url) {
        Some((other, _)) => Err(Error::Taken { name: other.clone(), url: url.clone() }),
        None => Ok(begun),
    }
}

/// What was typed may hold a password, which belongs into no message.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

struct Adding<'a> {
    config: &'a Config,
    file: &'a Path,
    piece: &'a Piece,
    replica: &'a Replica,
    link: &'a Link,
    supervisor: Option<&'a Supervisor>,
    options: &'a Options,
}

impl Adding<'_> {
    /// Answers whether it was seen serving.
    async fn fill_and_join(&self, begun: Option<Stage>) -> Result<bool, Box<dyn std::error::Error>> {
        if begun != Some(Stage::Joining) {
            self.fill().await?;
        }
        write(self.piece, Stage::Joining, self.file)?;
        self.tell_what_to_start();
        let Some(wait) = self.options.wait else {
            write(self.piece, Stage::Serving, self.file)?;
            return Ok(false);
        };
        let name = &self.piece.name;
        until(&format!("replica {name} serves"), wait, async || self.serves().await).await?;
        write(self.piece, Stage::Serving, self.file)?;
        if let Some(supervisor) = self.supervisor {
            until(&format!("nginx sends reads to replica {name}"), wait, async || {
                match supervisor.done(name) {
                    Some(done) if done.state == "serving" => Ok(()),
                    _ => Err(format!("it does not yet{}", supervisor.trouble(name))),
                }
            })
            .await?;
        }
        Ok(true)
    }

    /// The rebuild into an empty database. Its empty generation is of no use to anybody afterwards.
    async fn fill(&self) -> Result<(), Box<dyn std::error::Error>> {
        let (name, json) = (self.piece.name.clone(), self.options.json);
        let served = building::find(self.replica, SCHEMA_LIVE).await?;
        if served.is_some_and(|known| known.number > 1) {
            say(json, &format!("replica {name} is filled already"));
        } else {
            let mut config = self.config.clone();
            config.replicas.push(self.replica.clone());
            let options = rebuild::Options {
                replica: name,
                from: self.options.from.clone(),
                max_rate: self.options.max_rate,
                accept_differences: false,
                fresh: true,
                dry_run: false,
                json,
            };
            rebuild::rebuild(&config, options).await?;
        }
        let guard = Guard::take(self.replica).await?;
        building::discard(self.replica, &guard, SCHEMA_PREVIOUS).await?;
        Ok(())
    }

    /// Whether its projector says that it serves, and a reader is connected to it.
    async fn serves(&self) -> Result<(), String> {
        let name = &self.piece.name;
        let trouble = || self.supervisor.map_or(String::new(), |supervisor| supervisor.trouble(name));
        let heard = status::listen(self.link).await.map_err(|error| error.to_string())?;
        match heard.get(name).map(|progress| progress.state) {
            Some(State::Serving) => {}
            Some(state) => return Err(format!("it is {}{}", state.word(), trouble())),
            None => return Err(format!("its projector is silent{}", trouble())),
        }
        match readers(self.replica).await? {
            0 => Err(format!("no reader is connected to it{}", trouble())),
            _ => Ok(()),
        }
    }

    fn tell_plan(&self, report: &Report<'_>) {
        if self.options.json {
            print_json(report);
            return;
        }
        let Piece { name, url, .. } = self.piece;
        match report.resumes {
            None => {
                println!("replica {name} is added: its database at {url} is prepared, filled and compared")
            }
            Some(stage) => println!("replica {name} at {url} goes on from where it was broken off ({stage})"),
        }
        if self.supervisor.is_some() {
            println!(
                "then the supervisor of this machine starts projector-{name} and reader-{name}, and tells nginx"
            );
        } else {
            println!(
                "then its projector and a reader are to be started, and nginx told, by you: the commands are shown"
            );
        }
    }

    fn tell_what_to_start(&self) {
        let (name, file) = (&self.piece.name, self.file.display());
        if self.options.json || self.supervisor.is_some() {
            return;
        }
        println!(
            "replica {name} is filled. Now start, each where it belongs, with this configuration and {}:\n\
             \x20 projector run --replica {name} --operations ADDRESS --config {file}\n\
             \x20 reader run --replica {name} --listen STRICT --lenient LENIENT --operations ADDRESS --config {file}\n\
             then add to nginx.conf, in the upstreams of readers, and reload nginx:\n\
             \x20 readers, demanding_readers: server STRICT max_fails=0;\n\
             \x20 lenient_readers: server LENIENT max_fails=0;\n\
             \x20 demanding_readers: server LENIENT max_fails=0 backup;",
            service::config::pieces::file_of(self.file, name).display()
        );
    }

    fn tell(&self, report: &Report<'_>) {
        let (name, seconds) = (&self.piece.name, report.seconds);
        match report.kind {
            _ if self.options.json => print_json(report),
            "added" => println!("replica {name} serves, {seconds} s in all"),
            _ => println!("replica {name} is filled and configured; nobody has waited for it to serve"),
        }
    }
}

fn print_json(report: &Report<'_>) {
    let text = serde_json::to_string(report).expect("a report is plain data");
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        assert_eq!(without_password("postgres://me:secret@h:1/x"), "postgres://…@h:1/x");
        assert_eq!(without_password("nonsense"), "nonsense");
    }
}
