//! Real faults on real processes.

mod import_kills;
mod kills;
pub(crate) mod load;
mod silence;
mod storage;
mod tokens;
