//! Which replicas a system has: those that it was started with, with those that `projector add` brought and without those
//! that `projector drop` took since; and which place in the block of ports each one has.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout::{Data, write_atomically};
use crate::ports::{MOST_REPLICAS, loopback};
use crate::servers;

/// What a system shall do for a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It runs nothing.
    Nothing,
    /// Its projector and readers run.
    Running,
    /// They run, and nginx sends reads there.
    Serving,
}

/// What is read of a piece of the configuration, `replicas.d/NAME.toml`.
#[derive(Deserialize)]
struct Piece {
    name: String,
    stage: Stage,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Filling,
    Joining,
    Serving,
    Leaving,
    Dropped,
}

/// All replicas that are known by name, and what is wanted of each.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Options`] for a piece that cannot be understood.
pub(crate) fn wanted(data: &Data, initial: &[String]) -> Result<BTreeMap<String, Wanted>, Error> {
    let mut all: BTreeMap<String, Wanted> =
        initial.iter().map(|name| (name.clone(), Wanted::Serving)).collect();
    for path in pieces(data)? {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(format!("read {}", path.display()))(error)),
        };
        let piece: Piece = toml::from_str(&text).map_err(|error| {
            Error::Options(format!("{} cannot be understood: {}", path.display(), error.message()))
        })?;
        let wanted = match piece.stage {
            Stage::Joining => Wanted::Running,
            Stage::Serving => Wanted::Serving,
            Stage::Filling | Stage::Leaving | Stage::Dropped => Wanted::Nothing,
        };
        if wanted != Wanted::Nothing && !servers::is_plain(&piece.name) {
            return Err(Error::Options(format!(
                "the replica name `{}` is not possible on this machine: use lower-case letters and digits",
                piece.name
            )));
        }
        all.insert(piece.name, wanted);
    }
    Ok(all)
}

/// The block of ports has moved: pieces that name a server of this system name its new port.
///
/// # Errors
///
/// [`Error::Io`].
pub(crate) fn follow_ports(data: &Data, moved: &[(u16, u16)]) -> Result<(), Error> {
    for path in pieces(data)? {
        let text = fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
        let address = |port: u16| format!("//{}/", loopback(port));
        let found = moved.iter().find(|(old, _)| text.contains(&address(*old)));
        if let Some((old, new)) = found.filter(|(old, new)| old != new) {
            write_atomically(&path, &text.replace(&address(*old), &address(*new)), 0o644)?;
        }
    }
    Ok(())
}

fn pieces(data: &Data) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(data.pieces()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(Error::io(format!("read {}", data.pieces().display()))(error)),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let counts = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !hidden && path.extension().is_some_and(|ending| ending == "toml")
    };
    Ok(paths.filter(counts).collect())
}

/// The places of replicas in the block of ports: those of the start in their order, then the others, which keep theirs.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    data: Data,
    all: BTreeMap<String, u16>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    places: BTreeMap<String, u16>,
}

impl Places {
    /// As they were the last time.
    pub(crate) fn of(data: &Data, initial: &[String]) -> Self {
        let text = fs::read_to_string(data.places()).unwrap_or_default();
        let remembered: Remembered = serde_json::from_str(&text).unwrap_or_default();
        let mut all: BTreeMap<String, u16> = initial.iter().cloned().zip(0..).collect();
        for (name, place) in remembered.places {
            if !all.values().any(|taken| *taken == place) {
                all.entry(name).or_insert(place);
            }
        }
        Self { data: data.clone(), all }
    }

    /// A replica's place, if it has one.
    pub(crate) fn get(&self, name: &str) -> Option<u16> {
        self.all.get(name).copied()
    }

    /// A replica's place; it gets a free one if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::Options`] when there is none; [`Error::Io`].
    pub(crate) fn take(&mut self, name: &str) -> Result<u16, Error> {
        if let Some(place) = self.get(name) {
            return Ok(place);
        }
        let free = (0..MOST_REPLICAS).find(|place| !self.all.values().any(|taken| taken == place));
        let place = free.ok_or_else(|| {
            Error::Options(format!(
                "there are ports for {MOST_REPLICAS} replicas on this machine, and all are in use: drop one, and start \
                 the system again"
            ))
        })?;
        self.all.insert(name.to_owned(), place);
        self.remember()?;
        Ok(place)
    }

    /// Gives up the places of those that are not needed any more.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub(crate) fn retain(&mut self, needed: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.all.retain(|name, _| needed(name));
        self.remember()
    }

    fn remember(&self) -> Result<(), Error> {
        let text = serde_json::json!(Remembered { places: self.all.clone() }).to_string();
        write_atomically(&self.data.places(), &text, 0o644)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system() -> (crate::TemporaryFolder, Data) {
        let folder = crate::TemporaryFolder::new("roster").unwrap();
        let data = Data::new(folder.path());
        data.prepare().unwrap();
        fs::create_dir_all(data.pieces()).unwrap();
        (folder, data)
    }

    #[test]
    fn pieces_are_stronger_than_what_a_system_was_started_with() {
        let (_folder, data) = system();
        let initial = ["a".to_owned(), "b".to_owned()];
        let piece = |name: &str, stage: &str| {
            let text = format!(
                "name = \"{name}\"\nstage = \"{stage}\"\nurl = \"postgres://h/x\"\npasswords = \"p\"\n"
            );
            fs::write(data.pieces().join(format!("{name}.toml")), text).unwrap();
        };
        piece("b", "leaving");
        piece("c", "filling");
        piece("d", "joining");
        let all = wanted(&data, &initial).unwrap();
        let of = |name: &str| all[name];
        assert_eq!(
            [of("a"), of("b"), of("c"), of("d")],
            [Wanted::Serving, Wanted::Nothing, Wanted::Nothing, Wanted::Running]
        );
        piece("e", "nonsense");
        assert!(wanted(&data, &initial).unwrap_err().to_string().contains("e.toml"));
    }

    #[test]
    fn a_place_is_kept_and_given_up_when_nobody_needs_it() {
        let (_folder, data) = system();
        let initial = ["a".to_owned(), "b".to_owned()];
        let mut places = Places::of(&data, &initial);
        assert_eq!(
            (places.take("b").unwrap(), places.take("d").unwrap(), places.take("c").unwrap()),
            (1, 2, 3)
        );
        assert!(places.take("e").unwrap_err().to_string().contains("drop one"));
        let mut places = Places::of(&data, &initial);
        assert_eq!((places.get("c"), places.get("e")), (Some(3), None));
        places.retain(|name| name != "d").unwrap();
        assert_eq!(places.take("e").unwrap(), 2);
    }

    #[test]
    fn a_piece_follows_its_server_to_another_port() {
        let (_folder, data) = system();
        let path = data.pieces().join("c.toml");
        fs::write(&path, "url = \"postgres://127.0.0.1:15100/atelier\"\n").unwrap();
        follow_ports(&data, &[(15_038, 15_102), (15_100, 15_164)]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "url = \"postgres://127.0.0.1:15164/atelier\"\n");
    }
}
