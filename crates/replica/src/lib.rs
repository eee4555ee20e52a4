//! One Postgres replica as every process sees it: roles, connections, checkpoint.

mod checkpoint;
mod connect;
mod error;

pub use checkpoint::{CHECKPOINT, Checkpoint, read_checkpoint};
pub use connect::{
    READER_SESSION, Role, SCHEMA_BUILDING, SCHEMA_LIVE, SCHEMA_PREVIOUS, connect_options, read_password,
};
pub use error::Error;
