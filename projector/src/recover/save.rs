//! The old stream's files, before they are deleted: by the server's own facility, as `projector stream backup` takes them; and when
//! it does not give them, as they lie in its folder.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use contract::Position;
use contract::subject::STREAM;
use service::Config;
use stream::{Description, Inspection, Monitor};

use super::Error;
use crate::doctor::store_folder;
use crate::folder::{self, Folder, failed};
use crate::rebuild::progress::Progress;
use crate::stream_backup;

/// Read at once.
const PART: usize = 1024 * 1024;

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Saved {
    /// A backup as `projector stream restore` takes it, up to there.
    Backup(PathBuf, Position),
    /// The files as they lay in the server's folder.
    Files(PathBuf),
    /// There were none on this machine, and an operator accepted that.
    Nothing,
}

/// Saves the old stream below a recovery's folder; what an earlier try has saved counts.
///
/// # Errors
/// When it can be saved in neither way, unless that is accepted.
pub(super) async fn save(
    config: &Config,
    inspection: &Inspection,
    stream: Option<&Description>,
    place: &Path,
    without_files: bool,
    progress: &Progress,
) -> Result<Saved, Error> {
    let (backup, files) = (place.join("stream"), place.join("files"));
    let mut refusal = "nats-server has no stream".to_owned();
    if let Some(description) = stream {
        if let Some(last) = stream_backup::saved_up_to(&backup)? {
            if last == description.last {
                return Ok(Saved::Backup(backup, last));
            }
            let (found, saved) = (description.last, last);
            return Err(Error::SavedAnother { place: backup, saved, found });
        }
        let folder = begin(&backup, description.bytes)?;
        match stream_backup::save(config, inspection, description, folder, false, progress).await {
            Ok((place, manifest)) => return Ok(Saved::Backup(place, manifest.last)),
            Err(stream_backup::Error::Folder(error)) => return Err(error.into()),
            Err(error) => refusal = error.to_string(),
        }
    }
    if files.is_dir() {
        folder::check(&files, &|_| ())?;
        return Ok(Saved::Files(files));
    }
    let monitor = Monitor::new(&config.stream.monitor_url)?;
    let state = monitor.state().await.ok();
    let found = store_folder(config, state.as_ref()).map(|store| stream_folders(&store)).unwrap_or_default();
    match (found.as_slice(), stream) {
        ([lies], _) => {
            let sum = tokio::task::block_in_place(|| copy(lies, &files))?;
            progress.say(&format!(
                "nats-server does not give the old stream ({refusal}): {sum} files of {} are copied as they lie there",
                lies.display()
            ));
            Ok(Saved::Files(files))
        }
        _ if without_files => Ok(Saved::Nothing),
        ([], None) if store_folder(config, state.as_ref()).is_some() => {
            progress.say(
                "nats-server has no stream, and no files of one in its folder: there is nothing to save",
            );
            Ok(Saved::Nothing)
        }
        _ => Err(Error::NotSaved { reason: refusal }),
    }
}

/// Begins a folder that only this recovery writes: what an earlier try has left there half done goes.
pub(super) fn begin(place: &Path, bytes: u64) -> Result<Folder, folder::Error> {
    match Folder::begin(place, bytes) {
        Err(folder::Error::Begun { beside }) => {
            fs::remove_dir_all(&beside).map_err(failed(&beside, "removed"))?;
            Folder::begin(place, bytes)
        }
        begun => begun,
    }
}

/// Where the stream's files lie in a server's folder: in each account one.
fn stream_folders(store: &Path) -> Vec<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let accounts = below(store).into_iter().chain(below(&store.join("jetstream")));
    accounts.map(|account| account.join("streams").join(STREAM)).filter(|folder| folder.is_dir()).collect()
}

/// Copies a stream's settings and events; answers how many files. Consumers live in memory, and are no part of it.
fn copy(from: &Path, to: &Path) -> Result<usize, Error> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for part in ["", "msgs"] {
        let folder = from.join(part);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(failed(&folder, "read"))?,
        };
        for entry in entries {
            let path = entry.map_err(failed(&folder, "read"))?.path();
            let metadata = fs::metadata(&path).map_err(failed(&path, "read"))?;
            if let (true, Some(name)) = (metadata.is_file(), path.file_name().and_then(|name| name.to_str()))
            {
                let name = if part.is_empty() { name.to_owned() } else { format!("{part}/{name}") };
                bytes += metadata.len();
                files.push((path, name));
            }
        }
    }
    let folder = begin(to, bytes)?;
    for (path, name) in &files {
        let mut source = File::open(path).map_err(failed(path, "read"))?;
        let mut copied = folder.file(name)?;
        let mut part = vec![0; PART];
        loop {
            let read = source.read(&mut part).map_err(failed(path, "read"))?;
            if read == 0 {
                break;
            }
            copied.write(&part[..read])?;
        }
        copied.finish()?;
    }
    folder.finish()?;
    Ok(files.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_s_files_are_found_in_its_server_s_folder_and_copied() {
        let root = std::env::temp_dir().join(format!("atelier-recover-save-{}", std::process::id()));
        let lies = root.join("store/jetstream/$G/streams").join(STREAM);
        fs::create_dir_all(lies.join("msgs")).unwrap();
        fs::write(lies.join("meta.inf"), "settings").unwrap();
        fs::write(lies.join("msgs/1.blk"), vec![7; 3 * PART / 2]).unwrap();
        for store in [root.join("store"), root.join("store/jetstream")] {
            assert_eq!(stream_folders(&store), std::slice::from_ref(&lies));
        }
        let to = root.join("files");
        // A try that was broken off.
        fs::create_dir_all(root.join("files.incomplete")).unwrap();
        assert_eq!(copy(&lies, &to).unwrap(), 2);
        assert_eq!(fs::read(to.join("msgs/1.blk")).unwrap().len(), 3 * PART / 2);
        assert_eq!(folder::check(&to, &|_| ()).unwrap().len(), 2);
        fs::remove_dir_all(&root).unwrap();
    }
}
