//! Why a recovery did not happen, or not to its end.

use std::path::PathBuf;

use contract::Position;

use super::plan::Refusal;
use crate::audit::mark;
use crate::{folder, rebuild, stream_backup};

/// Why it did not happen, or not to its end; then the same command goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no plan.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// nats-server did not do something.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// A folder is not as it must be.
    #[error(transparent)]
    Folder(#[from] folder::Error),
    /// A replica failed, or is being rebuilt.
    #[error(transparent)]
    Rebuild(#[from] rebuild::Error),
    /// A backup that is there cannot be used.
    #[error(transparent)]
    Backup(#[from] stream_backup::Error),
    /// A live projector would stop at the first event.
    #[error(transparent)]
    Unknowing(#[from] mark::Error),
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] service::keys::Error),
    /// The size of the new stream is not known.
    #[error("{0}")]
    Size(String),
    /// Something moved between the plan that was shown and the moment when the stream was closed.
    #[error(
        "while the stream was being closed, the plan became another one: look at it again (projector recover)"
    )]
    Changed,
    /// The old files would be gone.
    #[error(
        "the old stream's files cannot be saved: {reason}, and its folder is not on this machine. Type the command on \
         nats-server's machine, or accept that they are gone by --without-files"
    )]
    NotSaved {
        /// Why the server does not give them.
        reason: String,
    },
    /// An earlier try saved another state.
    #[error(
        "{} holds the stream up to {saved}, and it ends at {found} now: it was opened since an earlier try. Move that folder \
         away; it is saved anew", .place.display()
    )]
    SavedAnother {
        /// The folder.
        place: PathBuf,
        /// Its last position.
        saved: Position,
        /// The stream's.
        found: Position,
    },
    /// An earlier try took a snapshot of something else.
    #[error("{} is a snapshot of another moment, from an earlier try: move it away; it is taken anew", .place.display())]
    SnapshotOfAnother {
        /// The folder.
        place: PathBuf,
    },
    /// What was saved is not what would be deleted.
    #[error(
        "the stream was opened by somebody since it was saved, and ends at {found}: what was written since would be lost. \
         Save it (projector stream backup), then delete it (nats stream rm ATELIER); the same command goes on then"
    )]
    Reopened {
        /// Its last position.
        found: Position,
    },
    /// The first event of the new stream is something else.
    #[error("the new stream does not begin with its opening at {first}: {reason}")]
    NotOpened {
        /// Where it was made to begin.
        first: Position,
        /// What was found.
        reason: String,
    },
    /// A crash took the base back.
    #[error(
        "no replica holds what was decided any more; the snapshot in {} does. Write to nobody before somebody has looked", .place.display()
    )]
    NoBase {
        /// The recovery's folder.
        place: PathBuf,
    },
    /// Others are made from the base only when its projector runs.
    #[error(
        "the new life of the stream has begun, and no projector of a replica that stands in it is heard: start them (projector \
         status). Then the same command goes on: it makes replica {} anew from one that serves", .left.join(", ")
    )]
    NotServing {
        /// Which are not made yet.
        left: Vec<String>,
    },
    /// One could not be made from another.
    #[error(
        "replica {replica} could not be made anew: {why}. The others go on; the same command goes on with it"
    )]
    NotMade {
        /// Which.
        replica: String,
        /// What its rebuild says.
        why: String,
    },
    /// A signal ended it.
    #[error("it was broken off by a signal; the same command goes on")]
    Interrupted,
}

impl From<replica::Error> for Error {
    fn from(error: replica::Error) -> Error {
        Error::Rebuild(error.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Rebuild(error.into())
    }
}

impl From<crate::failure::Failure> for Error {
    fn from(failure: crate::failure::Failure) -> Error {
        Error::Rebuild(failure.into())
    }
}
