//! What the private system's data lies on: an fsync means something on a disk alone.

use std::path::Path;

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
    fn the_deepest_and_latest_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmpx xfs rw 0 0\n/dev/c / overlay rw 0 0\n";
        assert_eq!(find(mounts, Path::new("/tmp/x")), Some("tmpfs"));
        assert_eq!(find(mounts, Path::new("/tmpfile")), Some("overlay"));
        assert!(is_memory("tmpfs") && !is_memory("ext4"));
    }
}
