//! Why a snapshot is not taken, or not restored.

use std::path::PathBuf;

use contract::{Epoch, Position};

use crate::folder;

/// Why a snapshot is not taken, or not restored. Nothing was touched then, unless the words say otherwise.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its folder is not as it must be.
    #[error(transparent)]
    Folder(#[from] folder::Error),
    /// A key file cannot be used.
    #[error(transparent)]
    Keys(#[from] service::keys::Error),
    /// The replica holds half a catalogue.
    #[error("replica {replica} is importing a catalogue: take the snapshot when that is closed")]
    Imports {
        /// The replica.
        replica: String,
    },
    /// The replica's rows are another version's.
    #[error(
        "replica {replica} is of projection version {found}, this binary has {ours}: use the projector of version {found}"
    )]
    ReplicaVersion {
        /// The replica.
        replica: String,
        /// Its version.
        found: i32,
        /// This binary's.
        ours: i32,
    },
    /// Fewer or more rows were written than hashed in the same moment.
    #[error("table {table} was written with {written} rows and has {hashed}: the snapshot is given up")]
    Counts {
        /// The table.
        table: String,
        /// In its file.
        written: u64,
        /// By its audit hash.
        hashed: u64,
    },
    /// Its manifest says something else than what is needed.
    #[error("{} is no snapshot that can be restored: its manifest.json cannot be used ({reason})", .place.display())]
    Manifest {
        /// The folder.
        place: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later binary wrote it.
    #[error("{} is a snapshot in form {found}, this binary reads form 1: use the projector that wrote it", .place.display())]
    Form {
        /// The folder.
        place: PathBuf,
        /// As found.
        found: String,
    },
    /// It is of another life of the stream.
    #[error(
        "{} is of epoch {found}, and the stream's is {stream}: it belongs to another life of the stream, and its positions mean other events. Take one of this epoch (`projector snapshot`)", .place.display()
    )]
    Epoch {
        /// The folder.
        place: PathBuf,
        /// In the manifest.
        found: Epoch,
        /// The stream's.
        stream: Epoch,
    },
    /// It was written by another version of the projection.
    #[error(
        "{} was written by projection version {found}, this binary has {ours}: restore it by the projector of version {found}, or rebuild from the stream or a replica", .place.display()
    )]
    Version {
        /// The folder.
        place: PathBuf,
        /// In the manifest.
        found: i32,
        /// This binary's.
        ours: i32,
    },
    /// Its tables are others.
    #[error(
        "{} has tables of migration {found}, this binary makes those of {ours}: restore it by the projector that wrote it", .place.display()
    )]
    Migrations {
        /// The folder.
        place: PathBuf,
        /// The newest in the manifest.
        found: i64,
        /// This binary's newest.
        ours: i64,
    },
    /// What is in it was hashed under another key.
    #[error(
        "{} was written under hashing key {found}, and the file of keys.hashing holds key {ours}: carts and Idempotency-Keys in it would be strangers'. Put the key file back that belongs to it, see docs/keys.md", .place.display()
    )]
    HashingKey {
        /// The folder.
        place: PathBuf,
        /// In the manifest.
        found: String,
        /// The configured one.
        ours: String,
    },
    /// It holds events that the stream has not.
    #[error(
        "{} stands at {position}, and the stream ends at {head}: the stream lost events, or is an older copy. See `projector doctor` and docs/errors/stream-damaged.md", .place.display()
    )]
    Ahead {
        /// The folder.
        place: PathBuf,
        /// Its position.
        position: Position,
        /// The stream's last position.
        head: Position,
    },
    /// Another event stands where it stands.
    #[error(
        "{} stands at {position} behind another event than the one that the stream has there: it was made from another history", .place.display()
    )]
    Rewritten {
        /// The folder.
        place: PathBuf,
        /// Its position.
        position: Position,
    },
    /// A table's rows are not those that were written.
    #[error("table {table} of {} has other rows after loading ({loaded}) than its manifest says ({told}); what was loaded is of no use and stays out of service", .place.display())]
    Loaded {
        /// The folder.
        place: PathBuf,
        /// The table.
        table: String,
        /// What came in.
        loaded: String,
        /// What the manifest says.
        told: String,
    },
    /// A signal ended it.
    #[error("it was broken off by a signal")]
    Interrupted,
    /// Where the proof is to be made is not clear.
    #[error("{0}")]
    Where(String),
    /// Only one at a time proves snapshots on a server.
    #[error("another `projector snapshot verify` is at work on the server of {server}: wait for it")]
    Verifying {
        /// The server.
        server: String,
    },
    /// What was restored and replayed is not what it is compared with.
    #[error("{} was restored and replayed, and differs from {with} at {position}: {differences}. See `projector audit` which of them is right", .place.display())]
    Different {
        /// The folder.
        place: PathBuf,
        /// As in `replica b`.
        with: String,
        /// Where both stood.
        position: Position,
        /// Tables with how many buckets.
        differences: String,
    },
    /// Nobody is there to compare with.
    #[error(
        "no replica serves at projection version {version}, so there is nothing to compare {} with: --against stream applies the whole stream instead", .place.display()
    )]
    Alone {
        /// The folder.
        place: PathBuf,
        /// This binary's version.
        version: i32,
    },
}
