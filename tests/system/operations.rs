//! The commands as an operator types them.

mod audit;
mod commands;
mod doctor;
mod keys;
mod members;
mod readme;
mod rebuild;
mod up;
mod upgrade;
