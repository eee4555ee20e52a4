//! Whether a database may become a replica's: looked at as its superuser, and nothing changed.

use std::time::Duration;

use replica::{Role, connect_options};
use service::config::Replica;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use crate::init;
use crate::members::Error;

/// What is in a database.
const FOUND: &str = include_str!("found.sql");
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses what is there and holds something, and what cannot be reached.
///
/// # Errors
/// By name.
pub(super) async fn refuse_unless_empty(replica: &Replica) -> Result<(), Error> {
    match tokio::time::timeout(PATIENCE, look(replica)).await {
        Ok(looked) => looked,
        Err(_) => Err(unusable(replica, &format!("it does not answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn look(replica: &Replica) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| unusable(replica, error);
    let password = replica.passwords.join(Role::Administrator.name());
    if !password.exists() {
        let why =
            format!("put the password of its superuser into {}, a file of mode 0600", password.display());
        return Err(failed(&why));
    }
    let options = connect_options(&replica.url, &replica.passwords, Role::Administrator, "projector add");
    let options = options.map_err(|error| failed(&error))?;
    let database = options.get_database().unwrap_or("atelier").to_owned();
    let mut server = connect(options.clone().database("postgres")).await.map_err(|error| failed(&error))?;
    for role in Role::OURS {
        let there = sqlx::query(init::ROLE).bind(role.name()).fetch_optional(&mut server).await;
        if there.map_err(|error| failed(&error))?.is_some() {
            refuse_another_password(replica, role).await?;
        }
    }
    let there = sqlx::query(init::DATABASE_EXISTS).bind(&database).fetch_optional(&mut server).await;
    let there = there.map_err(|error| failed(&error))?.is_some();
    // Whatever goes wrong with an end changes nothing.
    let _ended = server.close().await;
    if !there {
        return Ok(());
    }
    let found = async {
        let mut connection = connect(options).await?;
        let row = sqlx::query(FOUND).fetch_one(&mut connection).await?;
        let _ended = connection.close().await;
        row.try_get::<Option<String>, _>("found")
    };
    match found.await.map_err(|error| failed(&error))? {
        None => Ok(()),
        Some(found) => Err(Error::NotEmpty { name: replica.name.clone(), url: replica.url.clone(), found }),
    }
}

/// Preparing sets the passwords of our roles: those of another replica on the same server would stop working.
async fn refuse_another_password(replica: &Replica, role: Role) -> Result<(), Error> {
    let options = connect_options(&replica.url, &replica.passwords, role, "projector add");
    let known = match options {
        Ok(options) => connect(options.database("postgres")).await.is_ok(),
        Err(_) => false,
    };
    let (name, url) = (replica.name.clone(), replica.url.clone());
    let passwords = replica.passwords.clone();
    if known { Ok(()) } else { Err(Error::Roles { name, url, role: role.name(), passwords }) }
}

async fn connect(options: PgConnectOptions) -> sqlx::Result<PgConnection> {
    PgConnection::connect_with(&options).await
}

fn unusable(replica: &Replica, why: &dyn std::fmt::Display) -> Error {
    Error::Database { name: replica.name.clone(), url: replica.url.clone(), why: why.to_string() }
}
