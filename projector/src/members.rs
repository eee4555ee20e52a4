//! What adding and dropping a replica have in common: who speaks for it, who reads from it, and what a supervisor on this
//! machine has done.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use replica::SCHEMA_LIVE;
use serde::Deserialize;
use service::config::{Piece, Replica, Stage};
use sqlx::{Connection, PgConnection, Row};

use crate::generation;

/// How many sessions readers have in a replica.
const READERS: &str = include_str!("members/readers.sql");
/// Between two looks at what others do.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// How long a replica's Postgres may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a replica did not come or go.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its name cannot be one.
    #[error("{0:?} is no name for a replica: use lower-case letters and digits")]
    Name(String),
    /// Its address cannot be one.
    #[error(
        "{0:?} is no address of a database: write postgres://HOST:PORT/DATABASE, without user and password; the superuser's \
         password lies in a file of mode 0600 named postgres in the folder of --passwords"
    )]
    Url(String),
    /// There is such a replica.
    #[error("there is a replica {name} already, at {url}: choose another name, or drop it first")]
    Exists {
        /// Its name.
        name: String,
        /// Its database.
        url: String,
    },
    /// Another one has this database.
    #[error("replica {name} has the database {url} already: name another one")]
    Taken {
        /// The other one.
        name: String,
        /// The database.
        url: String,
    },
    /// It was begun with something else.
    #[error(
        "replica {name} is being added with the database {url}: go on with that one, or give it up by `projector drop \
         --replica {name}`"
    )]
    Begun {
        /// Its name.
        name: String,
        /// The database it was begun with.
        url: String,
    },
    /// It is on its way out.
    #[error("replica {0} is being dropped: end that first by `projector drop --replica {0}`")]
    Leaving(String),
    /// Its database cannot be used.
    #[error("replica {name}: its database at {url} cannot be used: {why}. Nothing was changed")]
    Database {
        /// The replica.
        name: String,
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// Something is in it.
    #[error(
        "replica {name}: the database at {url} is not empty: it holds {found}. Name an empty one, or one that is not there \
         yet. Nothing was changed"
    )]
    NotEmpty {
        /// The replica.
        name: String,
        /// Where.
        url: String,
        /// What is in it.
        found: String,
    },
    /// The server has our roles, and we do not know their passwords.
    #[error(
        "replica {name}: the server of {url} has the role {role} already, and its password is not that in {}: another replica \
         lives there. Name its folder of passwords by --passwords, or another server. Nothing was changed", passwords.display()
    )]
    Roles {
        /// The replica.
        name: String,
        /// Where.
        url: String,
        /// A role that is there.
        role: &'static str,
        /// The folder with what we know.
        passwords: PathBuf,
    },
    /// The piece of configuration cannot be changed.
    #[error("{} cannot be changed: {source}", path.display())]
    Piece {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Nobody would be left.
    #[error(
        "replica {0} is the last one that serves, and is not dropped: add another one first, or see by `projector status` why the \
         others do not serve"
    )]
    Last(String),
    /// Another command is at it.
    #[error("another `projector drop` is under way: wait for it")]
    Busy,
    /// Others did not do their part.
    #[error("within {seconds} s it was not seen that {what}: {said}. The same command goes on from here")]
    NotSeen {
        /// What was waited for.
        what: String,
        /// What was seen last.
        said: String,
        /// How long.
        seconds: u64,
    },
}

/// Changes a replica's piece of configuration.
///
/// # Errors
/// [`Error::Piece`].
pub(crate) fn write(piece: &Piece, stage: Stage, config: &Path) -> Result<(), Error> {
    let failed =
        |source| Error::Piece { path: service::config::pieces::file_of(config, &piece.name), source };
    Piece { stage, ..piece.clone() }.write(config).map_err(failed)
}

/// A supervisor on this machine that watches the pieces of this configuration.
pub(crate) struct Supervisor {
    told: PathBuf,
}

/// What it does for a replica.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    /// `stopped`, `running` or `serving`.
    pub(crate) state: String,
    /// What it could not do, and tries again.
    pub(crate) trouble: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    replicas: HashMap<String, Done>,
}

impl Supervisor {
    /// It holds `lock` beside the configuration as long as it lives.
    pub(crate) fn of(config: &Path) -> Option<Supervisor> {
        let folder = config.parent().unwrap_or(Path::new(""));
        let lock = File::open(folder.join("lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(Supervisor { told: folder.join("members.json") }),
            _ => None,
        }
    }

    /// What it does for a replica; none when it does nothing, or has not said anything yet.
    pub(crate) fn done(&self, replica: &str) -> Option<Done> {
        let text = std::fs::read_to_string(&self.told).ok()?;
        serde_json::from_str::<Told>(&text).ok()?.replicas.remove(replica)
    }

    /// Its trouble with a replica, as an addition to a sentence.
    pub(crate) fn trouble(&self, replica: &str) -> String {
        let trouble = self.done(replica).and_then(|done| done.trouble);
        trouble.map_or(String::new(), |trouble| format!("; its supervisor says: {trouble}"))
    }
}

/// How many sessions readers have in a replica.
///
/// # Errors
/// When its database does not answer.
pub(crate) async fn readers(replica: &Replica) -> Result<i64, String> {
    let count = async {
        let options = generation::applying(replica, SCHEMA_LIVE)?;
        let mut connection = PgConnection::connect_with(&options).await?;
        let sessions: i64 = sqlx::query(READERS).fetch_one(&mut connection).await?.try_get("sessions")?;
        connection.close().await?;
        Ok::<_, replica::Error>(sessions)
    };
    match tokio::time::timeout(PATIENCE, count).await {
        Ok(count) => count.map_err(|error| format!("its Postgres: {error}")),
        Err(_) => Err("its Postgres does not answer".to_owned()),
    }
}

/// Looks again and again until something is so; `look` says what is missing.
///
/// # Errors
/// [`Error::NotSeen`].
pub(crate) async fn until(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<(), String>,
) -> Result<(), Error> {
    let began = Instant::now();
    while let Err(said) = look().await {
        if began.elapsed() > within {
            return Err(Error::NotSeen { what: what.to_owned(), said, seconds: within.as_secs() });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

/// Says something to people; programs are told at the end.
pub(crate) fn say(json: bool, text: &str) {
    if !json {
        println!("{text}");
    }
}
