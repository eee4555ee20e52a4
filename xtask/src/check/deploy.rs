//! The configurations of nats-server and nginx are read by their real consumers; that of Postgres is by every start.

use std::path::Path;
use std::process::{Command, Stdio};

use local::components::{Components, Sources};
use local::ports::Ports;
use local::{Data, TemporaryFolder, account, nats, nginx};

use crate::checkout;
use crate::error::Error;

/// `nats-server -t` and `nginx -t` on what a system of two replicas gets.
pub(super) fn check() -> Result<(), Error> {
    let components = Components::get(&Sources { folder: checkout::components(), ..Sources::default() })?;
    let folder = TemporaryFolder::new("check")?;
    let data = Data::new(folder.path());
    let ports = Ports::choose(&data, None, None)?;

    let configuration = nats::write_configuration(&data.nats(), &ports)?;
    consume(&components.nats_server, &["-t".as_ref(), "-c".as_ref(), &configuration])?;

    let shape = nginx::Shape {
        port: ports.nginx(),
        readers: vec![ports.reader(0, 0), ports.reader(1, 0)],
        lenient: vec![ports.reader(0, 0) + 1, ports.reader(1, 0) + 1],
        writers: vec![ports.writer(0)],
        origins: vec!["https://shop.example".to_owned()],
    };
    let workers = account::unprivileged(&["nobody"])?;
    let (place, log) = (data.nginx(), folder.path().join("access.log"));
    let configuration =
        nginx::write_configuration(&place, &log, &folder.path().join("temporary"), workers.as_ref(), &shape)?;
    consume(
        &components.nginx,
        &[
            "-t".as_ref(),
            "-q".as_ref(),
            "-e".as_ref(),
            "stderr".as_ref(),
            "-p".as_ref(),
            &place,
            "-c".as_ref(),
            &configuration,
        ],
    )
}

fn consume(binary: &Path, arguments: &[&Path]) -> Result<(), Error> {
    let output = Command::new(binary)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::said(format!("{} does not run: {error}", binary.display())))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(Error::said(format!("{} refuses its configuration", binary.display())))
}
