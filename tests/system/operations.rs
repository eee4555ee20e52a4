//! The commands as an operator types them.

mod commands;
mod doctor;
mod keys;
mod readme;
mod rebuild;
mod up;
mod upgrade;
