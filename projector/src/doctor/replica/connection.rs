//! The way to a replica's Postgres: passwords, connection, version, clock, disk.

use std::path::PathBuf;

use contract::Millis;
use replica::{Role, SCHEMA_LIVE, connect_options, read_password};
use service::config::Replica;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{Connection as _, PgConnection, Row};

use super::{Checks, told};
use crate::doctor::examination::Finding;
use crate::doctor::machine;

const SERVER: &str = include_str!("server.sql");
const FOLDER: &str = include_str!("folder.sql");
/// `grant … with set true` is of this version.
const OLDEST: i32 = 160_000;
/// What the tests run on.
const TRIED: i32 = 180_000;
/// Nothing here may write or hang, whatever a mistake in a statement.
const SESSION: [(&str, &str); 4] = [
    ("search_path", SCHEMA_LIVE),
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "5s"),
    ("lock_timeout", "2s"),
];

/// Looks at the way to the replica; gives a connection in the projector's role.
pub(super) async fn examine(checks: &mut Checks<'_>, replica: &Replica) -> Option<PgConnection> {
    let passwords = checks.check("passwords", &[], Some(()), async |()| passwords(replica)).await;
    let mut database =
        checks.check("connection", &["passwords"], passwords, async |()| connect(replica).await).await;
    let _version = checks
        .check("version", &["connection"], database.as_mut(), async |database| {
            told(ask(database).await.and_then(|row| judge_version(&row)), "see Postgres's log")
        })
        .await;
    let _clock = checks
        .check("clock", &["connection"], database.as_mut(), async |database| {
            let before = service::time::now();
            let clock = ask(database).await.and_then(|row| row.try_get("clock"));
            let after = service::time::now();
            let judged = clock.map(|clock| machine::clock("Postgres", before, Millis(clock), after));
            told(judged, "see Postgres's log")
        })
        .await;
    let _disk = checks
        .check("disk", &["connection"], database.as_ref(), async |_| match folder(replica).await {
            Ok(folder) => machine::disk(&folder, None),
            Err(why) => Finding::unknown(why),
        })
        .await;
    database
}

fn passwords(replica: &Replica) -> Finding {
    let folder = replica.passwords.display();
    for role in Role::OURS {
        if let Err(error) = read_password(&replica.passwords, role) {
            let mend = match &error {
                replica::Error::Exposed { path, .. } => format!("chmod 600 {}", path.display()),
                _ => "projector init, which gives the role a new password".to_owned(),
            };
            return Finding::fail(error.to_string(), mend);
        }
    }
    Finding::pass(format!("one for each role in {folder}, mode 600"))
}

fn options(replica: &Replica, role: Role) -> Result<PgConnectOptions, replica::Error> {
    let options = connect_options(&replica.url, &replica.passwords, role, "projector doctor")?;
    Ok(options.options(SESSION))
}

async fn connect(replica: &Replica) -> Finding<PgConnection> {
    let start = format!(
        "start Postgres at {} (a local system: cargo xtask up --detach), or name it by the replica's url",
        replica.url
    );
    let options = match options(replica, Role::Projector) {
        Ok(options) => options,
        Err(error) => return Finding::fail(error.to_string(), "mend the replica's url in atelier.toml"),
    };
    match PgConnection::connect_with(&options).await {
        Ok(connection) => Finding::known(connection, format!("answers at {}", replica.url)),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
            let mend = match code.as_ref() {
                // The password, the role or the database is not as `projector init` makes it.
                "28P01" | "28000" | "3D000" | "42501" => "projector init".to_owned(),
                // Postgres starts up, or has no connection left.
                "57P03" | "53300" => format!("wait and look again: projector doctor; if it stays: {start}"),
                _ => start,
            };
            Finding::fail(format!("Postgres at {} cannot be used: {error}", replica.url), mend)
        }
    }
}

async fn ask(database: &mut PgConnection) -> sqlx::Result<PgRow> {
    sqlx::query(SERVER).fetch_one(database).await
}

fn judge_version(row: &PgRow) -> sqlx::Result<Finding> {
    let (version, number): (String, i32) = (row.try_get("version")?, row.try_get("number")?);
    let mend = "install PostgreSQL 18, and make the replica anew in it from the stream: projector init";
    Ok(if number < OLDEST {
        Finding::fail(format!("{version} is too old; 16 is the first that is enough"), mend)
    } else if number < TRIED {
        Finding::warn((), format!("{version} was never tried; 18 is"), mend)
    } else {
        Finding::pass(version)
    })
}

/// Only the administrator may know the folder, and only here it means anything.
async fn folder(replica: &Replica) -> Result<PathBuf, String> {
    let options = options(replica, Role::Administrator).map_err(|_| {
        "only Postgres's administrator knows its folder, whose password is not here".to_owned()
    })?;
    if !machine::is_here(options.get_host()) && options.get_socket().is_none() {
        return Err("Postgres's folder is not on this machine".to_owned());
    }
    let asked = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::query(FOLDER).fetch_one(&mut connection).await?.try_get::<String, _>("folder")
    };
    let folder = asked.await.map_err(|error| format!("Postgres does not tell its folder: {error}"))?;
    Ok(PathBuf::from(folder))
}
