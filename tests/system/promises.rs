//! The design's promises, one file each.

mod atomicity;
mod canary;
mod determinism;
mod durability;
mod import;
mod logs;
mod once;
mod overload;
mod ownership;
mod prefix;
mod privacy;
mod rejection;
mod statements;
mod text;
mod visible;
