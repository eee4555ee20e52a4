//! `projector init`: everything that must be there before a service starts. Get first, create if absent.

use std::error::Error;
use std::time::Duration;

use contract::{Epoch, PROJECTION_VERSION, Position};
use replica::{Role, SCHEMA_LIVE, connect_options, read_password};
use service::config::Replica;
use service::{Config, keys};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stream::Definition;

use crate::failure::Failure;
use crate::generation;
use crate::secrets;

/// The database and its schemas.
const DATABASE: &str = include_str!("init/database.sql");
/// Whether a role, a database is there; the projector may become the owner.
pub(crate) const ROLE: &str = include_str!("init/role.sql");
pub(crate) const DATABASE_EXISTS: &str = include_str!("init/database_exists.sql");
const BECOME_OWNER: &str = include_str!("init/become_owner.sql");
/// The owner may log indexes without compressing them, where the administrator may grant that.
const LOG_PLAINLY: &str = include_str!("init/log_plainly.sql");
const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// The share of the free disk space that the stream may fill by default.
const SPACE_SHARE: f64 = 0.8;

/// Creates key files, the stream, and each replica's roles, database, tables and first checkpoint.
pub(crate) async fn init(config: &Config) -> Result<(), Box<dyn Error>> {
    for path in [&config.keys.sealing, &config.keys.hashing] {
        if secrets::ensure(path)? {
            println!("key file {}: made; back it up, without it addresses cannot be opened", path.display());
        }
    }
    let ring = keys::ring(&config.keys)?;
    let (current, old) = (ring.current().key_id(), ring.key_ids().skip(1).collect::<Vec<_>>());
    match old.as_slice() {
        [] => println!("sealing key: {current} is current"),
        old => println!("sealing key: {current} is current; still read: {}", old.join(", ")),
    }
    let definition = Definition {
        max_bytes: max_bytes(config)?,
        duplicate_window: Duration::from_millis(config.stream.duplicate_window_ms),
        epoch: secrets::new_epoch(),
        first: Position::FIRST,
        servers: 1,
        hashing_key: keys::hashing(&config.keys)?.id(),
    };
    let (epoch, created) = stream::create(&config.stream_settings(), &definition).await?;
    println!("stream ATELIER: {}, epoch {epoch}", if created { "created" } else { "is there" });
    for replica in &config.replicas {
        let migrations = prepare(replica, &epoch).await.map_err(|error| {
            format!(
                "replica {} at {}: {error}. See that its Postgres runs there and takes the password in {}",
                replica.name,
                replica.url,
                replica.passwords.display()
            )
        })?;
        match migrations {
            Prepared::Migrated(migrations) => {
                println!("replica {}: ready, {migrations} migrations applied now", replica.name);
            }
            Prepared::OtherVersion(found) => println!(
                "replica {0}: its rows are of projection version {found}, and this is {PROJECTION_VERSION}. They go on \
                 serving as they are; build them anew beside that: projector rebuild --replica {0}",
                replica.name
            ),
        }
    }
    Ok(())
}

/// Bytes at which a stream refuses events: as configured, or a share of the disk.
pub(crate) fn max_bytes(config: &Config) -> Result<i64, Box<dyn Error>> {
    if let Some(bytes) = config.stream.max_bytes {
        return Ok(bytes);
    }
    let folder = match &config.stream.store_dir {
        Some(folder) => folder.as_path(),
        None => config.keys.sealing.parent().unwrap_or(std::path::Path::new(".")),
    };
    let space = rustix::fs::statvfs(folder).map_err(|error| {
        format!("the free space of {} cannot be read: {error}. Set stream.max_bytes", folder.display())
    })?;
    Ok((space.f_bavail as f64 * space.f_frsize as f64 * SPACE_SHARE) as i64)
}

/// What became of a replica's serving generation.
pub(crate) enum Prepared {
    /// It is there, and so many migrations were applied now.
    Migrated(i64),
    /// It was written by another version of the projection, and is left as it is.
    OtherVersion(i32),
}

/// Makes what is missing in one replica: password files, roles, the database, its tables and first checkpoint.
pub(crate) async fn prepare(replica: &Replica, epoch: &Epoch) -> Result<Prepared, Box<dyn Error>> {
    for role in Role::OURS {
        secrets::ensure(&replica.passwords.join(role.name()))?;
    }
    let options = |role| connect_options(&replica.url, &replica.passwords, role, "projector init");
    let administrator = options(Role::Administrator)?;
    let database = administrator.get_database().unwrap_or("atelier").to_owned();

    let mut connection = PgConnection::connect_with(&administrator.clone().database("postgres")).await?;
    for role in Role::OURS {
        let password = read_password(&replica.passwords, role)?;
        ensure_role(&mut connection, role, &password).await?;
    }
    sqlx::raw_sql(BECOME_OWNER).execute(&mut connection).await?;
    if let Err(error) = sqlx::raw_sql(LOG_PLAINLY).execute(&mut connection).await {
        let code = error.as_database_error().and_then(|error| error.code());
        if code.as_deref() != Some(INSUFFICIENT_PRIVILEGE) {
            return Err(error.into());
        }
        println!(
            "replica {}: indexes of an import take longer, because its administrator may not grant wal_compression",
            replica.name
        );
    }
    let there = sqlx::query(DATABASE_EXISTS).bind(&database);
    if there.fetch_optional(&mut connection).await?.is_none() {
        let create = format!("create database {} owner atelier_owner", quoted(&database));
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await?;
    }
    connection.close().await?;

    let mut connection = PgConnection::connect_with(&administrator).await?;
    sqlx::raw_sql(AssertSqlSafe(DATABASE.replace("{database}", &quoted(&database))))
        .execute(&mut connection)
        .await?;
    connection.close().await?;

    let owner = options(Role::Owner)?.options([("search_path", SCHEMA_LIVE)]);
    let mut connection = PgConnection::connect_with(&owner).await?;
    let prepared = match generation::prepare(&mut connection, SCHEMA_LIVE, epoch).await {
        Ok(migrations) => Prepared::Migrated(migrations),
        Err(generation::Error::Failure(Failure::Version { found, .. })) => Prepared::OtherVersion(found),
        Err(error) => return Err(error.into()),
    };
    connection.close().await?;
    Ok(prepared)
}

async fn ensure_role(connection: &mut PgConnection, role: Role, password: &str) -> sqlx::Result<()> {
    let there = sqlx::query(ROLE).bind(role.name());
    let verb = if there.fetch_optional(&mut *connection).await?.is_some() { "alter" } else { "create" };
    let password = password.replace('\'', "''");
    let statement = format!("{verb} role {} login password '{password}'", role.name());
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

/// A name as a statement has it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
