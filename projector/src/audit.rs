//! What two generations hold at one position, compared: a mark in the stream fixes the position, each projector keeps a
//! snapshot of its replica there, and the rows of that snapshot are hashed.

pub(crate) mod hash;
pub(crate) mod mark;
pub(crate) mod snapshot;
