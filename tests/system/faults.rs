//! Real faults on real processes.

mod kills;
mod load;
mod silence;
