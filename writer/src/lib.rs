//! The writer: turns HTTP writes into events in the stream. Holds no state but what is in flight.
//!
//! A library beside the binary, so that the bench can measure the group commit by itself.

mod answer;
mod app;
mod arguments;
mod commit;
mod idempotency;
mod outcome;
mod references;
mod resources;
mod standstill;
mod visibility;
mod write;

pub use app::run;
pub use arguments::{Arguments, Run, Verb};
pub use commit::{Commits, Committed, NotCommitted};
