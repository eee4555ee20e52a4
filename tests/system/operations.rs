//! The commands as an operator types them.

mod commands;
mod doctor;
mod keys;
mod readme;
mod snapshot;
mod stream_backup;
mod up;
