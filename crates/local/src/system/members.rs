//! Replicas come and go while a system runs. `projector add` and `projector drop` write pieces of the configuration; this
//! looks at them, starts and stops what belongs to a replica, lets nginx know, and says what it did in `members.json`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::SystemOptions;
use crate::components::Components;
use crate::error::Error;
use crate::kernel::{Identity, descendants};
use crate::layout::{Data, write_atomically};
use crate::ports::{Ports, check_free};
use crate::process::{Process, Spec};
use crate::record::Recorder;
use crate::roster::{Places, Wanted, wanted};
use crate::{nginx, postgres, servers, services};

/// How soon a change is seen.
const EVERY: Duration = Duration::from_millis(250);
/// How long what could not be started rests before it is tried again.
const REST: Duration = Duration::from_secs(5);
/// How long nginx may take to start workers that know its new configuration.
const RELOAD: Duration = Duration::from_secs(5);
/// How long its old workers may take to answer what they have begun. They keep clients' connections for the next request,
/// at least as long as nginx.conf says; after this time readers go, and whoever asks one is sent on by nginx.
const OLD_WORKERS: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What runs of one replica.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) projector: Process,
    pub(super) readers: Vec<Process>,
}

/// What came since the start.
#[derive(Clone, Default)]
pub(super) struct Came {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The system is going down: nothing comes any more.
    closed: bool,
    processes: Vec<Process>,
}

impl Came {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that run, or ran last.
    pub(super) fn processes(&self) -> Vec<Process> {
        self.state().processes.clone()
    }

    /// Lets nothing come any more, for a [`Drop`]; what has come.
    pub(super) fn close(&self) -> Vec<Process> {
        let mut state = self.state();
        state.closed = true;
        state.processes.clone()
    }

    /// Counts a process among those that came; not while the system is going down.
    fn add(&self, process: &Process) -> bool {
        let mut state = self.state();
        if !state.closed {
            state.processes.push(process.clone());
        }
        !state.closed
    }

    fn remove(&self, name: &str) {
        self.state().processes.retain(|process| process.name() != name);
    }
}

/// The watching itself.
pub(super) struct Watching {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Watching {
    /// Ends it; what it has started runs on.
    pub(super) async fn end(self) {
        self.stop.send_replace(true);
        // It does not panic; if it did, whatever it has started is known all the same.
        let _ = self.task.await;
    }
}

/// What could not be done.
pub(super) struct Trouble {
    since: Instant,
    why: String,
}

impl Trouble {
    fn new(error: &Error) -> Self {
        Self { since: Instant::now(), why: error.to_string() }
    }

    /// Whether it is too early to try again.
    fn rests(&self) -> bool {
        self.since.elapsed() < REST
    }
}

/// What the watching works with.
pub(super) struct Members {
    pub(super) options: SystemOptions,
    pub(super) data: Data,
    pub(super) ports: Arc<Ports>,
    pub(super) components: Components,
    pub(super) recorder: Arc<Recorder>,
    pub(super) places: Places,
    pub(super) nginx: Process,
    pub(super) writers: Vec<u16>,
    pub(super) came: Came,
    pub(super) running: BTreeMap<String, Running>,
    /// Those that nginx sends reads to.
    pub(super) shown: Vec<String>,
    /// What could not be done for whom, and when.
    pub(super) troubles: BTreeMap<String, Trouble>,
    /// What could not be done for all.
    pub(super) trouble_of_all: Option<Trouble>,
    pub(super) told: String,
}

/// members.json.
#[derive(Serialize)]
struct Told<'a> {
    schema_version: u32,
    replicas: BTreeMap<&'a str, ToldReplica<'a>>,
}

#[derive(Serialize)]
struct ToldReplica<'a> {
    /// `stopped`: nothing of it runs; `running`; `serving`: nginx sends reads there.
    state: &'static str,
    /// What could not be done for it; it is tried again.
    trouble: Option<&'a str>,
}

impl Members {
    /// Says how it stands, and watches from now on.
    pub(super) fn watch(mut self) -> Watching {
        let (stop, mut stopped) = watch::channel(false);
        self.tell();
        let task = tokio::spawn(async move {
            let stopped = async move {
                // When nobody is there any more who could say stop, it stops too.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            tokio::select! {
                () = self.go_on() => {}
                () = stopped => {}
            }
        });
        Watching { stop, task }
    }

    async fn go_on(&mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.look().await;
        }
    }

    async fn look(&mut self) {
        self.start_servers().await;
        let wanted = match wanted(&self.data, &self.options.replicas) {
            Ok(wanted) => wanted,
            Err(error) => {
                self.trouble_of_all = Some(Trouble::new(&error));
                self.tell();
                return;
            }
        };
        self.troubles.retain(|name, _| wanted.get(name).is_some_and(|wanted| *wanted != Wanted::Nothing));
        for (name, wanted) in &wanted {
            let rests = self.troubles.get(name).is_some_and(Trouble::rests);
            if *wanted != Wanted::Nothing && !self.running.contains_key(name) && !rests {
                match self.bring(name).await {
                    Ok(running) => {
                        self.running.insert(name.clone(), running);
                        self.troubles.remove(name);
                    }
                    Err(error) => drop(self.troubles.insert(name.clone(), Trouble::new(&error))),
                }
                self.tell();
            }
        }
        self.show(&wanted).await;
        let gone: Vec<String> = self
            .running
            .keys()
            .filter(|name| wanted.get(*name).is_none_or(|wanted| *wanted == Wanted::Nothing))
            .filter(|name| !self.shown.contains(name))
            .cloned()
            .collect();
        for name in gone {
            self.dismiss(&name).await;
        }
        self.tell();
    }

    /// Servers that were asked for. Whoever asked is told of a failure, and may ask again.
    async fn start_servers(&mut self) {
        for (name, waited) in servers::asked(&self.data).unwrap_or_default() {
            if !waited {
                continue;
            }
            let told = match self.start_server(&name).await {
                Ok(port) => servers::tell(&self.data, &name, &postgres::address(port)),
                Err(error) => servers::tell_failure(&self.data, &name, &error),
            };
            if let Err(error) = told {
                self.trouble_of_all = Some(Trouble::new(&error));
            }
        }
    }

    async fn start_server(&mut self, name: &str) -> Result<u16, Error> {
        let port = self.ports.postgres(self.places.take(name)?);
        let process = format!("postgres-{name}");
        let known = self.options.replicas.iter().any(|initial| initial == name);
        if known || self.came.processes().iter().any(|came| came.name() == process) {
            return Ok(port);
        }
        check_free(port, &process, "--port-base")?;
        let (binaries, data, replica) =
            (self.components.postgres_bin.clone(), self.data.clone(), name.to_owned());
        let spec = tokio::task::spawn_blocking(move || postgres::prepare(&binaries, &data, &replica, port));
        let spec =
            spec.await.unwrap_or_else(|error| Err(Error::Options(format!("it ended early: {error}"))))?;
        self.start(vec![spec]).await?;
        Ok(port)
    }

    /// Starts what belongs to a replica.
    async fn bring(&mut self, name: &str) -> Result<Running, Error> {
        let place = self.places.take(name)?;
        let (folder, data, ports) = (&self.options.binaries, &self.data, &self.ports);
        let mut specs = vec![services::projector(folder, data, name, ports.projector(place))];
        specs.extend(
            (0..self.options.readers)
                .map(|index| services::reader(folder, data, name, ports.reader(place, index), index)),
        );
        for spec in &mut specs {
            spec.environment = self.options.environment_of(&spec.name);
            check_free(spec.port, &spec.name, "--port-base")?;
        }
        let mut processes = self.start(specs).await?;
        let readers = processes.split_off(1);
        let projector = processes.pop().expect("the projector's was the first of them");
        Ok(Running { projector, readers })
    }

    /// Starts processes at once and waits for all. When one fails, none of them stays.
    async fn start(&self, specs: Vec<Spec>) -> Result<Vec<Process>, Error> {
        let mut processes = Vec::new();
        let mut starting = JoinSet::new();
        for spec in specs {
            let recorder = self.recorder.clone();
            let process = Process::new(spec, move || recorder.write());
            if !self.came.add(&process) {
                return Err(Error::Options("the system is going down".to_owned()));
            }
            self.recorder.add(process.clone());
            processes.push(process.clone());
            starting.spawn(async move { process.start().await });
        }
        let started: Result<(), Error> = starting.join_all().await.into_iter().collect();
        if let Err(error) = started {
            for process in &processes {
                self.forget(process).await;
            }
            return Err(error);
        }
        Ok(processes)
    }

    /// Lets nginx know whom to ask.
    async fn show(&mut self, wanted: &BTreeMap<String, Wanted>) {
        let shown: Vec<String> =
            self.running.keys().filter(|name| wanted.get(*name) == Some(&Wanted::Serving)).cloned().collect();
        // With nobody behind it, nginx would refuse its configuration.
        if shown.is_empty() || shown == self.shown {
            self.trouble_of_all = None;
            return;
        }
        if self.trouble_of_all.as_ref().is_some_and(Trouble::rests) {
            return;
        }
        let left = self.shown.iter().any(|name| !shown.contains(name));
        match self.reload(&shown).await {
            Ok(old) => {
                self.shown = shown;
                self.trouble_of_all = None;
                self.tell();
                if left {
                    gone(&old, OLD_WORKERS).await;
                }
            }
            Err(error) => self.trouble_of_all = Some(Trouble::new(&error)),
        }
    }

    /// Answers the workers that were there before.
    async fn reload(&self, shown: &[String]) -> Result<Vec<Identity>, Error> {
        let readers: Vec<u16> = shown
            .iter()
            .filter_map(|name| self.running.get(name))
            .flat_map(|running| running.readers.iter().map(|reader| reader.spec().port))
            .collect();
        let shape = nginx::Shape {
            port: self.ports.nginx(),
            lenient: readers.iter().map(|port| services::lenient_port(*port)).collect(),
            readers,
            writers: self.writers.clone(),
            origins: nginx::origins::listed(&self.options.environment_of("nginx"))?,
        };
        nginx::rewrite(&self.data, &shape)?;
        let Some(master) = self.nginx.snapshot().identity else {
            // Its next start reads it.
            return Ok(vec![]);
        };
        let old = descendants(master.pid);
        master.signal(Signal::HUP);
        let began = Instant::now();
        while descendants(master.pid).iter().all(|worker| old.contains(worker)) {
            if !master.alive() {
                return Ok(vec![]);
            }
            if began.elapsed() > RELOAD {
                return Err(Error::process(
                    "nginx",
                    format!("has not taken up its new configuration within {} s", RELOAD.as_secs()),
                    "look into its log",
                    self.nginx.log(),
                    0,
                ));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(old)
    }

    /// Readers first: then nobody is asked whose projector has stopped.
    async fn dismiss(&mut self, name: &str) {
        let Some(running) = self.running.remove(name) else { return };
        for process in running.readers.iter().chain([&running.projector]) {
            self.forget(process).await;
        }
    }

    async fn forget(&self, process: &Process) {
        process.stop().await;
        self.came.remove(process.name());
        self.recorder.remove(process.name());
    }

    /// Writes members.json when it has changed.
    fn tell(&mut self) {
        let mut replicas = BTreeMap::new();
        for name in self.running.keys().chain(self.troubles.keys()) {
            let state = match self.running.contains_key(name) {
                _ if self.shown.contains(name) => "serving",
                true => "running",
                false => "stopped",
            };
            let trouble = self.troubles.get(name).or(self.trouble_of_all.as_ref());
            let trouble = trouble.map(|trouble| trouble.why.as_str());
            replicas.insert(name.as_str(), ToldReplica { state, trouble });
        }
        let text = serde_json::json!(Told { schema_version: 1, replicas }).to_string();
        if text != self.told && write_atomically(&self.data.members(), &text, 0o644).is_ok() {
            self.told = text;
        }
    }
}

/// Waits until none of them lives, for some time.
async fn gone(processes: &[Identity], within: Duration) {
    let began = Instant::now();
    while processes.iter().any(|process| process.alive()) && began.elapsed() < within {
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
