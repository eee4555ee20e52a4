//! The reader: serves one replica's data over HTTP, as JSON that Postgres builds.
//!
//! A library beside the binary, so that tests can prepare every statement with the settings of its session and look
//! at its plan.

mod answer;
mod app;
mod config;
mod document;
mod freshness;
mod listener;
mod resources;
mod revalidation;
mod statement;

pub use app::{Error, run};
pub use config::{CommandLine, Mistakes, Run, Settings, Verb};
pub use statement::{STATEMENTS, Statement};
