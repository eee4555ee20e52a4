//! nats-server: configuration and process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::layout::{Data, make_folder, write_atomically};
use crate::ports::{Ports, loopback};
use crate::process::{Renewal, Spec, StopSignal};
use crate::readiness::Ready;
use crate::template::fill;

/// After an error of its disk it answers nothing to publishes until it is started again. Long enough for a new server to
/// read its store, during which it is not well either.
const UNWELL_FOR: Duration = Duration::from_secs(3);
/// One block of a stream's store and some more: with less free space it would stop storing at once.
const ROOM: u64 = 16 << 20;

/// Writes the configuration and says how to run the server.
///
/// # Errors
///
/// [`Error::Io`].
pub fn prepare(binary: &Path, data: &Data, ports: &Ports) -> Result<Spec, Error> {
    let configuration = write_configuration(&data.nats(), ports)?;
    Ok(Spec {
        name: "nats".into(),
        program: binary.to_owned(),
        arguments: vec!["-c".into(), configuration.into()],
        environment: vec![],
        folder: data.nats(),
        log: data.log("nats"),
        port: ports.nats(),
        ready: Ready::Http { address: loopback(ports.nats_monitor()), path: "/healthz".into() },
        account: None,
        stop: StopSignal::Terminate,
        stop_within: Duration::from_secs(15),
        // A large store is read through at the start.
        start_within: Duration::from_secs(60),
        sole_user_of: None,
        renewal: Some(Renewal {
            address: loopback(ports.nats_monitor()),
            path: "/healthz".into(),
            after: UNWELL_FOR,
            folder: data.nats().join("store"),
            room: ROOM,
        }),
        mend: "look into its log; a full disk is the usual reason".into(),
    })
}

/// Writes nats.conf into `folder`.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write_configuration(folder: &Path, ports: &Ports) -> Result<PathBuf, Error> {
    let store = folder.join("store");
    make_folder(&store)?;
    let text = fill(
        include_str!("../../../deploy/nats/nats.conf"),
        &[
            ("port", &ports.nats().to_string()),
            ("monitor_port", &ports.nats_monitor().to_string()),
            ("pid_file", &folder.join("nats.pid").to_string_lossy()),
            ("store_dir", &store.to_string_lossy()),
        ],
    )?;
    let path = folder.join("nats.conf");
    write_atomically(&path, &text, 0o644)?;
    Ok(path)
}
