//! Events of one resource each, with their rules and limits.

pub mod answers;
pub mod cart;
pub mod interactions;
pub mod questions;
pub mod reviews;
