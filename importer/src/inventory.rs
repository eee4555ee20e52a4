//! The files as they are before the import begins: name, size, SHA-256.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use contract::catalogue::SourceFile;
use sha2::{Digest as _, Sha256};

use crate::pass::{self, Error, Seen};
use crate::resources;

/// Bytes read at once.
const READ: usize = 1024 * 1024;

/// Bytes of all files that are imported. Opens each and checks its header, so that a wrong folder is noticed before
/// anything is published.
pub(crate) fn size(folder: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for source in resources::sources() {
        pass::open(folder, source)?;
        let path = folder.join(source.name);
        bytes += std::fs::metadata(&path).map_err(|source| Error::Read { path, source })?.len();
    }
    Ok(bytes)
}

/// Reads all files through.
pub(crate) fn take(folder: &Path, progress: &mut dyn FnMut(Seen)) -> Result<Vec<SourceFile>, Error> {
    let mut bytes = 0;
    let mut buffer = vec![0; READ];
    let mut files = Vec::new();
    for source in resources::sources() {
        let path = folder.join(source.name);
        let unreadable = |error| Error::Read { path: path.clone(), source: error };
        let mut file = File::open(&path).map_err(unreadable)?;
        let mut hash = Sha256::new();
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
            progress(Seen { file: source.name, rows: 0, bytes: bytes + size });
        }
        bytes += size;
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        files.push(SourceFile { name: source.name.to_owned(), size, sha256 });
    }
    Ok(files)
}
