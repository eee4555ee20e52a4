//! What is on disk after a loss of power: what was fsynced. strace tells every write and every fsync of a process; a
//! file's durable length is what had been written to it when its last fsync began.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ::tests::{eventually, within};
use tokio::process::{Child, Command};

use crate::row::Stop;

/// Watches a process.
pub(crate) struct Watching {
    strace: Child,
    log: PathBuf,
}

impl Watching {
    /// Begins, and waits until nothing is missed any more.
    ///
    /// # Errors
    /// A row that needs it is skipped where strace cannot be run.
    pub(crate) async fn start(pid: u32, log: PathBuf) -> Result<Watching, Stop> {
        let mut strace = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-s",
                "0",
                "-e",
                "trace=write,pwrite64,fsync,fdatasync",
                "-p",
                &pid.to_string(),
            ])
            .arg("-o")
            .arg(&log)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Stop::Skipped(format!("strace is not installed (apt-get install strace): {error}"))
            })?;
        eventually("strace sees the process", within(20), async || {
            if let Ok(Some(ended)) = strace.try_wait() {
                return Err(format!("it ended: {ended}"));
            }
            let traced = threads(pid).iter().all(|status| !status.contains("TracerPid:\t0"));
            if traced { Ok(()) } else { Err("not all of its threads are traced".to_owned()) }
        })
        .await;
        Ok(Watching { strace, log })
    }

    /// Waits for its end, which is that of the process; durable lengths of the files that it wrote, given those that
    /// were there before.
    ///
    /// # Errors
    /// When what it said cannot be read.
    pub(crate) async fn ended(mut self, before: &HashMap<PathBuf, u64>) -> io::Result<Durable> {
        let _ended = tokio::time::timeout(within(20), self.strace.wait()).await;
        let said = fs::read(&self.log)?;
        Ok(Durable::after(&String::from_utf8_lossy(&said), before))
    }
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok()).collect()
}

/// Lengths of files that only grow.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    lengths: HashMap<PathBuf, Lengths>,
    /// How often an fsync ended well.
    pub(crate) syncs: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    written: u64,
    durable: u64,
}

impl Durable {
    /// Follows what strace said, line by line; `before`: files that were on disk as they were.
    fn after(said: &str, before: &HashMap<PathBuf, u64>) -> Durable {
        let mut seen = Durable::default();
        for (path, length) in before {
            seen.lengths.insert(path.clone(), Lengths { written: *length, durable: *length });
        }
        // Calls that another thread's line has interrupted: the call, its file, its offset, what was written before.
        let mut begun: HashMap<&str, Call> = HashMap::new();
        for line in said.lines() {
            let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
            let rest = rest.trim_start();
            if rest.starts_with("<...") {
                if let (Some(call), Some(result)) = (begun.remove(thread), result(rest)) {
                    seen.returned(&call, result);
                }
                continue;
            }
            let Some(call) = seen.called(rest) else { continue };
            if rest.ends_with("<unfinished ...>") {
                begun.insert(thread, call);
            } else if let Some(result) = result(rest) {
                seen.returned(&call, result);
            }
        }
        seen
    }

    fn called(&self, text: &str) -> Option<Call> {
        let (name, arguments) = text.split_once('(')?;
        let (_, behind) = arguments.split_once('<')?;
        let (path, behind) = behind.split_once('>')?;
        let path = PathBuf::from(path);
        let offset =
            behind.trim_end_matches("<unfinished ...>").split(')').next()?.rsplit(", ").next()?.trim();
        let offset = if name == "pwrite64" { offset.parse().ok() } else { None };
        let written = self.lengths.get(&path).copied().unwrap_or_default().written;
        Some(Call { syncs: name.ends_with("sync"), path, offset, written })
    }

    fn returned(&mut self, call: &Call, result: u64) {
        let lengths = self.lengths.entry(call.path.clone()).or_default();
        match (call.syncs, call.offset) {
            (true, _) => {
                lengths.durable = lengths.durable.max(call.written);
                self.syncs += 1;
            }
            (false, Some(offset)) => lengths.written = lengths.written.max(offset + result),
            (false, None) => lengths.written += result,
        }
    }

    /// Makes a folder what it was `before`, but for files with this ending: they are as long as what was fsynced. How many
    /// bytes are lost.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn take_power(&self, folder: &Path, before: &Path, ending: &str) -> io::Result<u64> {
        let kept: Vec<(&PathBuf, u64)> = self
            .lengths
            .iter()
            .filter(|(path, _)| path.starts_with(folder) && path.extension().is_some_and(|end| end == ending))
            .map(|(path, lengths)| (path, lengths.durable))
            .collect();
        let (mut lost, mut contents) = (0, Vec::new());
        for (path, durable) in kept {
            // A file that is not there any more was taken away: then that is not on disk, and it is as it was before.
            let mut content = match fs::read(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            let durable = usize::try_from(durable).map_err(io::Error::other)?;
            if content.len() < durable {
                let (path, length) = (path.display(), content.len());
                return Err(io::Error::other(format!(
                    "{path} has {length} bytes of {durable} that were fsynced"
                )));
            }
            lost += (content.len() - durable) as u64;
            content.truncate(durable);
            contents.push((path, content));
        }
        fs::remove_dir_all(folder)?;
        crate::leavings::copy(before, folder)?;
        for (path, content) in contents {
            // A folder that is new since then is none that was fsynced: a batch on its way.
            if path.parent().is_some_and(Path::is_dir) {
                fs::write(path, content)?;
            }
        }
        Ok(lost)
    }
}

/// A call that began.
struct Call {
    syncs: bool,
    path: PathBuf,
    offset: Option<u64>,
    /// What the file's writes that had ended came to just then.
    written: u64,
}

/// What a call returned, unless that is an error.
fn result(text: &str) -> Option<u64> {
    text.rsplit_once(" = ")?.1.split(' ').next()?.parse().ok()
}

/// Lengths of a folder's files with this ending, folders in it included.
///
/// # Errors
/// When they cannot be listed.
pub(crate) fn lengths(folder: &Path, ending: &str) -> io::Result<HashMap<PathBuf, u64>> {
    let mut lengths = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            lengths.extend(self::lengths(&path, ending)?);
        } else if path.extension().is_some_and(|end| end == ending) {
            lengths.insert(path.clone(), fs::metadata(&path)?.len());
        }
    }
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_durable_when_an_fsync_that_began_later_has_ended() {
        let before = HashMap::from([(PathBuf::from("/s/1.blk"), 100)]);
        let said = r#"
7  write(12</s/1.blk>, ""..., 50) = 50
7  write(9<socket:[77]>, ""..., 5) = 5
7  fsync(12</s/1.blk> <unfinished ...>
8  write(12</s/1.blk>, ""..., 30 <unfinished ...>
8  <... write resumed>) = 30
7  <... fsync resumed>) = 0
8  pwrite64(13</s/2.blk>, ""..., 10, 90) = 10
8  fsync(13</s/2.blk>) = -1 EIO (Input/output error)
9  fdatasync(14</s/3.blk>) = 0
9  write(14</s/3.blk>, ""..., 4) = 4
"#;
        let seen = Durable::after(said, &before);
        let lengths = |path: &str| {
            let lengths = seen.lengths[Path::new(path)];
            (lengths.written, lengths.durable)
        };
        assert_eq!(lengths("/s/1.blk"), (180, 150), "what was written while it ran may not be durable");
        assert_eq!(lengths("/s/2.blk"), (100, 0), "an fsync that failed makes nothing durable");
        assert_eq!(lengths("/s/3.blk"), (4, 0));
        assert_eq!(seen.syncs, 2);
    }
}
