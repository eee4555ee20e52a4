//! Pieces of the configuration: `replicas.d/NAME.toml` beside `atelier.toml`, one for each replica that came or went while
//! everything served. A piece is stronger than what `atelier.toml` says of the replica of its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Replica;

/// The folder, beside `atelier.toml`.
const FOLDER: &str = "replicas.d";
const HEADER: &str = "# Written by `projector add` and `projector drop`.\n";

/// How far a replica is on its way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its database is being filled: nobody knows it yet.
    Filling,
    /// Its projector and readers run; nobody is sent to it by nginx.
    Joining,
    /// It is a replica as any other.
    Serving,
    /// Nobody is sent to it any more; its readers and projector stop.
    Leaving,
    /// It is gone, although `atelier.toml` names it.
    Dropped,
}

impl Stage {
    /// Whether it is one of the system's replicas.
    #[must_use]
    pub fn is_member(self) -> bool {
        matches!(self, Stage::Joining | Stage::Serving)
    }

    /// The word for people, and in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stage::Filling => "filling",
            Stage::Joining => "joining",
            Stage::Serving => "serving",
            Stage::Leaving => "leaving",
            Stage::Dropped => "dropped",
        }
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The replica's name; also the file's.
    pub name: String,
    /// How far it is.
    pub stage: Stage,
    /// Its database, without user and password.
    pub url: String,
    /// Folder with one file of mode 0600 for each role's password; a relative one starts from the folder of `atelier.toml`.
    pub passwords: PathBuf,
}

impl Piece {
    /// The replica, with paths as they are used.
    #[must_use]
    pub fn replica(&self, config: &Path) -> Replica {
        let passwords = base(config).join(&self.passwords);
        Replica { name: self.name.clone(), url: self.url.clone(), passwords }
    }

    /// Writes it in one step, so that whoever reads sees the old or the new one, and on disk.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, config: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        let folder = folder(config);
        fs::create_dir_all(&folder)?;
        let beside = folder.join(format!(".{}.{}", self.name, std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, file_of(config, &self.name))?;
        File::open(&folder)?.sync_all()
    }
}

/// Removes a replica's piece, if there is one.
///
/// # Errors
/// When the folder cannot be written.
pub fn remove(config: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(file_of(config, name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(folder(config))?.sync_all(),
    }
}

/// The folder of the pieces that belong to a configuration file.
#[must_use]
pub fn folder(config: &Path) -> PathBuf {
    base(config).join(FOLDER)
}

/// The file of one.
#[must_use]
pub fn file_of(config: &Path, name: &str) -> PathBuf {
    folder(config).join(format!("{name}.toml"))
}

/// All pieces, in the order of their names.
///
/// # Errors
/// What is wrong with them, one sentence each.
pub(super) fn read(config: &Path) -> Result<Vec<Piece>, Vec<String>> {
    let (mut pieces, mut mistakes) = (Vec::new(), Vec::new());
    for path in files(config).map_err(|error| vec![format!("{FOLDER} cannot be read: {error}")])? {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Dropped while we looked.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                mistakes.push(format!("{} cannot be read: {error}", path.display()));
                continue;
            }
        };
        match toml::from_str::<Piece>(&text) {
            Ok(piece) if path.file_stem().is_some_and(|stem| stem == piece.name.as_str()) => {
                pieces.push(piece)
            }
            Ok(piece) => {
                mistakes.push(format!(
                    "{} names the replica {:?}: call the file {}.toml",
                    path.display(),
                    piece.name,
                    piece.name
                ));
            }
            Err(error) => mistakes.push(format!("{}: {}", path.display(), error.to_string().trim_end())),
        }
    }
    if mistakes.is_empty() { Ok(pieces) } else { Err(mistakes) }
}

/// The files that count, in order.
pub(super) fn files(config: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder(config)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn base(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new(""))
}
