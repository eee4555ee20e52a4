//! Clients that mean no good: slow, idle, huge, ambiguous.

mod injection;
mod large;
mod slow;
mod smuggling;
