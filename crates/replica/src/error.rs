//! Why a replica could not be used.

use std::path::PathBuf;

/// Why a replica could not be used, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A role's password file is missing or unreadable.
    #[error("the password file {} cannot be read: {source}. `projector init` makes it", .path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Others may read a secret.
    #[error("the file {} can be read by others (mode {mode:o}): run chmod 600 on it", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The replica's url cannot be read.
    #[error("the replica's url {url:?} cannot be read: {source}")]
    Url {
        /// As configured.
        url: String,
        /// The cause.
        source: sqlx::Error,
    },
    /// The replica has no checkpoint.
    #[error("the replica has no checkpoint row: run `projector init`")]
    NoCheckpoint,
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
