//! What lies where in a system's data folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::account::{self, Account};
use crate::error::Error;

/// One system's data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    root: PathBuf,
}

impl Data {
    /// The folder need not exist yet; a relative path is taken from the current folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: std::path::absolute(root).unwrap_or_else(|_| root.to_owned()) }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The configuration of all services.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("atelier.toml")
    }

    /// Who runs: pids, ports, restarts.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// The ports that this system uses each time.
    #[must_use]
    pub fn ports(&self) -> PathBuf {
        self.root.join("ports.json")
    }

    /// Held by whoever supervises the system.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The pieces of the configuration: replicas that came or went since the start.
    #[must_use]
    pub fn pieces(&self) -> PathBuf {
        self.root.join("replicas.d")
    }

    /// What the supervisor runs for which replica, for whoever adds or drops one.
    #[must_use]
    pub fn members(&self) -> PathBuf {
        self.root.join("members.json")
    }

    /// The Postgres servers that were asked for beyond those of the start.
    #[must_use]
    pub fn servers(&self) -> PathBuf {
        self.root.join("postgres.d")
    }

    /// Each replica's place among the ports.
    #[must_use]
    pub fn places(&self) -> PathBuf {
        self.root.join("places.json")
    }

    /// What was imported at the first start.
    #[must_use]
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.json")
    }

    /// The folder of all logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// One process's log.
    #[must_use]
    pub fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// nats-server's configuration and store.
    #[must_use]
    pub fn nats(&self) -> PathBuf {
        self.root.join("nats")
    }

    /// nginx's configuration.
    #[must_use]
    pub fn nginx(&self) -> PathBuf {
        self.root.join("nginx")
    }

    /// Copies of our binaries, which a rebuild does not touch.
    #[must_use]
    pub fn binaries(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// A replica's passwords, one file a role.
    #[must_use]
    pub fn passwords(&self, replica: &str) -> PathBuf {
        self.root.join("passwords").join(replica)
    }

    /// The keys that `projector init` makes.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Where an account's files lie: here if it may enter, else in a folder under /var/tmp that belongs to this system and
    /// is removed with it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn folder_for(&self, account: Option<&Account>) -> Result<PathBuf, Error> {
        let Some(account) = account else {
            return Ok(self.root.clone());
        };
        if account.may_enter(&self.root) {
            return Ok(self.root.clone());
        }
        let digest = Sha256::digest(self.root.as_os_str().as_encoded_bytes());
        let folder = account::outside_folder(&data_encoding::HEXLOWER.encode(&digest[..6]))?;
        fs::write(self.outside(), folder.as_os_str().as_encoded_bytes())
            .map_err(Error::io(format!("write {}", self.outside().display())))?;
        Ok(folder)
    }

    /// Makes the folders that every start needs.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn prepare(&self) -> Result<(), Error> {
        make_folder(&self.root)?;
        make_folder(&self.logs())?;
        for private in [self.root.join("passwords"), self.keys()] {
            make_folder(&private)?;
            fs::set_permissions(&private, fs::Permissions::from_mode(0o700))
                .map_err(Error::io(format!("close {}", private.display())))?;
        }
        Ok(())
    }

    /// Removes the system's data, wherever it lies.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn remove(&self) -> Result<(), Error> {
        if let Ok(outside) = fs::read_to_string(self.outside()) {
            let outside = PathBuf::from(outside);
            if outside.parent() == Some(Path::new("/var/tmp")) {
                remove_folder(&outside)?;
            }
        }
        remove_folder(&self.root)
    }

    fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }
}

/// Makes a folder and those above it.
///
/// # Errors
///
/// [`Error::Io`].
pub fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io(format!("make {}", folder.display())))
}

/// Writes a file beside its place and moves it there, so that a reader sees the old or the new one.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write_atomically(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let beside = path.with_extension(format!("new-{}", std::process::id()));
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(Error::io(format!("write {}", path.display())))
}

fn remove_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("remove {}", folder.display()))(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_lies_outside_is_removed_too_but_only_under_var_tmp() {
        let folder = crate::TemporaryFolder::new("layout").unwrap();
        let data = Data::new(&folder.path().join("data"));
        let precious = folder.path().join("precious");
        data.prepare().unwrap();
        make_folder(&precious).unwrap();
        fs::write(data.outside(), precious.as_os_str().as_encoded_bytes()).unwrap();
        data.remove().unwrap();
        assert!(!data.root().exists());
        assert!(precious.exists());
    }
}
