//! What the private system's data lies on: an fsync means something on a disk alone.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The type of the file system that holds `path`, as the kernel names it; `unknown` where it does not tell.
pub(crate) fn file_system(path: &Path) -> String {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    find(&mounts, &path).unwrap_or("unknown").to_owned()
}

/// Whether it lives in memory, where an fsync costs nothing and saves nothing.
pub(crate) fn is_memory(file_system: &str) -> bool {
    matches!(file_system, "tmpfs" | "ramfs")
}

/// Counts the flushes of a disk.
pub(crate) struct Flushes {
    /// The kernel's counters of the disk.
    counters: PathBuf,
}

/// Flushes since a moment.
pub(crate) struct Counting<'a> {
    flushes: &'a Flushes,
    before: Option<u64>,
    since: Instant,
}

impl Flushes {
    /// Of the disk that holds `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let device = std::fs::metadata(path).map_or(0, |metadata| metadata.dev());
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        Self { counters: PathBuf::from(format!("/sys/dev/block/{major}:{minor}/stat")) }
    }

    /// Begins to count.
    pub(crate) fn begin(&self) -> Counting<'_> {
        Counting { flushes: self, before: self.count(), since: Instant::now() }
    }

    fn count(&self) -> Option<u64> {
        flushes(&std::fs::read_to_string(&self.counters).ok()?)
    }
}

impl Counting<'_> {
    /// None where the kernel does not count: for a part of a disk, for instance.
    pub(crate) fn per_second(&self) -> Option<f64> {
        let counted = self.flushes.count()?.checked_sub(self.before?)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of seconds")]
        Some(counted as f64 / self.since.elapsed().as_secs_f64())
    }
}

/// The sixteenth counter, by the kernel's own description (Documentation/admin-guide/iostats).
fn flushes(counters: &str) -> Option<u64> {
    counters.split_whitespace().nth(15)?.parse().ok()
}

/// The deepest mount above the path; of two at one place the later one, which covers the other.
fn find<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else {
            continue;
        };
        if path.starts_with(place) && found.is_none_or(|(length, _)| place.len() >= length) {
            found = Some((place.len(), kind));
        }
    }
    found.map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flushes_are_the_sixteenth_counter() {
        let counters = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n";
        assert_eq!(flushes(counters), Some(16));
        assert_eq!(flushes("1 2 3 4 5 6 7 8 9 10 11\n"), None, "an old kernel");
    }

    #[test]
    fn the_deepest_and_latest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmpx xfs rw 0 0\n/dev/c / overlay rw 0 0\n";
        assert_eq!(find(mounts, Path::new("/tmp/x")), Some("tmpfs"));
        assert_eq!(find(mounts, Path::new("/tmpfile")), Some("overlay"));
        assert!(is_memory("tmpfs") && !is_memory("ext4"));
    }
}
