//! The command line, and what a reader takes from the configuration.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use contract::keyed_hash::HashingKey;
use replica::{READER_SESSION, Role, connect_options};
use service::config::Reader;
use service::cors::Origins;
use service::{Config, keys};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// Serves one replica's data over HTTP
#[derive(Debug, Parser)]
#[command(name = "reader", version, propagate_version = true)]
pub struct CommandLine {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve until SIGTERM or SIGINT; then finish what is in flight and exit 0
    Run(Run),
}

/// The arguments of `reader run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: service::config::Arguments,
    /// The replica to serve, as named in the configuration
    #[arg(long, value_name = "NAME")]
    pub replica: String,
    /// Strict address for shoppers' requests: refuses with 503 what this replica should not answer, so that nginx asks
    /// the next reader
    #[arg(long, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Lenient address for the same requests: answers with what there is and says so; nginx's backup, for when all strict
    /// ones have refused
    #[arg(long, value_name = "ADDR")]
    pub lenient: SocketAddr,
    /// Address for /livez, /readyz and /metrics; not for shoppers
    #[arg(long, value_name = "ADDR")]
    pub operations: SocketAddr,
}

/// What a reader runs with, checked.
pub struct Settings {
    /// The replica's name.
    pub replica: String,
    /// How to reach its Postgres.
    pub connect: PgConnectOptions,
    /// `[reader]`
    pub reader: Reader,
    /// Whose pages may send cookies.
    pub origins: Origins,
    /// Names sessions.
    pub hashing: HashingKey,
    /// Where the stream is; only its announcements are listened to.
    pub stream: stream::Settings,
    /// For shoppers, strict.
    pub listen: SocketAddr,
    /// For shoppers whom no strict listener answers.
    pub lenient: SocketAddr,
    /// For operators.
    pub operations: SocketAddr,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Mistakes {
    /// In the file, the environment or `--set`.
    #[error(transparent)]
    Configuration(#[from] service::config::Mistakes),
    /// `--replica` names none.
    #[error("--replica: {0}")]
    Replica(String),
    /// The replica's url or password.
    #[error("replica {name}: {source}")]
    Connection {
        /// The replica.
        name: String,
        /// The cause.
        source: replica::Error,
    },
    /// The key that names sessions.
    #[error("keys.hashing: {0}")]
    Key(#[from] keys::Error),
}

impl Settings {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// All mistakes that could be found.
    pub fn load(arguments: &Run) -> Result<Settings, Mistakes> {
        let config = Config::load(&arguments.config)?;
        let replica = config.replica(&arguments.replica).map_err(Mistakes::Replica)?;
        let application = format!("atelier-reader-{}", replica.name);
        let connect = connect_options(&replica.url, &replica.passwords, Role::Reader, &application)
            .map_err(|source| Mistakes::Connection { name: replica.name.clone(), source })?;
        let statement = [("statement_timeout", config.reader.statement_ms.to_string())];
        let hashing = keys::hashing(&config.keys)?;
        Ok(Settings {
            replica: replica.name.clone(),
            connect: connect.options(READER_SESSION).options(statement).disable_statement_logging(),
            origins: Origins::new(&config.http.origins),
            stream: stream::Settings { hashing_key: Some(hashing.id()), ..config.stream_settings() },
            hashing,
            reader: config.reader,
            listen: arguments.listen,
            lenient: arguments.lenient,
            operations: arguments.operations,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
