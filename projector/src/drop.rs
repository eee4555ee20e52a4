//! `projector drop`: a replica goes while everything serves. Nobody is sent to it any more, then its readers and its projector
//! stop, then it is no part of the configuration.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::announcement::State;
use replica::{Role, connect_options};
use serde::Serialize;
use service::Config;
use service::config::{Piece, Replica, Stage, pieces};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stream::Link;
use tokio_util::sync::CancellationToken;

use crate::init::quoted;
use crate::members::{Error, Supervisor, readers, say, until, write};
use crate::record::Record;
use crate::{rebuild, status};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) replica: String,
    pub(crate) with_data: bool,
    /// How long others may take to do their part; none: it is not waited for.
    pub(crate) wait: Option<Duration>,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    /// `plan` or `dropped`.
    kind: &'static str,
    replica: &'a str,
    database_url: &'a str,
    /// `left` or `removed`.
    data: &'static str,
    supervised: bool,
    seconds: f64,
}

/// Drops a replica. `file` is the configuration's.
pub(crate) async fn drop(
    config: &Config,
    file: &Path,
    options: Options,
) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let name = options.replica.as_str();
    let piece = match config.piece(name).filter(|piece| piece.stage != Stage::Dropped) {
        Some(piece) => piece.clone(),
        None => {
            let Replica { name, url, passwords } = config.replica(name)?.clone();
            // From the configuration's folder, and that may be named from anywhere.
            Piece { name, stage: Stage::Serving, url, passwords: std::path::absolute(passwords)? }
        }
    };
    let _alone = alone(file)?;
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = rebuild::connect(config, "atelier projector drop", stop).await?;
    let heard = status::listen(&link).await?;
    let serves = |other: &&Replica| {
        other.name != name && heard.get(&other.name).is_some_and(|progress| progress.state == State::Serving)
    };
    let stays = config.replicas.iter().find(serves).ok_or_else(|| Error::Last(name.to_owned()))?;
    let supervisor = Supervisor::of(file);
    let mut report = Report {
        schema_version: 1,
        kind: "plan",
        replica: name,
        database_url: &piece.url,
        data: if options.with_data { "removed" } else { "left" },
        supervised: supervisor.is_some(),
        seconds: 0.0,
    };
    tell_plan(&report, &options)?;
    if options.dry_run {
        return Ok(());
    }
    let record = Record::begin(stays, "drop").await?;
    let dropping = Dropping {
        file,
        piece: &piece,
        replica: &piece.replica(file),
        link: &link,
        supervisor: supervisor.as_ref(),
        options: &options,
        in_file: config.in_file.iter().any(|named| named == name),
    };
    let done = dropping.run().await;
    record.end(&done.as_ref().map_or_else(ToString::to_string, |()| "done".to_owned())).await;
    done?;
    report.kind = "dropped";
    report.seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    dropping.tell(&report)
}

/// Two at once could each think that the other one's replica stays.
fn alone(file: &Path) -> Result<std::fs::File, Error> {
    let path = pieces::folder(file).join(".drop");
    let failed = |source| Error::Piece { path: path.clone(), source };
    std::fs::create_dir_all(pieces::folder(file)).map_err(failed)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    if lock.try_lock().is_ok() { Ok(lock) } else { Err(Error::Busy) }
}

struct Dropping<'a> {
    file: &'a Path,
    piece: &'a Piece,
    replica: &'a Replica,
    link: &'a Link,
    supervisor: Option<&'a Supervisor>,
    options: &'a Options,
    /// The configuration's own file names it.
    in_file: bool,
}

impl Dropping<'_> {
    async fn run(&self) -> Result<(), Box<dyn std::error::Error>> {
        let name = &self.piece.name;
        // One that is being filled has nothing that could stop.
        if self.piece.stage != Stage::Filling {
            write(self.piece, Stage::Leaving, self.file)?;
            self.tell_what_to_stop();
            if let Some(wait) = self.options.wait {
                let what = format!("the readers and the projector of replica {name} have stopped");
                until(&what, wait, async || self.is_gone().await).await?;
            }
        }
        if self.options.with_data {
            self.remove_data().await.map_err(|error| {
                format!("the database of replica {name} could not be removed: {error}. The same command tries it again")
            })?;
        }
        if self.in_file {
            write(self.piece, Stage::Dropped, self.file)?;
        } else {
            let failed = |source| Error::Piece { path: pieces::file_of(self.file, name), source };
            pieces::remove(self.file, name).map_err(failed)?;
        }
        Ok(())
    }

    async fn is_gone(&self) -> Result<(), String> {
        let name = &self.piece.name;
        if let Some(supervisor) = self.supervisor
            && supervisor.done(name).is_some_and(|done| done.state != "stopped")
        {
            return Err(format!("they run{}", supervisor.trouble(name)));
        }
        // Nobody reads from a database that does not answer.
        if let Ok(sessions @ 1..) = readers(self.replica).await {
            return Err(format!("its readers have {sessions} sessions"));
        }
        let heard = status::listen(self.link).await.map_err(|error| error.to_string())?;
        match heard.get(name) {
            Some(progress) if progress.state != State::Stopped => Err("its projector speaks".to_owned()),
            _ => Ok(()),
        }
    }

    async fn remove_data(&self) -> Result<(), replica::Error> {
        let Replica { url, passwords, .. } = self.replica;
        let options = connect_options(url, passwords, Role::Administrator, "projector drop")?;
        let database = options.get_database().unwrap_or("atelier").to_owned();
        let mut server = PgConnection::connect_with(&options.database("postgres")).await?;
        let gone = format!("drop database if exists {} with (force)", quoted(&database));
        sqlx::raw_sql("set client_min_messages = warning").execute(&mut server).await?;
        sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut server).await?;
        Ok(server.close().await?)
    }

    fn tell_what_to_stop(&self) {
        if self.supervisor.is_some() {
            return;
        }
        let name = &self.piece.name;
        say(
            self.options.json,
            &format!(
                "take the readers of replica {name} out of nginx.conf and reload nginx; then stop `reader run --replica {name}`, \
                 then `projector run --replica {name}`"
            ),
        );
    }

    fn tell(&self, report: &Report<'_>) -> Result<(), Box<dyn std::error::Error>> {
        if self.options.json {
            println!("{}", serde_json::to_string(report)?);
            return Ok(());
        }
        let Piece { name, url, .. } = self.piece;
        println!("replica {name} is dropped, {} s in all", report.seconds);
        if self.options.with_data {
            println!(
                "its database at {url} is removed; its server, the roles there and their passwords are left"
            );
        } else {
            println!("its database at {url} is left as it is (--with-data would have removed it)");
        }
        if self.in_file {
            let (file, piece) = (self.file.display(), pieces::file_of(self.file, name));
            println!("{file} names it, and {} says that it is gone", piece.display());
        }
        Ok(())
    }
}

fn tell_plan(report: &Report<'_>, options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    if options.json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    let Report { replica, database_url, data, .. } = report;
    let who = if report.supervised { "the supervisor of this machine stops" } else { "you are to stop" };
    println!(
        "replica {replica} is dropped: nginx sends no reads there any more, then {who} its readers and its projector; its \
         database at {database_url} is {data}"
    );
    Ok(())
}
