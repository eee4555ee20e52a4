//! A small disk of its own for nats-server's store: a tmpfs, taken away when it is dropped.

use std::path::{Path, PathBuf};
use std::process::Command;

use local::Data;

use crate::row::Stop;

/// Room for the tests' catalogue and some thousand large events.
const SIZE: &str = "size=48m";

/// A mounted tmpfs.
pub(crate) struct SmallDisk {
    data: PathBuf,
    store: PathBuf,
}

impl SmallDisk {
    /// Mounts it where the store of a system with this data folder will lie.
    ///
    /// # Errors
    /// A row that needs it is skipped where it cannot be mounted.
    pub(crate) fn mount(data: &Path) -> Result<SmallDisk, Stop> {
        let skipped = |why: String| Stop::Skipped(format!("a small disk needs root and mount: {why}"));
        let store = Data::new(data).nats().join("store");
        std::fs::create_dir_all(&store).map_err(|error| skipped(error.to_string()))?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&store).output();
        let mounted = mounted.map_err(|error| skipped(error.to_string()))?;
        if !mounted.status.success() {
            return Err(skipped(String::from_utf8_lossy(&mounted.stderr).trim().to_owned()));
        }
        Ok(SmallDisk { data: data.to_owned(), store })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.store).status();
        if unmounted.is_ok_and(|status| status.success()) {
            // The system could not remove what was mounted.
            let _removed_or_not = Data::new(&self.data).remove();
        }
    }
}
