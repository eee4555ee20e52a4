//! What crosses a process boundary: events and their rules, positions, announcements, header names, sealing.
//!
//! Pure: no I/O, no clock, no randomness; so every process and every replica decides alike.

pub mod announcement;
pub mod catalogue;
pub mod control;
pub mod email;
pub mod envelope;
pub mod event;
pub mod fields;
pub mod fold;
pub mod headers;
pub mod keyed_hash;
pub mod position;
pub mod resources;
pub mod subject;
pub mod text;
pub mod time;

pub use envelope::{Envelope, Idempotency};
pub use event::Event;
pub use position::{Epoch, Position, Token};
pub use time::Millis;

/// Version of the projection's logic: what the same events become in a replica.
///
/// Raised whenever equal events would give other rows than before; replicas are compared only at equal versions.
pub const PROJECTION_VERSION: i32 = 4;

/// Which event types a process knows, as a number that grows with each new type ([`Event::since`]).
///
/// Another number than [`PROJECTION_VERSION`], because a new type changes no row of the events that there were.
pub const EVENTS_VERSION: u32 = 3;
