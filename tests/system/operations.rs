//! The commands as an operator types them.

mod commands;
mod keys;
mod readme;
mod up;
