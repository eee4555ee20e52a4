//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

/// Turns HTTP writes into events in Atelier's stream.
#[derive(Debug, Parser)]
#[command(name = "writer", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Serve writes, until stopped. Run as many writers as you like
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) config: service::config::Arguments,
    /// Where writes are served, to nginx
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Where /livez, /readyz and /metrics are served, to operators
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) operations: SocketAddr,
}
