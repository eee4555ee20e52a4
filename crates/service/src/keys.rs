//! Key files that processes share.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use contract::email::{KeyRing, Sealer};
use contract::keyed_hash::{HashingKey, KEY_BYTES, UnreadableKey, parse_key};

use crate::config::Keys;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is missing or may not be read.
    #[error("the key file {} cannot be read: {source}. `projector init` makes it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// One of the old keys is missing or may not be read.
    #[error("the key file {} of keys.sealing_old cannot be read: {source}. Put it back, or take it out of keys.sealing_old: what that key sealed can then never be opened", .path.display())]
    Old {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the key file {} can be read by others (mode {mode:o}): run chmod 600 on it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("the key file {} cannot be used: {source}. Restore it from your backup", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, without repeating it.
        source: UnreadableKey,
    },
    /// Two files of the ring hold one key.
    #[error(
        "the key file {} holds key {key_id}, which another file of keys.sealing and keys.sealing_old holds too: a key that was changed lies in a file of its own, and `projector init` makes a new one for keys.sealing", .path.display()
    )]
    Twice {
        /// The second file.
        path: PathBuf,
        /// The key's public name.
        key_id: String,
    },
}

/// The keys that seal and open addresses.
///
/// # Errors
/// When one of their files cannot be used, or two hold the same key.
pub fn ring(keys: &Keys) -> Result<KeyRing, Error> {
    let current = Sealer::new(read(&keys.sealing)?);
    let mut old: Vec<Sealer> = Vec::new();
    for path in &keys.sealing_old {
        let sealer = Sealer::new(read(path).map_err(|error| match error {
            Error::Read { path, source } => Error::Old { path, source },
            other => other,
        })?);
        let key_id = sealer.key_id();
        if std::iter::once(&current).chain(&old).any(|other| other.key_id() == key_id) {
            return Err(Error::Twice { path: path.clone(), key_id: key_id.to_owned() });
        }
        old.push(sealer);
    }
    Ok(KeyRing::new(current, old))
}

/// The key under which sessions and writes are named.
///
/// # Errors
/// When its file cannot be used.
pub fn hashing(keys: &Keys) -> Result<HashingKey, Error> {
    read(&keys.hashing).map(HashingKey::new)
}

/// Reads a key of 32 bytes.
///
/// # Errors
/// When the file cannot be read, others may read it, or it holds something else.
pub fn read(path: &Path) -> Result<[u8; KEY_BYTES], Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_owned(), mode });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    parse_key(&text).map_err(|source| Error::Content { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_ring_opens_what_either_key_sealed_and_no_key_lies_in_two_files() {
        let folder = std::env::temp_dir().join(format!("atelier-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, byte: &str, mode| {
            let path = folder.join(name);
            std::fs::write(&path, format!("{}\n", byte.repeat(32))).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let (first, second) = (file("first", "01", 0o600), file("second", "02", 0o600));
        let (copy, exposed) = (file("copy", "02", 0o600), file("exposed", "03", 0o640));
        let keys = |old: &[&PathBuf]| Keys {
            sealing: second.clone(),
            sealing_old: old.iter().map(|&path| path.clone()).collect(),
            ..Keys::default()
        };
        let sealed = Sealer::new([1; 32]).seal("a@example.com", "reviews", "5");
        let opened = ring(&keys(&[&first])).unwrap().open(&sealed, "reviews", "5").unwrap();
        assert_eq!(opened, "a@example.com");
        assert!(ring(&keys(&[])).unwrap().open(&sealed, "reviews", "5").is_err());
        assert!(matches!(ring(&keys(&[&copy])), Err(Error::Twice { .. })));
        assert!(matches!(ring(&keys(&[&first, &first])), Err(Error::Twice { .. })));
        assert!(matches!(ring(&keys(&[&folder.join("missing")])), Err(Error::Old { .. })));
        assert!(matches!(ring(&keys(&[&exposed])), Err(Error::Exposed { .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
