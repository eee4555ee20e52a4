//! Connecting in a role. Passwords lie in files of mode 0600, never in a url or on a command line.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::error::Error;

/// The schema of the generation that serves.
pub const SCHEMA_LIVE: &str = "live";
/// The schema of a generation that is being built beside it.
pub const SCHEMA_BUILDING: &str = "building";
/// The schema of the generation that served before, kept to go back to.
pub const SCHEMA_PREVIOUS: &str = "previous";

/// Settings of a reader's session, and of a writer's that asks about references, besides `statement_timeout`.
///
/// Generic plans: a plan that was checked is the plan that runs, whatever the keys; the best plan for a page of ten
/// thousand may be a scan, which is the wrong one for the next request. Compiling a plan costs more than any of these
/// statements. Keepalives are the server's, so that it notices a reader whose machine has gone.
pub const READER_SESSION: [(&str, &str); 7] = [
    ("search_path", SCHEMA_LIVE),
    ("default_transaction_read_only", "on"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The cluster's superuser; only `projector init` uses it.
    Administrator,
    /// Owns the tables; runs migrations.
    Owner,
    /// Applies events.
    Projector,
    /// Reads for shoppers; cannot select sealed columns.
    Reader,
    /// Checks references for writers.
    Writer,
}

impl Role {
    /// The roles that `projector init` makes.
    pub const OURS: [Role; 4] = [Role::Owner, Role::Projector, Role::Reader, Role::Writer];

    /// Its name in Postgres, and of its password's file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "postgres",
            Role::Owner => "atelier_owner",
            Role::Projector => "atelier_projector",
            Role::Reader => "atelier_reader",
            Role::Writer => "atelier_writer",
        }
    }
}

/// Options for connecting to a replica in a role. `passwords` is the folder with a file for each role.
///
/// # Errors
/// When the url or the password file cannot be read, or others may read the file.
pub fn connect_options(
    url: &str,
    passwords: &Path,
    role: Role,
    application: &str,
) -> Result<PgConnectOptions, Error> {
    let options: PgConnectOptions =
        url.parse().map_err(|source| Error::Url { url: url.to_owned(), source })?;
    let password = read_password(passwords, role)?;
    // The library would log slow statements whole, those that set a password too; our metrics say what is slow.
    let options = options.disable_statement_logging();
    Ok(options.username(role.name()).password(&password).application_name(application))
}

/// A role's password.
///
/// # Errors
/// When the file cannot be read, or others may read it.
pub fn read_password(folder: &Path, role: Role) -> Result<String, Error> {
    let path = folder.join(role.name());
    let failed = |source| Error::Password { path: path.clone(), source };
    let mode = std::fs::metadata(&path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path, mode });
    }
    Ok(std::fs::read_to_string(&path).map_err(failed)?.trim_end().to_owned())
}
