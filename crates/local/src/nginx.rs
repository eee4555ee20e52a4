//! nginx: configuration, the page that it serves, and process.

pub(crate) mod origins;
mod page;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::account::{self, Account};
use crate::error::Error;
use crate::layout::{Data, make_folder, write_atomically};
use crate::ports::loopback;
use crate::process::{Spec, StopSignal};
use crate::readiness::Ready;
use crate::template::fill;

/// More workers than this only take the cores from the readers on one machine.
const MOST_WORKERS: usize = 2;
/// Reads that one of a reader's listeners has at a time. What comes beyond is refused by nginx itself, which costs next to
/// nothing: a reader that refuses takes as much of the processor for it as for an answer. Low: refusals in a short burst;
/// high: slow answers under overload.
const READS_AT_A_TIME: usize = 56;
/// The same of its lenient listener, which is asked in trouble alone.
const LENIENT_READS_AT_A_TIME: usize = 128;
/// The same of reads that demand a position: they wait for it, and cost nothing meanwhile.
const DEMANDING_READS_AT_A_TIME: usize = 1_024;
/// Writes that one writer has at a time. They wait for a commit together, and cost little meanwhile.
const WRITES_AT_A_TIME: usize = 320;

/// Who is behind nginx, and where it listens.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its own port.
    pub port: u16,
    /// The readers' strict ports.
    pub readers: Vec<u16>,
    /// Their lenient ones, asked when no strict one has answered.
    pub lenient: Vec<u16>,
    /// The writers' ports.
    pub writers: Vec<u16>,
    /// The origins whose pages may send cookies.
    pub origins: Vec<String>,
}

/// Writes the configuration and says how to run the server.
///
/// # Errors
///
/// [`Error::Io`].
pub fn prepare(binary: &Path, data: &Data, shape: &Shape) -> Result<Spec, Error> {
    let account = account::unprivileged(&["nobody", "www-data", "nginx"])?;
    let open = data.folder_for(account.as_ref())?;
    let configuration =
        write_configuration(&data.nginx(), &data.log("access"), &open, account.as_ref(), shape)?;
    Ok(Spec {
        name: "nginx".into(),
        program: binary.to_owned(),
        arguments: vec![
            "-e".into(),
            "stderr".into(),
            "-p".into(),
            data.nginx().into(),
            "-c".into(),
            configuration.into(),
        ],
        environment: vec![],
        folder: data.nginx(),
        log: data.log("nginx"),
        port: shape.port,
        ready: Ready::Tcp { address: loopback(shape.port) },
        // As root its master stays root, and gives its workers the account that its configuration names.
        account: None,
        stop: StopSignal::Quit,
        stop_within: Duration::from_secs(10),
        start_within: Duration::from_secs(10),
        sole_user_of: None,
        renewal: None,
        mend: "look into its log".into(),
    })
}

/// Writes nginx.conf and what it includes into `folder`, and the storefront page into `open`, a folder that nginx's
/// workers may enter.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write_configuration(
    folder: &Path,
    access_log: &Path,
    open: &Path,
    account: Option<&Account>,
    shape: &Shape,
) -> Result<PathBuf, Error> {
    make_folder(folder)?;
    // nginx makes the folders in it and gives them to its workers.
    let temporary = open.join("nginx-temporary");
    make_folder(&temporary)?;
    let www = open.join("www");
    page::write(&www.join("shop"))?;
    let place = folder.to_string_lossy();
    let main = main_text(folder, access_log, &temporary, account, shape)?;
    let shop = fill(
        include_str!("../../../deploy/nginx/shop.conf"),
        &[("folder", &place), ("www", &www.to_string_lossy())],
    )?;
    let origins = origins::text(&shape.origins)?;
    let problems = fill(include_str!("../../../deploy/nginx/problems.conf"), &[("folder", &place)])?;
    for (name, text) in [
        ("targets.conf", include_str!("../../../deploy/nginx/targets.conf")),
        ("upstream.conf", include_str!("../../../deploy/nginx/upstream.conf")),
        ("problem_headers.conf", include_str!("../../../deploy/nginx/problem_headers.conf")),
        ("shop_headers.conf", include_str!("../../../deploy/nginx/shop_headers.conf")),
        ("origins.conf", &origins),
        ("shop.conf", &shop),
        ("problems.conf", &problems),
        ("nginx.conf", &main),
    ] {
        write_atomically(&folder.join(name), text, 0o644)?;
    }
    Ok(folder.join("nginx.conf"))
}

/// Writes nginx.conf alone anew, for a server that runs: who is behind it has changed, and it takes that up when it is told to.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn rewrite(data: &Data, shape: &Shape) -> Result<(), Error> {
    let account = account::unprivileged(&["nobody", "www-data", "nginx"])?;
    let temporary = data.folder_for(account.as_ref())?.join("nginx-temporary");
    let main = main_text(&data.nginx(), &data.log("access"), &temporary, account.as_ref(), shape)?;
    write_atomically(&data.nginx().join("nginx.conf"), &main, 0o644)
}

fn main_text(
    folder: &Path,
    access_log: &Path,
    temporary: &Path,
    account: Option<&Account>,
    shape: &Shape,
) -> Result<String, Error> {
    let servers = |ports: &[u16], at_a_time: usize, role: &str| {
        let line = |port: &u16| {
            format!("        server {} max_fails=0 max_conns={at_a_time}{role};", loopback(*port))
        };
        ports.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
    fill(
        include_str!("../../../deploy/nginx/nginx.conf"),
        &[
            (
                "user",
                &account.map_or(String::new(), |account| format!("user {} {};", account.name, account.group)),
            ),
            // Whoever refuses for all must come to it at once. Only root may ask for that.
            ("priority", account.map_or("", |_| "worker_priority -5;")),
            ("workers", &workers.to_string()),
            ("pid_file", &folder.join("nginx.pid").to_string_lossy()),
            ("folder", &folder.to_string_lossy()),
            ("access_log", &access_log.to_string_lossy()),
            ("temporary", &temporary.to_string_lossy()),
            ("readers", &servers(&shape.readers, READS_AT_A_TIME, "")),
            ("lenient", &servers(&shape.lenient, LENIENT_READS_AT_A_TIME, "")),
            ("demanding", &servers(&shape.readers, DEMANDING_READS_AT_A_TIME, "")),
            ("demanding_lenient", &servers(&shape.lenient, DEMANDING_READS_AT_A_TIME, " backup")),
            ("writers", &servers(&shape.writers, WRITES_AT_A_TIME, "")),
            ("listen", &loopback(shape.port).to_string()),
        ],
    )
}
