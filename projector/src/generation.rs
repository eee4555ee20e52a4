//! A generation of a replica: a schema with everything in it. One serves (`live`), one may be being built beside it
//! (`building`), and the one that served before is kept to go back to (`previous`).

use contract::{Epoch, PROJECTION_VERSION, Position};
use replica::{Role, connect_options};
use service::config::Replica;
use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::failure::Failure;

/// Tables of a generation.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");
/// What each role may do in a generation; `{schema}` stands for its name.
pub(crate) const GRANTS: &str = include_str!("generation/grants.sql");
/// The newest migration of a generation.
const LAST_MIGRATION: &str = include_str!("generation/last_migration.sql");
/// How many migrations a generation has.
const MIGRATED: &str = include_str!("generation/migrated.sql");
const MIGRATIONS_EXIST: &str = include_str!("generation/migrations_exist.sql");
/// Which projection version wrote a generation.
const VERSION: &str = include_str!("generation/version.sql");
/// The first checkpoint of a generation.
const CHECKPOINT: &str = include_str!("generation/checkpoint.sql");

/// Why a generation could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Another version wrote it.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A table could not be made.
    #[error("a migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// How a projector connects to apply: one generation's schema alone; commits without waiting for the disk, because the stream
/// is the write-ahead log of the whole system.
pub(crate) fn applying(replica: &Replica, schema: &str) -> Result<PgConnectOptions, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector")?;
    Ok(options.options([
        ("search_path", schema),
        ("synchronous_commit", "off"),
        ("idle_in_transaction_session_timeout", "60s"),
        ("lock_timeout", "10s"),
        // A statement whose projector is gone ends soon, and gives its locks back.
        ("client_connection_check_interval", "2s"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_user_timeout", "10000"),
    ]))
}

/// How the owner of a generation's tables connects, for what only it may do.
pub(crate) fn owning(replica: &Replica, schema: &str) -> Result<PgConnectOptions, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Owner, "projector")?;
    Ok(options.options([("search_path", schema), ("lock_timeout", "10s")]))
}

/// The migrations that make a generation.
pub(crate) fn migrations() -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter()
}

/// Makes what is missing in a schema that is there: tables, first checkpoint, grants. The connection is the owner's and
/// its `search_path` is the schema. Answers how many migrations were applied now.
///
/// # Errors
/// When another projection version wrote the rows: migrating its tables would leave them with neither.
pub(crate) async fn prepare(
    connection: &mut PgConnection,
    schema: &str,
    epoch: &Epoch,
) -> Result<i64, Error> {
    let before = applied_migrations(connection).await?;
    if before > 0 {
        refuse_another_version(connection).await?;
    }
    MIGRATIONS.run(&mut *connection).await?;
    let after = applied_migrations(connection).await?;
    sqlx::query(CHECKPOINT)
        .bind(Position::BEFORE_FIRST.as_i64())
        .bind(epoch.as_str())
        .bind(PROJECTION_VERSION)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql(AssertSqlSafe(GRANTS.replace("{schema}", schema))).execute(connection).await?;
    Ok(after - before)
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
