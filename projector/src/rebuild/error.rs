//! Why a generation was not built, or not swapped in.

use contract::Epoch;

use crate::audit::{mark, snapshot};
use crate::failure::Failure;
use crate::rebuild::base;

/// Why a rebuild, a rollback or a restore did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Another process is at it.
    #[error("another rebuild, rollback or restore of replica {replica} is under way: wait for it, or end it")]
    Taken {
        /// The replica.
        replica: String,
    },
    /// Its database is from before there were generations.
    #[error("replica {replica}'s database was prepared by an earlier version: run `projector init` first")]
    NotPrepared {
        /// The replica.
        replica: String,
    },
    /// The new generation's tables could not be made.
    #[error("the new generation's tables could not be made: {0}")]
    Prepare(String),
    /// The source cannot be used.
    #[error(
        "replica {source_name} is of projection version {found}, this binary has {ours}: use --from stream"
    )]
    SourceVersion {
        /// Which.
        source_name: String,
        /// Its version.
        found: i32,
        /// This binary's.
        ours: i32,
    },
    /// The source is not complete.
    #[error("replica {source_name} is importing a catalogue: wait until it is closed, or use --from stream")]
    SourceImports {
        /// Which.
        source_name: String,
    },
    /// The generation to go back to is not there.
    #[error(
        "replica {replica} has no generation to go back to: there is one after a rebuild, until it is pruned"
    )]
    NoPrevious {
        /// The replica.
        replica: String,
    },
    /// It was made by another version of the projection.
    #[error(
        "the previous generation of replica {replica} is of projection version {found}, this binary has {ours}: run the rollback by the projector of version {found}, which is to run afterwards"
    )]
    PreviousVersion {
        /// The replica.
        replica: String,
        /// Its version.
        found: i32,
        /// This binary's.
        ours: i32,
    },
    /// It belongs to a life of the stream that has ended.
    #[error(
        "the previous generation of replica {replica} belongs to epoch {ended}, which has ended: there is no way back to it; \
         `projector prune` removes it"
    )]
    PreviousEpoch {
        /// The replica.
        replica: String,
        /// That life.
        ended: Epoch,
    },
    /// The new generation is not what a healthy replica is.
    #[error("{0}")]
    Different(String),
    /// No moment for the swap was found.
    #[error(
        "the new generation is complete and could not be swapped in within {seconds} s ({why}); replica {replica} serves as before. The same command goes on from here"
    )]
    NotSwapped {
        /// The replica.
        replica: String,
        /// What was in the way.
        why: &'static str,
        /// How long it was tried.
        seconds: u64,
    },
    /// nats-server is away.
    #[error("nats-server does not answer within 5 s: {0}. See `projector doctor`")]
    Away(String),
    /// Applying failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// No comparison could be begun.
    #[error(transparent)]
    Mark(#[from] mark::Error),
    /// A replica could not be compared with.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// What the stream begins with cannot be taken.
    #[error(transparent)]
    Base(#[from] base::Error),
    /// A snapshot in a folder cannot be taken or restored.
    #[error(transparent)]
    Folder(#[from] crate::snapshot::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::Failure(error.into())
    }
}

impl From<replica::Error> for Error {
    fn from(error: replica::Error) -> Error {
        Error::Failure(error.into())
    }
}

impl From<stream::Error> for Error {
    fn from(error: stream::Error) -> Error {
        Error::Failure(error.into())
    }
}
