//! A folder of files that is there whole or not at all: written beside its place, synced, and moved there at the end; the
//! checksums of all its files lie in it, in the form that `sha256sum --check` reads.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The file with the checksums of all others.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// Read at once while a file is checked.
const PART: usize = 1024 * 1024;

/// Why a folder was not written, or is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its place is taken.
    #[error("{} is there already: name a folder that is not there yet", .place.display())]
    Exists {
        /// Its place.
        place: PathBuf,
    },
    /// Somebody writes it, or did.
    #[error(
        "{} is there: somebody is writing it just now, or was broken off while writing it; in that case remove it", .beside.display()
    )]
    Begun {
        /// Where it is written.
        beside: PathBuf,
    },
    /// It does not fit.
    #[error("{} needs about {needed} MB, and its disk has {free} MB left", .place.display())]
    NoRoom {
        /// Its place.
        place: PathBuf,
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// A file of it failed.
    #[error("{} could not be {what}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// It was not written to its end.
    #[error("{} is not whole: it has no file {SUMS}, which comes with the rest. It is something else, or a part of a copy", .place.display())]
    Unfinished {
        /// The folder.
        place: PathBuf,
    },
    /// A file of it is not as it was written.
    #[error("{} is damaged: {file} {why}. Nothing was touched; take another one, or a better copy of it", .place.display())]
    Damaged {
        /// The folder.
        place: PathBuf,
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    /// SHA-256, hexadecimal.
    pub(crate) sha256: String,
}

/// A folder that is being written. What is not finished is removed.
pub(crate) struct Folder {
    place: PathBuf,
    beside: PathBuf,
    sums: Mutex<BTreeMap<String, Sum>>,
    finished: bool,
}

/// A file of it that is being written.
pub(crate) struct Writing<'a> {
    folder: &'a Folder,
    name: String,
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Folder {
    /// Begins one that only its owner may enter, with about so many bytes to come.
    ///
    /// # Errors
    /// When it is there, is being written, or does not fit.
    pub(crate) fn begin(place: &Path, bytes: u64) -> Result<Folder, Error> {
        let place = place_of(place)?;
        if place.symlink_metadata().is_ok() {
            return Err(Error::Exists { place });
        }
        let parent = parent(&place);
        fs::create_dir_all(parent).map_err(failed(parent, "made"))?;
        let space = rustix::fs::statvfs(parent)
            .map_err(|error| failed(parent, "asked for its space")(error.into()))?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < bytes {
            let (needed, free) = (bytes / 1_000_000, free / 1_000_000);
            return Err(Error::NoRoom { place, needed, free });
        }
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".incomplete");
        let beside = place.with_file_name(name);
        match DirBuilder::new().mode(0o700).create(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(Error::Begun { beside }),
            made => made.map_err(failed(&beside, "made"))?,
        }
        Ok(Folder { place, beside, sums: Mutex::default(), finished: false })
    }

    /// Where it will be.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Begins a file that only its owner may read; a folder in its name is made.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn file(&self, name: &str) -> Result<Writing<'_>, Error> {
        let path = self.beside.join(name);
        if let Some(folder) = path.parent().filter(|folder| *folder != self.beside) {
            match DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(failed(folder, "made"))?,
            }
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(failed(&path, "made"))?;
        Ok(Writing { folder: self, name: name.to_owned(), path, file, hash: Sha256::new(), bytes: 0 })
    }

    /// Writes a file at once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn text(&self, name: &str, text: &str) -> Result<Sum, Error> {
        let mut file = self.file(name)?;
        file.write(text.as_bytes())?;
        file.finish()
    }

    /// Everything is written: it comes to its place.
    ///
    /// # Errors
    /// When it could not be synced or moved. Then it is not there.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let sums = std::mem::take(&mut *self.sums.lock().expect("no holder of this lock panics"));
        let lines: String = sums.iter().map(|(name, sum)| format!("{}  {name}\n", sum.sha256)).collect();
        self.text(SUMS, &lines)?;
        let mut folders: Vec<PathBuf> =
            sums.keys().filter_map(|name| Some(self.beside.join(Path::new(name).parent()?))).collect();
        folders.push(self.beside.clone());
        folders.dedup();
        for folder in &folders {
            sync(folder)?;
        }
        if self.place.symlink_metadata().is_ok() {
            return Err(Error::Exists { place: self.place.clone() });
        }
        fs::rename(&self.beside, &self.place).map_err(failed(&self.place, "moved to its place"))?;
        self.finished = true;
        sync(parent(&self.place))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_dir_all(&self.beside)
        {
            tracing::warn!(folder = %self.beside.display(), %error, "what was written so far could not be removed");
        }
    }
}

impl Writing<'_> {
    /// Writes more.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(failed(&self.path, "written"))
    }

    /// It is complete: syncs it.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn finish(self) -> Result<Sum, Error> {
        self.file.sync_all().map_err(failed(&self.path, "synced"))?;
        let sum = Sum { bytes: self.bytes, sha256: HEXLOWER.encode(&self.hash.finalize()[..]) };
        let mut sums = self.folder.sums.lock().expect("no holder of this lock panics");
        sums.insert(self.name, sum.clone());
        Ok(sum)
    }
}

/// Reads all files of a folder and compares them with its checksums; `told` hears of each part that was read.
///
/// # Errors
/// [`Error::Unfinished`], or [`Error::Damaged`] with the first file that is not as it was written.
pub(crate) fn check(place: &Path, told: &dyn Fn(u64)) -> Result<BTreeMap<String, Sum>, Error> {
    let sums = place.join(SUMS);
    let text = match fs::read_to_string(&sums) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::Unfinished { place: place.to_owned() });
        }
        text => text.map_err(failed(&sums, "read"))?,
    };
    let damaged =
        |file: &str, why: String| Error::Damaged { place: place.to_owned(), file: file.to_owned(), why };
    if !text.ends_with('\n') {
        return Err(damaged(SUMS, "was cut".to_owned()));
    }
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let (sha256, name) =
            line.split_once("  ").ok_or_else(|| damaged(SUMS, "is no list of checksums".to_owned()))?;
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(damaged(SUMS, format!("names {name:?}, which lies elsewhere")));
        }
        let sum = match sum_of(&place.join(name), told) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(damaged(name, "is missing".to_owned()));
            }
            sum => sum.map_err(failed(&place.join(name), "read"))?,
        };
        if sum.sha256 != sha256 {
            let why = format!("({} bytes) has another checksum than when it was written", sum.bytes);
            return Err(damaged(name, why));
        }
        found.insert(name.to_owned(), sum);
    }
    Ok(found)
}

fn sum_of(path: &Path, told: &dyn Fn(u64)) -> io::Result<Sum> {
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut part = vec![0; PART];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(Sum { bytes, sha256: HEXLOWER.encode(&hash.finalize()[..]) }),
            read => {
                hash.update(&part[..read]);
                bytes += read as u64;
                told(read as u64);
            }
        }
    }
}

/// A path without what depends on where the command is typed, because it is put on record.
pub(crate) fn place_of(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(failed(path, "found"))
}

fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder, "synced"))
}

fn parent(place: &Path) -> &Path {
    place.parent().unwrap_or(Path::new("/"))
}

pub(crate) fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, what, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> Temporary {
            let path = std::env::temp_dir().join(format!("atelier-folder-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Temporary(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _gone_or_not = fs::remove_dir_all(&self.0);
        }
    }

    fn written(place: &Path) {
        let folder = Folder::begin(place, 0).unwrap();
        folder.text("tables/a.copy", "1\t2\n").unwrap();
        folder.text("manifest.json", "{}").unwrap();
        assert!(!place.exists(), "it is not there before it is whole");
        folder.finish().unwrap();
    }

    #[test]
    fn it_comes_whole_is_its_owner_s_alone_and_any_change_is_found() {
        let temporary = Temporary::new("whole");
        let place = temporary.0.join("snapshot");
        written(&place);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(&place.join("tables"))), (0o700, 0o700));
        assert_eq!(mode(&place.join("tables/a.copy")), 0o600);
        assert_eq!(fs::read_dir(&temporary.0).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(check(&place, &|_| ()).unwrap()["tables/a.copy"].bytes, 4);
        assert!(matches!(Folder::begin(&place, 0), Err(Error::Exists { .. })));

        for (file, change) in
            [("tables/a.copy", "1\t3\n"), ("tables/a.copy", "1\t2"), ("manifest.json", "{ }")]
        {
            let before = fs::read(place.join(file)).unwrap();
            fs::write(place.join(file), change).unwrap();
            assert!(
                matches!(check(&place, &|_| ()), Err(Error::Damaged { file: found, .. }) if found == file)
            );
            fs::write(place.join(file), before).unwrap();
        }
        let sums = fs::read(place.join(SUMS)).unwrap();
        fs::write(place.join(SUMS), &sums[..sums.len() - 1]).unwrap();
        assert!(check(&place, &|_| ()).unwrap_err().to_string().contains("SHA256SUMS was cut"));
        fs::write(place.join(SUMS), sums).unwrap();
        fs::remove_file(place.join("manifest.json")).unwrap();
        assert!(check(&place, &|_| ()).unwrap_err().to_string().contains("manifest.json is missing"));
        fs::remove_file(place.join(SUMS)).unwrap();
        assert!(matches!(check(&place, &|_| ()), Err(Error::Unfinished { .. })));
    }

    #[test]
    fn one_that_is_given_up_leaves_nothing_and_two_do_not_write_one() {
        let temporary = Temporary::new("given-up");
        let place = temporary.0.join("snapshot");
        let folder = Folder::begin(&place, 0).unwrap();
        folder.text("a", "1").unwrap();
        assert!(matches!(Folder::begin(&place, 0), Err(Error::Begun { .. })));
        drop(folder);
        assert_eq!(fs::read_dir(&temporary.0).unwrap().count(), 0);
        assert!(matches!(Folder::begin(&place, u64::MAX), Err(Error::NoRoom { .. })));
    }

    #[test]
    fn a_list_of_checksums_that_leads_elsewhere_is_refused() {
        let temporary = Temporary::new("elsewhere");
        fs::write(temporary.0.join(SUMS), "00  ../secret\n").unwrap();
        assert!(matches!(check(&temporary.0, &|_| ()), Err(Error::Damaged { .. })));
    }
}
