//! The stream's files, damaged while nats-server is stopped.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use local::System;

/// The files of the stream's events, oldest first.
///
/// # Errors
/// When they cannot be listed.
pub(crate) fn blocks(system: &System) -> io::Result<Vec<PathBuf>> {
    let mut blocks: Vec<(u64, PathBuf)> = fs::read_dir(folder(system))?
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let number = path.file_name()?.to_str()?.strip_suffix(".blk")?.parse().ok()?;
            Some((number, path))
        })
        .collect();
    blocks.sort();
    Ok(blocks.into_iter().map(|(_, path)| path).collect())
}

/// Takes so many bytes off a file's end.
///
/// # Errors
/// When it cannot be cut.
pub(crate) fn cut(block: &Path, bytes: u64) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(block)?;
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(bytes))?;
    file.sync_all()
}

/// Turns one bit around.
///
/// # Errors
/// When the file cannot be changed.
pub(crate) fn flip(block: &Path, offset: u64) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(block)?;
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(&[byte[0] ^ 0x10])?;
    file.sync_all()
}

/// Forgets the server's own summary of its files, as a crash before it was written would.
///
/// # Errors
/// When it is there and cannot be removed.
pub(crate) fn forget_summary(system: &System) -> io::Result<()> {
    forget(&folder(system).join("index.db"))
}

/// Removes a file that may be there.
///
/// # Errors
/// When it is there and cannot be removed.
pub(crate) fn forget(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The stream's folder.
pub(crate) fn stream(system: &System) -> PathBuf {
    system.data().nats().join("store/jetstream/$G/streams/ATELIER")
}

fn folder(system: &System) -> PathBuf {
    stream(system).join("msgs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flip_changes_one_bit_and_a_cut_the_length() {
        let folder = local::TemporaryFolder::new("store").unwrap();
        let file = folder.path().join("1.blk");
        fs::write(&file, [0; 10]).unwrap();
        flip(&file, 3).unwrap();
        cut(&file, 4).unwrap();
        assert_eq!(fs::read(&file).unwrap(), [0, 0, 0, 0x10, 0, 0]);
    }
}
