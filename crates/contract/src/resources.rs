//! Events of one resource each, with their rules and limits.

pub mod reviews;
