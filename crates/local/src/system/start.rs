//! The start of a system, stage by stage.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::members::{Came, Members, Running};
use super::{Stage, System, SystemOptions};
use crate::components::Components;
use crate::error::Error;
use crate::layout::Data;
use crate::ports::{MOST_READERS, MOST_REPLICAS, MOST_WRITERS, Ports, check_free, loopback};
use crate::process::{Process, Spec};
use crate::record::{Record, Recorder};
use crate::roster::{self, Places, Wanted};
use crate::{binaries, leftovers, nats, nginx, postgres, servers, services, settings};

type Report<'a> = &'a mut (dyn FnMut(Stage) + Send);

pub(super) async fn start(options: SystemOptions, report: Report<'_>) -> Result<System, Error> {
    check(&options)?;
    let data = Data::new(&options.data);
    data.prepare()?;
    let lock = File::create(data.lock()).map_err(Error::io(format!("make {}", data.lock().display())))?;
    if lock.try_lock().is_err() {
        return Err(Error::Running { data: data.root().to_owned() });
    }
    if let Some(record) = Record::read(&data) {
        let _ = blocking(move || Ok(leftovers::stop(&record))).await?;
    }

    let sources = options.components.clone();
    let components = stage("components", report, blocking(move || Components::get(&sources))).await?;
    let plan = Plan::make(&options, &data)?;
    let last: Vec<Option<u16>> = (0..MOST_REPLICAS).map(|place| Ports::last_postgres(&data, place)).collect();
    let ports = Arc::new(Ports::choose(&data, options.port, options.port_base)?);
    check_ports(&options, &plan, &ports)?;
    ports.remember(&data)?;
    settings::write(&data, &ports, &options.replicas)?;
    let moved = last.into_iter().zip(0..).filter_map(|(old, place)| Some((old?, ports.postgres(place))));
    roster::follow_ports(&data, &moved.collect::<Vec<_>>())?;

    let url = format!("http://{}", loopback(ports.nginx()));
    let recorder = Arc::new(Recorder::new(data.clone(), url)?);
    let (processes, came, watching) = (vec![], Came::default(), None);
    let mut system =
        System { options, data, ports, components, recorder, processes, came, watching, _lock: lock };
    match bring_up(&mut system, &plan, report).await {
        Ok(()) => {
            system.watching = Some(members(&system, plan).watch());
            Ok(system)
        }
        Err(error) => {
            system.stop_processes().await;
            Err(error)
        }
    }
}

/// Which replicas and servers there are at the start.
struct Plan {
    places: Places,
    wanted: BTreeMap<String, Wanted>,
    /// Postgres servers by their replicas' names.
    servers: Vec<String>,
    /// Those of them that were asked for since the first start.
    asked: Vec<String>,
}

impl Plan {
    fn make(options: &SystemOptions, data: &Data) -> Result<Self, Error> {
        let wanted = roster::wanted(data, &options.replicas)?;
        let asked: Vec<String> = servers::asked(data)?.into_iter().map(|(name, _)| name).collect();
        let mut places = Places::of(data, &options.replicas);
        let initial = |name: &str| options.replicas.iter().any(|initial| initial == name);
        let runs = |name: &str| wanted.get(name).is_some_and(|wanted| *wanted != Wanted::Nothing);
        places.retain(|name| initial(name) || runs(name) || asked.iter().any(|asked| asked == name))?;
        for name in asked.iter().chain(wanted.keys().filter(|name| runs(name))) {
            places.take(name)?;
        }
        let more = asked.iter().filter(|name| !initial(name)).cloned();
        let servers = options.replicas.iter().cloned().chain(more).collect();
        Ok(Self { places, wanted, servers, asked })
    }

    /// Replicas of which a projector and readers run, with their places.
    fn running(&self) -> Vec<(&String, u16)> {
        let running = self.wanted.iter().filter(|(_, wanted)| **wanted != Wanted::Nothing);
        running.filter_map(|(name, _)| Some((name, self.places.get(name)?))).collect()
    }
}

/// What watches over replicas that come and go.
fn members(system: &System, plan: Plan) -> Members {
    let find = |name: &str| system.processes.iter().find(|process| process.name() == name).cloned();
    let readers_of = |replica: &str| {
        let first = format!("reader-{replica}");
        let more = format!("{first}-");
        let of = |process: &&Process| process.name() == first || process.name().starts_with(&more);
        system.processes.iter().filter(of).cloned().collect()
    };
    let running = plan.running().into_iter().filter_map(|(name, _)| {
        Some((
            name.clone(),
            Running { projector: find(&format!("projector-{name}"))?, readers: readers_of(name) },
        ))
    });
    let running: BTreeMap<String, Running> = running.collect();
    let shown = running.keys().filter(|name| plan.wanted.get(*name) == Some(&Wanted::Serving)).cloned();
    Members {
        options: system.options.clone(),
        data: system.data.clone(),
        ports: system.ports.clone(),
        components: system.components.clone(),
        recorder: system.recorder.clone(),
        nginx: find("nginx").expect("it was started"),
        writers: (0..system.options.writers).map(|index| system.ports.writer(index)).collect(),
        came: system.came.clone(),
        shown: shown.collect(),
        running,
        places: plan.places,
        troubles: BTreeMap::new(),
        trouble_of_all: None,
        told: String::new(),
    }
}

async fn bring_up(system: &mut System, plan: &Plan, report: Report<'_>) -> Result<(), Error> {
    stage("nats and postgres", report, start_servers(system, plan)).await?;
    for name in &plan.asked {
        let place = plan.places.get(name).expect("whoever asked for a server has a place");
        servers::tell(&system.data, name, &postgres::address(system.ports.postgres(place)))?;
    }

    let (data, environment) = (system.data.clone(), system.options.environment_of("init"));
    let projector = system.options.binaries.join("projector");
    let init =
        blocking(move || services::run_once(&data, "projector-init", &projector, &["init"], &environment));
    stage("stream and schema", report, init).await?;

    stage("services", report, start_services(system, plan)).await?;

    stage("nginx", report, async {
        let serving = plan.running().into_iter().filter(|(name, _)| plan.wanted[*name] == Wanted::Serving);
        let readers: Vec<u16> = serving
            .flat_map(|(_, place)| (0..system.options.readers).map(move |index| (place, index)))
            .map(|(place, index)| system.ports.reader(place, index))
            .collect();
        let shape = nginx::Shape {
            port: system.ports.nginx(),
            lenient: readers.iter().map(|port| services::lenient_port(*port)).collect(),
            readers,
            writers: (0..system.options.writers).map(|index| system.ports.writer(index)).collect(),
            origins: nginx::origins::listed(&system.options.environment_of("nginx"))?,
        };
        let spec = nginx::prepare(&system.components.nginx, &system.data, &shape)?;
        start_all(system, vec![spec]).await
    })
    .await
}

/// nats-server and all Postgres clusters at once.
async fn start_servers(system: &mut System, plan: &Plan) -> Result<(), Error> {
    let mut clusters = JoinSet::new();
    for replica in plan.servers.clone() {
        let (binaries, data) = (system.components.postgres_bin.clone(), system.data.clone());
        let port = system.ports.postgres(plan.places.get(&replica).expect("each server has a place"));
        clusters.spawn_blocking(move || postgres::prepare(&binaries, &data, &replica, port));
    }
    let mut specs = vec![nats::prepare(&system.components.nats_server, &system.data, &system.ports)?];
    for cluster in clusters.join_all().await {
        specs.push(cluster?);
    }
    specs[1..].sort_by(|one, other| one.name.cmp(&other.name));
    start_all(system, specs).await
}

/// Projectors, writers and readers at once: each verifies for itself what it needs.
async fn start_services(system: &mut System, plan: &Plan) -> Result<(), Error> {
    let (folder, data, ports, options) =
        (&system.options.binaries, &system.data, &system.ports, &system.options);
    let mut specs: Vec<Spec> = plan
        .running()
        .into_iter()
        .map(|(replica, place)| services::projector(folder, data, replica, ports.projector(place)))
        .collect();
    specs.extend((0..options.writers).map(|index| services::writer(folder, data, ports, index)));
    for (replica, place) in plan.running() {
        for reader in 0..options.readers {
            specs.push(services::reader(folder, data, replica, ports.reader(place, reader), reader));
        }
    }
    for spec in &mut specs {
        spec.environment = options.environment_of(&spec.name);
    }
    start_all(system, specs).await
}

/// Starts processes at once and waits for all; the first error is returned when each has started or failed.
async fn start_all(system: &mut System, specs: Vec<Spec>) -> Result<(), Error> {
    let mut starting = JoinSet::new();
    for spec in specs {
        let recorder = system.recorder.clone();
        let process = Process::new(spec, move || recorder.write());
        system.recorder.add(process.clone());
        system.processes.push(process.clone());
        starting.spawn(async move { process.start().await });
    }
    starting.join_all().await.into_iter().collect()
}

fn check(options: &SystemOptions) -> Result<(), Error> {
    binaries::check(&options.binaries)?;
    let within = |what: &str, count: usize, most: u16| {
        if count == 0 || count > usize::from(most) {
            return Err(Error::Options(format!("{count} {what} is not possible: 1 to {most}")));
        }
        Ok(())
    };
    within("replicas", options.replicas.len(), MOST_REPLICAS)?;
    within("readers for each replica", options.readers.into(), MOST_READERS)?;
    within("writers", options.writers.into(), MOST_WRITERS)?;
    for (index, name) in options.replicas.iter().enumerate() {
        if !servers::is_plain(name) || options.replicas[..index].contains(name) {
            return Err(Error::Options(format!(
                "the replica name `{name}` is not possible: each is of lower-case letters and digits, and only once"
            )));
        }
    }
    Ok(())
}

fn check_ports(options: &SystemOptions, plan: &Plan, ports: &Ports) -> Result<(), Error> {
    check_free(ports.nginx(), "nginx", "--port")?;
    check_free(ports.nats(), "nats", "--port-base")?;
    check_free(ports.nats_monitor(), "nats's monitor", "--port-base")?;
    for index in 0..options.writers {
        check_free(ports.writer(index), "the writer", "--port-base")?;
        check_free(ports.writer(index) + 1, "the writer's operations", "--port-base")?;
    }
    for replica in &plan.servers {
        let place = plan.places.get(replica).expect("each server has a place");
        check_free(ports.postgres(place), &format!("postgres-{replica}"), "--port-base")?;
    }
    for (replica, place) in plan.running() {
        check_free(ports.projector(place), &format!("projector-{replica}"), "--port-base")?;
        for reader in 0..options.readers {
            let strict = ports.reader(place, reader);
            for (port, what) in [
                (strict, "reader"),
                (services::lenient_port(strict), "lenient reader"),
                (strict + 2, "reader's operations"),
            ] {
                check_free(port, &format!("{what} of replica {replica}"), "--port-base")?;
            }
        }
    }
    Ok(())
}

async fn stage<T>(
    name: &str,
    report: Report<'_>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let started = Instant::now();
    report(Stage::Began(name.to_owned()));
    let outcome = work.await?;
    report(Stage::Ended(name.to_owned(), started.elapsed()));
    Ok(outcome)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Options(format!("a task of the start ended early: {error}"))))
}
