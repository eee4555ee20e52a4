//! The commands as an operator types them.

mod audit;
mod commands;
mod doctor;
mod keys;
mod members;
mod parked;
mod readme;
mod rebuild;
mod recover;
mod snapshot;
mod status;
mod stream_backup;
mod up;
mod upgrade;
mod verify;
