//! `projector init`: everything that must be there before a service starts. Get first, create if absent.

use std::error::Error;
use std::time::Duration;

use contract::{Epoch, PROJECTION_VERSION, Position};
use replica::{Role, SCHEMA_LIVE, connect_options, read_password};
use service::config::Replica;
use service::{Config, keys};
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use stream::Definition;

use crate::failure::Failure;
use crate::secrets;

/// Tables of a generation.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");
/// What each role may do in a generation; `{schema}` stands for its name.
pub(crate) const GRANTS: &str = include_str!("init/grants.sql");
/// The database and its schemas.
const DATABASE: &str = include_str!("init/database.sql");
/// The newest migration of a generation.
const LAST_MIGRATION: &str = include_str!("init/last_migration.sql");
/// Whether a role, a database is there; the projector may become the owner.
const ROLE: &str = include_str!("init/role.sql");
const DATABASE_EXISTS: &str = include_str!("init/database_exists.sql");
const BECOME_OWNER: &str = include_str!("init/become_owner.sql");
/// The owner may log indexes without compressing them, where the administrator may grant that.
const LOG_PLAINLY: &str = include_str!("init/log_plainly.sql");
const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// How many migrations a generation has.
const MIGRATED: &str = include_str!("init/migrated.sql");
const MIGRATIONS_EXIST: &str = include_str!("init/migrations_exist.sql");
/// Which projection version wrote a generation.
const VERSION: &str = include_str!("init/version.sql");
/// The first checkpoint of a generation.
const CHECKPOINT: &str = include_str!("init/checkpoint.sql");
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
        println!("replica {}: ready, {migrations} migrations applied now", replica.name);
    }
    Ok(())
}

fn max_bytes(config: &Config) -> Result<i64, Box<dyn Error>> {
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

async fn prepare(replica: &Replica, epoch: &Epoch) -> Result<usize, Box<dyn Error>> {
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
    let before = applied_migrations(&mut connection).await?;
    if before > 0 {
        refuse_another_version(&mut connection).await?;
    }
    MIGRATIONS.run(&mut connection).await?;
    let after = applied_migrations(&mut connection).await?;
    sqlx::query(CHECKPOINT)
        .bind(Position::BEFORE_FIRST.as_i64())
        .bind(epoch.as_str())
        .bind(PROJECTION_VERSION)
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql(AssertSqlSafe(GRANTS.replace("{schema}", SCHEMA_LIVE))).execute(&mut connection).await?;
    connection.close().await?;
    Ok((after - before) as usize)
}

async fn ensure_role(connection: &mut PgConnection, role: Role, password: &str) -> sqlx::Result<()> {
    let there = sqlx::query(ROLE).bind(role.name());
    let verb = if there.fetch_optional(&mut *connection).await?.is_some() { "alter" } else { "create" };
    let password = password.replace('\'', "''");
    let statement = format!("{verb} role {} login password '{password}'", role.name());
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

/// The migrations that make a generation.
pub(crate) fn migrations() -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter()
}

/// Checks that the generation's tables are those that this binary works with.
///
/// # Errors
/// When other migrations were applied, or none.
pub(crate) async fn verify_tables(connection: &mut PgConnection) -> Result<(), Failure> {
    let found: i64 = sqlx::query(LAST_MIGRATION).fetch_one(connection).await?.try_get("version")?;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    if found == ours { Ok(()) } else { Err(Failure::Tables { found, ours }) }
}

/// Migrating the tables of another projection version would leave them with neither.
async fn refuse_another_version(connection: &mut PgConnection) -> Result<(), Failure> {
    let Some(row) = sqlx::query(VERSION).fetch_optional(connection).await? else { return Ok(()) };
    let found: i32 = row.try_get("projection_version")?;
    if found == PROJECTION_VERSION {
        Ok(())
    } else {
        Err(Failure::Version { found, ours: PROJECTION_VERSION })
    }
}

async fn applied_migrations(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let there: bool = sqlx::query(MIGRATIONS_EXIST).fetch_one(&mut *connection).await?.get(0);
    if !there {
        return Ok(0);
    }
    Ok(sqlx::query(MIGRATED).fetch_one(connection).await?.get(0))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
