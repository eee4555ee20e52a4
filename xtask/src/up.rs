//! `cargo xtask up`.

pub(crate) mod catalogue;
mod detached;
mod page;
pub(crate) mod signals;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use local::components::Sources;
use local::{Data, Record, Stage, System, SystemOptions, binaries};

use crate::error::Error;
use crate::stages::{Stages, say};
use crate::{SystemArguments, cargo, checkout};
use catalogue::Catalogue;

/// nginx's port in a new system.
const PORT: u16 = 8080;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: SystemChoice,
    #[command(flatten)]
    first: catalogue::Arguments,
    /// Return when everything is ready and leave a supervisor behind
    #[arg(long)]
    detach: bool,
}

/// What to start, and where.
#[derive(Args, Clone)]
pub(crate) struct SystemChoice {
    #[command(flatten)]
    pub(crate) system: SystemArguments,
    /// nginx's port [default: as the last time, at first 8080]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The first of 64 ports for everything else [default: as the last time, at first free ones]
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
    /// Use this nats-server (2.12 or later) instead of the fetched one
    #[arg(long, value_name = "PATH")]
    nats_server: Option<PathBuf>,
    /// Use Postgres (18 or later) from this folder of binaries instead of the fetched one
    #[arg(long, value_name = "DIR")]
    postgres_bin: Option<PathBuf>,
    /// Use this nginx (1.27.4 or later) instead of the fetched one
    #[arg(long, value_name = "PATH")]
    nginx: Option<PathBuf>,
}

impl SystemChoice {
    /// A running system has its own copies of our binaries.
    pub(crate) fn options(&self) -> SystemOptions {
        let data = self.system.data();
        SystemOptions {
            port: self.port.or_else(|| (!data.ports().exists()).then_some(PORT)),
            port_base: self.port_base,
            binaries: data.binaries(),
            components: Sources {
                folder: checkout::components(),
                nats_server: self.nats_server.clone(),
                postgres_bin: self.postgres_bin.clone(),
                nginx: self.nginx.clone(),
            },
            ..SystemOptions::new(data.root())
        }
    }
}

impl SystemChoice {
    /// The arguments that give this choice again, from any folder.
    fn as_arguments(&self) -> Vec<OsString> {
        let path =
            |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
        let mut arguments: Vec<OsString> = vec!["--data".into(), path(&self.system.data)];
        for (name, port) in [("--port", self.port), ("--port-base", self.port_base)] {
            arguments.extend(port.into_iter().flat_map(|port| [name.into(), port.to_string().into()]));
        }
        for (name, named) in [
            ("--nats-server", &self.nats_server),
            ("--postgres-bin", &self.postgres_bin),
            ("--nginx", &self.nginx),
        ] {
            arguments.extend(named.iter().flat_map(|named| [name.into(), path(named)]));
        }
        arguments
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let data = arguments.choice.system.data();
    if let Some(record) = Record::read(&data).filter(Record::is_running) {
        say("this system is already running");
        if arguments.choice.port.is_some_and(|port| !record.url.ends_with(&format!(":{port}"))) {
            say("note: it keeps its port until it is stopped and started again");
        }
        page::print(&record.url, &data, &arguments.choice.system, true);
        return Ok(());
    }
    refuse_foreign(&data)?;
    let catalogue = Catalogue::decide(&data, &arguments.first, &arguments.choice.system)?;

    let mut stages = Stages::default();
    stages.run("build", cargo::build)?;
    let ours: Vec<&str> = binaries::SERVICES.into_iter().chain(["xtask"]).collect();
    binaries::copy(&ours, &binaries::beside_us(), &data.binaries())?;

    if arguments.detach {
        detached(&arguments.choice, &data, catalogue.as_ref(), &mut stages).await
    } else {
        foreground(&arguments.choice, &data, catalogue.as_ref(), &mut stages).await
    }
}

/// A folder with other files is no place for a system: `reset` would remove them with it.
fn refuse_foreign(data: &Data) -> Result<(), Error> {
    let root = data.root();
    let empty = root.read_dir().map_or(true, |mut entries| entries.next().is_none());
    if empty || data.lock().exists() {
        return Ok(());
    }
    Err(Error::said(format!("{} holds other files; name an empty or a new folder by --data", root.display())))
}

async fn foreground(
    choice: &SystemChoice,
    data: &Data,
    catalogue: Option<&Catalogue>,
    stages: &mut Stages,
) -> Result<(), Error> {
    let mut stop = signals::Stop::listen()?;
    let mut report = |stage| show(stages, stage);
    let started = tokio::select! {
        started = System::start(choice.options(), &mut report) => started,
        () = stop.asked() => Err(local::Error::Options("stopped while it was starting; nothing is left running".into())),
    };
    stages.clear();
    let system = started?;
    let prepared = tokio::select! {
        prepared = prepare(choice, data, catalogue, stages) => prepared,
        () = stop.asked() => Err(Error::said("stopped; nothing is left running")),
    };
    stages.clear();
    if let Err(error) = prepared {
        system.stop().await;
        return Err(error);
    }
    page::print(&system.url(), data, &choice.system, false);

    stop.asked().await;
    say("stopping");
    let since = Instant::now();
    system.stop().await;
    say(&format!("stopped after {:.1} s", since.elapsed().as_secs_f64()));
    Ok(())
}

async fn detached(
    choice: &SystemChoice,
    data: &Data,
    catalogue: Option<&Catalogue>,
    stages: &mut Stages,
) -> Result<(), Error> {
    let mut stop = signals::Stop::listen()?;
    let supervisor = detached::spawn(choice, data)?;
    let prepared = tokio::select! {
        prepared = async {
            let url = supervisor.follow(&mut |stage| show(stages, stage)).await?;
            prepare(choice, data, catalogue, stages).await?;
            Ok(url)
        } => prepared,
        () = stop.asked() => Err(Error::said("stopped; nothing is left running")),
    };
    stages.clear();
    match prepared {
        Ok(url) => {
            page::print(&url, data, &choice.system, true);
            Ok(())
        }
        Err(error) => {
            supervisor.end().await;
            Err(error)
        }
    }
}

/// What comes between a started system and one that is ready for shoppers.
async fn prepare(
    choice: &SystemChoice,
    data: &Data,
    catalogue: Option<&Catalogue>,
    stages: &mut Stages,
) -> Result<(), Error> {
    if let Some(catalogue) = catalogue {
        let started = Instant::now();
        catalogue.import(data, &choice.system).await?;
        stages.ended("import", started.elapsed());
    }
    page::probe(data).await
}

fn show(stages: &mut Stages, stage: Stage) {
    match stage {
        Stage::Began(name) => stages.began(&name),
        Stage::Ended(name, took) => stages.ended(&name, took),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        choice: SystemChoice,
    }

    #[test]
    fn the_supervisor_gets_the_same_choice() {
        let typed = [
            "x",
            "--data",
            "/d",
            "--port",
            "81",
            "--port-base",
            "2000",
            "--nginx",
            "/n",
            "--nats-server",
            "/s",
        ];
        let choice = Only::parse_from(typed).choice;
        let again = Only::parse_from([OsString::from("x")].into_iter().chain(choice.as_arguments())).choice;
        assert_eq!(choice.as_arguments(), again.as_arguments());
        assert_eq!(again.as_arguments().len(), 10);
    }
}
