//! A small disk of its own for a server's files: a tmpfs, taken away when it is dropped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use local::Data;

use crate::row::Stop;

/// Room for the tests' catalogue and some thousand large events.
const SIZE: &str = "size=48m";

/// Room for a replica of the tests' catalogue and its log.
const REPLICA: &str = "size=400m";
/// What takes the room that is left.
const BALLAST: &str = "ballast";

/// A mounted tmpfs.
pub(crate) struct SmallDisk {
    /// The system's data, which cannot be removed while it is mounted.
    data: PathBuf,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it where the store of a system with this data folder will lie.
    ///
    /// # Errors
    /// A row that needs it is skipped where it cannot be mounted.
    pub(crate) fn mount(data: &Path) -> Result<SmallDisk, Stop> {
        let store = Data::new(data).nats().join("store");
        fs::create_dir_all(&store).map_err(|error| skipped(&error.to_string()))?;
        mount(&store, SIZE)?;
        Ok(SmallDisk { data: data.to_owned(), folder: store })
    }

    /// Mounts it where a replica's stopped Postgres has its files, and puts them on it.
    ///
    /// # Errors
    /// As [`SmallDisk::mount`].
    pub(crate) fn under_a_replica(data: &Path, folder: &Path) -> Result<SmallDisk, Stop> {
        let failed = |error: io::Error| Stop::from(format!("a replica cannot be moved: {error}"));
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside).map_err(failed)?;
        fs::create_dir(folder).map_err(failed)?;
        if let Err(stop) = mount(folder, REPLICA) {
            fs::remove_dir(folder).and_then(|()| fs::rename(&aside, folder)).map_err(failed)?;
            return Err(stop);
        }
        let disk = SmallDisk { data: data.to_owned(), folder: folder.to_owned() };
        // Owners and modes with it, those of the folder too.
        said("cp", [OsStr::new("-a"), aside.join(".").as_os_str(), folder.as_os_str()])
            .map_err(Stop::from)?;
        fs::remove_dir_all(&aside).map_err(failed)?;
        Ok(disk)
    }

    /// Takes all the room that is left.
    ///
    /// # Errors
    /// When nothing can be written at all.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut file = File::create(self.folder.join(BALLAST))?;
        let mut size = 1 << 20;
        while size > 0 {
            if file.write_all(&vec![0; size]).is_err() {
                size /= 2;
            }
        }
        Ok(())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When it cannot be.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.folder.join(BALLAST))
    }
}

fn skipped(why: &str) -> Stop {
    Stop::Skipped(format!("a small disk needs root and mount: {why}"))
}

fn mount(folder: &Path, size: &str) -> Result<(), Stop> {
    let arguments = ["-t", "tmpfs", "-o", size, "tmpfs"].map(OsStr::new);
    said("mount", arguments.into_iter().chain([folder.as_os_str()])).map_err(|why| skipped(&why))
}

/// Runs a command; what it said when it failed.
fn said<'a>(command: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<(), String> {
    let output = Command::new(command).args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        if unmounted.is_ok_and(|status| status.success()) {
            // The system could not remove what was mounted.
            let _removed_or_not = Data::new(&self.data).remove();
        }
    }
}
