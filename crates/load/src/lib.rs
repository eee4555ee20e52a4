//! A load: requests at a steady rate whatever comes back, HTTP as little as that needs, and the memory of the processes
//! that bear it. The bench measures with it, the fault suite judges under it.

pub mod memory;
mod pace;
mod wire;

pub use pace::{Requests, Sent, closed, open};
pub use wire::{Answer, Connection};

/// Before everything that is not a kernel's.
const PRIORITY: i32 = -10;

/// Puts this process, and those of its group, before the others while it lives: the shoppers' own machines are not busy,
/// so what is measured is the system's lateness and not the generator's.
#[derive(Debug)]
pub struct First {
    before: i32,
}

impl First {
    /// Nothing when that is not allowed: mostly only root may.
    #[must_use]
    pub fn come() -> Option<First> {
        let before = rustix::process::getpriority_pgrp(None).ok()?;
        rustix::process::setpriority_pgrp(None, PRIORITY).is_ok().then_some(First { before })
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // Going back is always allowed.
        let _back = rustix::process::setpriority_pgrp(None, self.before);
    }
}
