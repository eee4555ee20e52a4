//! What a failed row leaves: logs, what was done, the stream, every replica.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use local::temporary::random_name;

use crate::arena::Arena;
use crate::{log, replica};

/// Writes everything into a folder of its own and says where.
pub(crate) async fn leave(arena: &Arena, name: &str, faults: &[String]) -> String {
    match written(arena, name, faults).await {
        Ok(folder) => format!("logs and dumps: {}", folder.display()),
        Err(error) => format!("logs and dumps could not be left: {error}"),
    }
}

async fn written(arena: &Arena, name: &str, faults: &[String]) -> io::Result<PathBuf> {
    let unique = random_name().map_err(io::Error::other)?;
    let folder = std::env::temp_dir().join(format!("atelier-faults-row-{name}-{unique}"));
    fs::create_dir(&folder)?;
    fs::write(folder.join("faults.txt"), faults.join("\n"))?;
    fs::write(folder.join("history.txt"), arena.history.lock().dump(arena.began))?;
    let stream = match arena.log().await {
        Ok(events) => log::dump(&events),
        Err(error) => error,
    };
    fs::write(folder.join("stream.txt"), stream)?;
    for name in arena.system.replicas() {
        let state = match replica::read(&arena.system, name).await {
            Ok(state) => format!("{state:#?}"),
            Err(error) => error,
        };
        fs::write(folder.join(format!("replica-{name}.txt")), state)?;
    }
    for (number, (name, state)) in arena.looks.iter().enumerate() {
        fs::write(folder.join(format!("look-{number}-{name}.txt")), format!("{state:#?}"))?;
    }
    copy(&arena.system.data().logs(), &folder.join("logs"))?;
    copy(&arena.system.data().nats(), &folder.join("nats"))?;
    Ok(folder)
}

/// Copies a folder; what vanishes meanwhile is left out.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&source, &target)?;
        } else if let Err(error) = fs::copy(&source, &target)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    Ok(())
}
