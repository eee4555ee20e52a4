//! What is done to the files of a stream's store: which kind, where, drawn from a seed.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::tests::Random;

use crate::store;

/// A kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One bit of a file is turned around.
    Flipped,
    /// A file ends early.
    Cut,
    /// A file is gone.
    Deleted,
    /// The stream was deleted and made anew.
    Recreated,
    /// The newest file was cut, and the stream filled again.
    Refilled,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] =
        [Kind::Flipped, Kind::Cut, Kind::Deleted, Kind::Recreated, Kind::Refilled];

    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Flipped => "a bit flipped",
            Kind::Cut => "a file cut",
            Kind::Deleted => "a file deleted",
            Kind::Recreated => "the stream recreated",
            Kind::Refilled => "cut and refilled",
        }
    }
}

/// One damage, drawn.
#[derive(Clone, Debug)]
pub(super) struct Harm {
    pub(super) kind: Kind,
    /// A number that picks the file, and one that picks the place in it, in 2^32ths.
    file: usize,
    place: u64,
    /// Whether the server's summary goes too, as when it crashed.
    pub(super) crashed: bool,
    /// Recreated under another epoch.
    pub(super) other_epoch: bool,
    /// Refilled up to so many events behind the first that was cut, in 2^32ths of a bit more than was cut.
    pub(super) refill: u64,
}

impl Harm {
    pub(super) fn draw(random: &mut Random) -> Harm {
        let kind = match random.below(20) {
            0..8 => Kind::Flipped,
            8..13 => Kind::Cut,
            13..16 => Kind::Deleted,
            16..18 => Kind::Recreated,
            _ => Kind::Refilled,
        };
        let mut word = || random.below(1 << 32) as u64;
        let (place, refill) = (word(), word());
        Harm {
            kind,
            file: random.below(usize::MAX),
            place,
            crashed: random.below(2) == 0,
            other_epoch: random.below(2) == 0,
            refill,
        }
    }

    /// One that a replica without a memory cannot see.
    pub(super) fn control() -> Harm {
        let (file, place, refill) = (0, 1 << 30, 1 << 28);
        Harm { kind: Kind::Refilled, file, place, crashed: true, other_epoch: false, refill }
    }

    /// Damages a store whose server does not run. Says what was done.
    pub(super) fn apply(&self, stream: &Path) -> io::Result<String> {
        let files = files(stream)?;
        let newest = files.iter().filter(|file| file.extension().is_some_and(|end| end == "blk")).max();
        let file = match self.kind {
            Kind::Recreated => return Ok("through the API".to_owned()),
            Kind::Refilled => newest.unwrap_or(&files[0]),
            _ => &files[self.file % files.len()],
        };
        let length = fs::metadata(file)?.len();
        let offset = (length * self.place) >> 32;
        match self.kind {
            Kind::Flipped => store::flip(file, offset)?,
            Kind::Deleted => fs::remove_file(file)?,
            _ => store::cut(file, length - offset)?,
        }
        if self.crashed || self.kind == Kind::Refilled {
            store::forget(&stream.join("msgs/index.db"))?;
        }
        Ok(format!("{} at {offset} of {length}", file.strip_prefix(stream).unwrap_or(file).display()))
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        match self.kind {
            Kind::Recreated if self.other_epoch => f.write_str(" under another epoch"),
            Kind::Recreated => f.write_str(" under the same epoch"),
            _ if self.crashed => f.write_str(", as after a crash"),
            _ => Ok(()),
        }
    }
}

/// All files of a stream, in order of their names.
fn files(stream: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [stream.to_owned(), stream.join("msgs")] {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_and_equal_seeds_draw_the_same() {
        let draw = |seed| {
            let mut random = Random::seeded(seed);
            (0..100).map(|_| format!("{:?}", Harm::draw(&mut random))).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        for kind in Kind::ALL {
            assert!(draw(1).iter().any(|harm| harm.contains(&format!("{kind:?}"))), "{kind:?}");
        }
    }
}
