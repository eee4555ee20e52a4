//! The start of a system, stage by stage.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::{Stage, System, SystemOptions};
use crate::components::Components;
use crate::error::Error;
use crate::layout::Data;
use crate::ports::{MOST_READERS, MOST_REPLICAS, MOST_WRITERS, Ports, check_free, loopback};
use crate::process::{Process, Spec};
use crate::record::{Record, Recorder};
use crate::{binaries, leftovers, nats, nginx, postgres, services, settings};

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
    let ports = Ports::choose(&data, options.port, options.port_base)?;
    check_ports(&options, &ports)?;
    ports.remember(&data)?;
    settings::write(&data, &ports, &options.replicas)?;

    let url = format!("http://{}", loopback(ports.nginx()));
    let recorder = Arc::new(Recorder::new(data.clone(), url)?);
    let mut system = System { options, data, ports, components, recorder, processes: vec![], _lock: lock };
    match bring_up(&mut system, report).await {
        Ok(()) => Ok(system),
        Err(error) => {
            system.stop_processes().await;
            Err(error)
        }
    }
}

async fn bring_up(system: &mut System, report: Report<'_>) -> Result<(), Error> {
    stage("nats and postgres", report, start_servers(system)).await?;

    let (data, environment) = (system.data.clone(), system.options.environment_of("init"));
    let projector = system.options.binaries.join("projector");
    let init =
        blocking(move || services::run_once(&data, "projector-init", &projector, &["init"], &environment));
    stage("stream and schema", report, init).await?;

    stage("services", report, start_services(system)).await?;

    stage("nginx", report, async {
        let of = |kind: &str| -> Vec<u16> {
            system.processes.iter().filter(|p| p.name().starts_with(kind)).map(|p| p.spec().port).collect()
        };
        let shape = nginx::Shape {
            port: system.ports.nginx(),
            readers: of("reader"),
            lenient: of("reader").into_iter().map(services::lenient_port).collect(),
            writers: of("writer"),
            origins: nginx::origins::listed(&system.options.environment_of("nginx"))?,
        };
        let spec = nginx::prepare(&system.components.nginx, &system.data, &shape)?;
        start_all(system, vec![spec]).await
    })
    .await
}

/// nats-server and all Postgres clusters at once.
async fn start_servers(system: &mut System) -> Result<(), Error> {
    let mut clusters = JoinSet::new();
    for (replica, index) in system.options.replicas.clone().into_iter().zip(0..) {
        let (binaries, data) = (system.components.postgres_bin.clone(), system.data.clone());
        let port = system.ports.postgres(index);
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
async fn start_services(system: &mut System) -> Result<(), Error> {
    let (folder, data, ports, options) =
        (&system.options.binaries, &system.data, &system.ports, &system.options);
    let replicas = || options.replicas.iter().zip(0..);
    let mut specs: Vec<Spec> = replicas()
        .map(|(replica, index)| services::projector(folder, data, replica, ports.projector(index)))
        .collect();
    specs.extend((0..options.writers).map(|index| services::writer(folder, data, ports, index)));
    for (replica, index) in replicas() {
        for reader in 0..options.readers {
            specs.push(services::reader(folder, data, replica, ports.reader(index, reader), reader));
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
        let plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !plain || options.replicas[..index].contains(name) {
            return Err(Error::Options(format!(
                "the replica name `{name}` is not possible: each is of lower-case letters and digits, and only once"
            )));
        }
    }
    Ok(())
}

fn check_ports(options: &SystemOptions, ports: &Ports) -> Result<(), Error> {
    check_free(ports.nginx(), "nginx", "--port")?;
    check_free(ports.nats(), "nats", "--port-base")?;
    check_free(ports.nats_monitor(), "nats's monitor", "--port-base")?;
    for index in 0..options.writers {
        check_free(ports.writer(index), "the writer", "--port-base")?;
        check_free(ports.writer(index) + 1, "the writer's operations", "--port-base")?;
    }
    for (replica, index) in options.replicas.iter().zip(0..) {
        check_free(ports.postgres(index), &format!("postgres-{replica}"), "--port-base")?;
        check_free(ports.projector(index), &format!("projector-{replica}"), "--port-base")?;
        for reader in 0..options.readers {
            let strict = ports.reader(index, reader);
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
