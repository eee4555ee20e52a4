//! The JetStream stream: the one source of truth. Nothing else in the project knows async-nats.

mod announce;
mod backup;
mod connect;
mod definition;
mod error;
mod follow;
mod guard;
mod identity;
mod inspect;
mod publish;
mod read_through;
mod renew;
mod server;
mod stored;
mod survey;

pub use announce::Announcements;
pub use backup::{BackUp, PIECE, Restoring};
pub use connect::{Connection, Link, Settings, Status};
pub use definition::{Definition, METADATA_EPOCH, METADATA_HASHING_KEY, create};
pub use error::{Error, Result};
pub use follow::Follower;
pub use identity::{Heard, Remembered};
pub use inspect::{Description, Inspection};
pub use publish::{BATCH_LIMIT, Failure, Message, Placed};
pub use server::{Monitor, ServerState};
pub use stored::StoredEvent;
pub use survey::{Survey, Surveyed};
