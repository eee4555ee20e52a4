//! Atelier as a whole, on real servers.
//!
//! `abuse`: clients that mean no good. `resources`: the HTTP contract, sentence by sentence. `promises`: the design,
//! promise by promise. `faults`: real faults on real processes. `operations`: commands as an operator types them.
//! `shop`: the page, in a real browser.

// Everything here is a test or belongs to one.
#![allow(clippy::unwrap_used)]

mod abuse;
mod faults;
mod operations;
mod promises;
mod resources;
mod shop;
