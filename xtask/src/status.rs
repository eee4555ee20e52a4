//! `cargo xtask status`.

pub(crate) mod replicas;

use std::io::Write;

use clap::Args;
use comfy_table::{Table, presets};
use local::record::RecordedProcess;
use local::{Record, kernel};
use serde::Serialize;

use crate::SystemArguments;
use crate::error::Error;
use replicas::{Replica, Replicas};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    system: SystemArguments,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Status {
    schema_version: u32,
    url: String,
    processes: Vec<ProcessStatus>,
    /// Null when the projector's command could not tell.
    replicas: Option<Replicas>,
}

#[derive(Serialize)]
struct ProcessStatus {
    name: String,
    pid: Option<u32>,
    port: u16,
    /// `ready`, or what is wrong in words.
    health: String,
    ready: bool,
    restarts: u32,
    memory_bytes: Option<u64>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Error> {
    let data = arguments.system.data();
    let typed = arguments.system.as_typed();
    let record = Record::read(&data).ok_or_else(|| {
        Error::said(format!("nothing runs in {}; start it with cargo xtask up{typed}", data.root().display()))
    })?;
    if !record.is_running() {
        return Err(Error::said(format!(
            "the supervisor of {} is gone without stopping its processes; stop them with cargo xtask down{typed}",
            data.root().display()
        )));
    }
    let mut processes = Vec::new();
    for process in &record.processes {
        processes.push(look_at(process).await);
    }
    let (replicas, why) = match replicas::read(&data).await {
        Ok(replicas) => (Some(replicas), String::new()),
        Err(why) => (None, why),
    };
    let status = Status { schema_version: 1, url: record.url, processes, replicas };
    let text = if arguments.json {
        serde_json::to_string_pretty(&status).map_err(|error| Error::said(error.to_string()))?
    } else {
        let replicas = match &status.replicas {
            Some(replicas) => replica_table(replicas).to_string(),
            None => format!("the replicas' state is unknown: {why}"),
        };
        format!("{}\n{}\n\n{replicas}", status.url, process_table(&status.processes))
    };
    // Whoever reads may have seen enough and gone, as `head` does.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

async fn look_at(process: &RecordedProcess) -> ProcessStatus {
    let alive = process.identity.filter(|identity| identity.alive());
    let health = match alive {
        Some(_) => process.ready.check().await.err().unwrap_or_else(|| "ready".to_owned()),
        None => match &process.last_end {
            Some(end) => format!("{} (it {end})", process.phase),
            None => process.phase.to_string(),
        },
    };
    ProcessStatus {
        name: process.name.clone(),
        pid: alive.map(|identity| identity.pid),
        port: process.port,
        ready: health == "ready",
        health,
        restarts: process.restarts,
        memory_bytes: alive.and_then(|identity| kernel::memory_bytes(identity.pid)),
    }
}

fn process_table(processes: &[ProcessStatus]) -> Table {
    let mut table = new_table(&["process", "pid", "port", "health", "restarts", "memory"]);
    for process in processes {
        table.add_row([
            process.name.clone(),
            process.pid.map_or("none".to_owned(), |pid| pid.to_string()),
            process.port.to_string(),
            process.health.clone(),
            process.restarts.to_string(),
            process.memory_bytes.map_or("unknown".to_owned(), |bytes| format!("{} MB", bytes >> 20)),
        ]);
    }
    table
}

fn replica_table(status: &Replicas) -> Table {
    let mut table = new_table(&["replica", "state", "position", "behind", "seconds", "why"]);
    let unknown = || "unknown".to_owned();
    for Replica { name, state, position, behind_events, behind_seconds, why, .. } in &status.replicas {
        table.add_row([
            name.clone(),
            state.clone(),
            position.map_or_else(unknown, |position| position.to_string()),
            behind_events.map_or_else(unknown, |events| format!("{events} events")),
            behind_seconds.map_or_else(unknown, |seconds| format!("{seconds:.1} s")),
            if why.is_empty() { "nothing to say".to_owned() } else { why.clone() },
        ]);
    }
    table
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_said_in_words() {
        let unknown = Replica {
            name: "a".into(),
            state: "unknown".into(),
            position: None,
            behind_events: None,
            behind_seconds: None,
            why: String::new(),
            import: None,
        };
        let shown = replica_table(&Replicas { epoch: String::new(), head: None, replicas: vec![unknown] })
            .to_string();
        let row: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row, ["a", "unknown", "unknown", "unknown", "unknown", "nothing", "to", "say"]);
    }
}
