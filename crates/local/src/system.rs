//! A whole system on this machine: nats-server, a Postgres for each replica, our processes, nginx.

mod members;
mod start;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::binaries;
use crate::components::{Components, Sources};
use crate::error::Error;
use crate::kernel::Identity;
use crate::layout::Data;
use crate::leftovers::gone_within;
use crate::ports::{Ports, loopback};
use crate::postgres;
use crate::process::{Process, Snapshot};
use crate::record::Recorder;
use crate::roster::Places;
use crate::system::members::{Came, Watching};
use crate::{servers, services};

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct SystemOptions {
    /// The data folder; made when it is missing.
    pub data: PathBuf,
    /// nginx's port. None: as the last time, or a free one.
    pub port: Option<u16>,
    /// The first of the other ports, 64 in a row. None: as the last time, or free ones.
    pub port_base: Option<u16>,
    /// The replicas' names.
    pub replicas: Vec<String>,
    /// Readers for each replica.
    pub readers: u16,
    /// Writers.
    pub writers: u16,
    /// The folder of our binaries.
    pub binaries: PathBuf,
    /// Where nats-server, Postgres and nginx come from.
    pub components: Sources,
    /// Environment for our processes: (a process's name, or what it starts with as `writer`, or `*`), key, value.
    pub environment: Vec<(String, String, String)>,
}

impl SystemOptions {
    /// Two replicas with a reader each, one writer, free ports, binaries beside the running one, components as `cargo xtask
    /// up` and `test` keep them.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.atelier/components");
        let folder =
            std::env::var_os("ATELIER_COMPONENTS").map_or_else(|| PathBuf::from(kept), PathBuf::from);
        Self {
            data: data.to_owned(),
            port: None,
            port_base: None,
            replicas: vec!["a".into(), "b".into()],
            readers: 1,
            writers: 1,
            binaries: std::env::var_os("ATELIER_BINARIES").map_or_else(binaries::beside_us, PathBuf::from),
            components: Sources { folder, ..Sources::default() },
            environment: vec![],
        }
    }

    /// Adds to the environment of a process, or of all of a kind.
    #[must_use]
    pub fn with_environment(mut self, process: &str, key: &str, value: &str) -> Self {
        self.environment.push((process.to_owned(), key.to_owned(), value.to_owned()));
        self
    }

    fn environment_of(&self, process: &str) -> Vec<(String, String)> {
        let kind = process.split('-').next().unwrap_or(process);
        self.environment
            .iter()
            .filter(|(of, _, _)| of == process || of == kind || of == "*")
            .map(|(_, key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

/// What a start is doing, told as it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// A stage has begun.
    Began(String),
    /// It is over, after so long.
    Ended(String, Duration),
}

/// A running system. Dropped without [`System::stop`], it kills all its processes at once.
pub struct System {
    options: SystemOptions,
    data: Data,
    ports: Arc<Ports>,
    components: Components,
    recorder: Arc<Recorder>,
    /// In the order in which they were started.
    processes: Vec<Process>,
    /// What belongs to replicas that came since.
    came: Came,
    /// Once everything is up.
    watching: Option<Watching>,
    _lock: File,
}

impl System {
    /// Starts everything and returns when all is ready. When something fails, nothing is left running.
    ///
    /// # Errors
    ///
    /// The first thing that failed.
    pub async fn start(
        options: SystemOptions,
        report: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Self, Error> {
        start::start(options, report).await
    }

    /// Stops everything in order, what was started last first; nothing that was acknowledged is lost.
    pub async fn stop(mut self) {
        self.stop_processes().await;
    }

    async fn stop_processes(&mut self) {
        if let Some(watching) = self.watching.take() {
            watching.end().await;
        }
        let came = self.came.processes();
        for stage in ["nginx", "reader", "writer", "projector", ""] {
            let stopping: Vec<_> = self
                .processes
                .iter()
                .chain(&came)
                .filter(|process| process.name().starts_with(stage))
                .cloned()
                .map(|process| tokio::spawn(async move { process.stop().await }))
                .collect();
            for one in stopping {
                // It only waits and signals, and does not panic; if it did, the drop below kills.
                let _ = one.await;
            }
        }
    }

    /// Where shoppers find it: nginx.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", loopback(self.ports.nginx()))
    }

    /// The configuration that all our processes read.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.data.config()
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The names of the replicas that it was started with.
    #[must_use]
    pub fn replicas(&self) -> &[String] {
        &self.options.replicas
    }

    /// The folder of our binaries that it runs.
    #[must_use]
    pub fn binaries(&self) -> &Path {
        &self.options.binaries
    }

    /// The servers that it runs, for tools beside them as pgbench.
    #[must_use]
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// Each reader's strict listener, replica by replica, without nginx.
    #[must_use]
    pub fn reader_urls(&self) -> Vec<String> {
        self.urls_of("reader")
    }

    /// Each reader's lenient listener, in the same order.
    #[must_use]
    pub fn lenient_urls(&self) -> Vec<String> {
        let readers = self.processes.iter().filter(|process| process.name().starts_with("reader"));
        let port = |reader: &Process| services::lenient_port(reader.spec().port);
        readers.map(|reader| format!("http://{}", loopback(port(reader)))).collect()
    }

    /// The first writer, without nginx.
    #[must_use]
    pub fn writer_url(&self) -> String {
        format!("http://{}", loopback(self.ports.writer(0)))
    }

    /// Each writer, without nginx.
    #[must_use]
    pub fn writer_urls(&self) -> Vec<String> {
        self.urls_of("writer")
    }

    /// nats-server.
    #[must_use]
    pub fn nats_url(&self) -> String {
        format!("nats://{}", loopback(self.ports.nats()))
    }

    /// nats-server's monitor.
    #[must_use]
    pub fn nats_monitor_url(&self) -> String {
        format!("http://{}", loopback(self.ports.nats_monitor()))
    }

    /// A replica's database `atelier`, as the superuser with the password in the URL.
    ///
    /// # Errors
    ///
    /// [`Error::Options`] for a replica that is not there; [`Error::Io`].
    pub fn postgres_url(&self, replica: &str) -> Result<String, Error> {
        let place = Places::of(&self.data, &self.options.replicas)
            .get(replica)
            .ok_or_else(|| Error::Options(format!("there is no replica {replica}")))?;
        postgres::superuser_url(&self.data, replica, self.ports.postgres(place), "atelier")
    }

    /// Starts one more Postgres, for a replica that is added; the address of its database. What is there is there.
    ///
    /// # Errors
    ///
    /// As [`servers::ask`].
    pub async fn one_more_postgres(&self, replica: &str) -> Result<String, Error> {
        servers::ask(&self.data, replica, Duration::from_secs(60)).await
    }

    /// What belongs to replicas that came since the start.
    #[must_use]
    pub fn came(&self) -> Vec<Process> {
        self.came.processes()
    }

    /// A process by its name: `nats`, `postgres-a`, `projector-a`, `writer-1` (or `writer`), `reader-a`, `nginx`.
    ///
    /// # Panics
    ///
    /// When there is no such process: a mistake of the test that asks.
    #[must_use]
    pub fn process(&self, name: &str) -> &Process {
        let full = if name == "writer" { "writer-1" } else { name };
        self.processes.iter().find(|process| process.name() == full).unwrap_or_else(|| {
            let names: Vec<&str> = self.processes.iter().map(Process::name).collect();
            panic!("there is no process {name}; there are {}", names.join(", "))
        })
    }

    /// All processes, in the order in which they were started.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Every process's state by name.
    #[must_use]
    pub fn status(&self) -> Vec<(String, Snapshot)> {
        self.processes.iter().map(|process| (process.name().to_owned(), process.snapshot())).collect()
    }

    fn urls_of(&self, kind: &str) -> Vec<String> {
        self.processes
            .iter()
            .filter(|process| process.name().starts_with(kind))
            .map(|process| format!("http://{}", loopback(process.spec().port)))
            .collect()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let came = self.came.close();
        let all = self.processes.iter().chain(&came);
        let killed: Vec<Identity> = all.rev().filter_map(Process::kill_now).collect();
        // Their data may be removed right after this.
        let _ = gone_within(&killed, Duration::from_secs(5));
        self.recorder.close();
    }
}
