//! Our own processes: projectors, writers, readers, and the commands that run once.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{Error, log_length};
use crate::layout::Data;
use crate::ports::{Ports, loopback};
use crate::process::{Spec, StopSignal};
use crate::readiness::Ready;

/// A service drains for at most ten seconds.
const STOP_WITHIN: Duration = Duration::from_secs(12);
const START_WITHIN: Duration = Duration::from_secs(60);

/// How to run the projector of a replica.
#[must_use]
pub fn projector(binaries: &Path, data: &Data, replica: &str, operations: u16) -> Spec {
    let arguments = vec!["--replica".into(), replica.into()];
    spec(binaries, data, "projector", format!("projector-{replica}"), arguments, None, operations)
}

/// How to run the `index`-th writer.
#[must_use]
pub fn writer(binaries: &Path, data: &Data, ports: &Ports, index: u16) -> Spec {
    let listen = ports.writer(index);
    spec(binaries, data, "writer", format!("writer-{}", index + 1), vec![], Some(listen), listen + 1)
}

/// How to run the `index`-th reader of a replica.
#[must_use]
pub fn reader(binaries: &Path, data: &Data, replica: &str, listen: u16, index: u16) -> Spec {
    let name =
        if index == 0 { format!("reader-{replica}") } else { format!("reader-{replica}-{}", index + 1) };
    let lenient = loopback(lenient_port(listen)).to_string();
    let arguments = vec!["--replica".into(), replica.into(), "--lenient".into(), lenient.into()];
    spec(binaries, data, "reader", name, arguments, Some(listen), listen + 2)
}

/// The lenient port of a reader whose strict one this is.
#[must_use]
pub fn lenient_port(strict: u16) -> u16 {
    strict + 1
}

fn spec(
    binaries: &Path,
    data: &Data,
    binary: &str,
    name: String,
    own: Vec<OsString>,
    listen: Option<u16>,
    operations: u16,
) -> Spec {
    let mut arguments: Vec<OsString> = vec!["run".into(), "--config".into(), data.config().into()];
    arguments.extend(own);
    if let Some(port) = listen {
        arguments.extend(["--listen".into(), loopback(port).to_string().into()]);
    }
    arguments.extend(["--operations".into(), loopback(operations).to_string().into()]);
    Spec {
        log: data.log(&name),
        name,
        program: binaries.join(binary),
        arguments,
        environment: vec![],
        folder: data.root().to_owned(),
        port: listen.unwrap_or(operations),
        ready: Ready::Http { address: loopback(operations), path: "/readyz".into() },
        account: None,
        stop: StopSignal::Terminate,
        stop_within: STOP_WITHIN,
        start_within: START_WITHIN,
        sole_user_of: None,
        renewal: None,
        mend: "the log says what it needs".into(),
    }
}

/// Runs one of our commands to its end, output to its log.
///
/// Blocks.
///
/// # Errors
///
/// [`Error::Process`] when it does not end with 0.
pub fn run_once(
    data: &Data,
    name: &str,
    program: &Path,
    arguments: &[&str],
    environment: &[(String, String)],
) -> Result<(), Error> {
    let log = data.log(name);
    let logged_before = log_length(&log);
    let open = || fs::OpenOptions::new().create(true).append(true).open(&log);
    let (out, error) = open()
        .and_then(|file| Ok((file.try_clone()?, file)))
        .map_err(Error::io(format!("open {}", log.display())))?;
    let status = Command::new(program)
        .args(arguments)
        .arg("--config")
        .arg(data.config())
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .current_dir(data.root())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(error)
        .status()
        .map_err(Error::io(format!("run {}", program.display())))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::process(name, format!("failed ({status})"), "the log says what it needs", &log, logged_before))
}
