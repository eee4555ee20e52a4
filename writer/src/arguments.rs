//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

/// Turns HTTP writes into events in Atelier's stream.
#[derive(Debug, Parser)]
#[command(name = "writer", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve writes, until stopped. Run as many writers as you like
    Run(Run),
}

/// The arguments of `writer run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: service::config::Arguments,
    /// Where writes are served, to nginx
    #[arg(long, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where /livez, /readyz and /metrics are served, to operators
    #[arg(long, value_name = "ADDRESS")]
    pub operations: SocketAddr,
}
