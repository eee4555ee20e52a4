//! Starts real nats-server, Postgres, nginx and our own processes on this machine, and watches over them.
//!
//! `cargo xtask up`, the tests and the bench all use it. It links none of our services: it starts the binaries that it
//! finds in a folder.
//!
//! A [`System`] owns one data folder: [`Data`] says what lies where in it.

pub mod account;
pub mod binaries;
pub mod components;
pub mod error;
pub mod kernel;
pub mod layout;
pub mod leftovers;
pub mod nats;
pub mod nginx;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod readiness;
pub mod record;
mod roster;
pub mod servers;
pub mod services;
pub mod settings;
pub mod system;
pub mod template;
pub mod temporary;

pub use error::Error;
pub use layout::Data;
pub use process::Process;
pub use readiness::Ready;
pub use record::Record;
pub use system::{Stage, System, SystemOptions};
pub use temporary::TemporaryFolder;
