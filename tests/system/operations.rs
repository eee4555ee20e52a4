//! The commands as an operator types them.

mod commands;
mod readme;
mod up;
