//! The design's promises, one file each.

mod atomicity;
mod canary;
mod commits;
mod determinism;
mod durability;
mod freshness;
mod import;
mod logs;
mod once;
mod once_kept;
mod overload;
mod ownership;
mod prefix;
mod privacy;
mod rejection;
mod remembered;
mod statements;
mod text;
mod tokens;
mod visible;
