//! Real faults on real processes.

mod import_kills;
mod kills;
mod load;
mod silence;
mod storage;
mod tokens;
