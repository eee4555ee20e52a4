//! Why a document could not be fetched, and what the shopper is told.

use std::time::Duration;

use service::Problem;
use service::problem::pages;
use sqlx::error::DatabaseError;

use crate::statement::Statement;

const TOO_MUCH: &str = "more is being read than can be answered just now; try again";

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The queue is full.
    #[error("as many requests wait for a connection as may")]
    Crowded,
    /// No connection became free in time.
    #[error("no connection was free in {0:?}")]
    Waited(Duration),
    /// Requests come faster than they can be answered.
    #[error("requests come faster than they can be answered; this one waited for {0:?}")]
    Overloaded(Duration),
    /// Answers that are not sent yet take all the memory that they may.
    #[error("answers that are still being sent leave no room for one of {0} bytes")]
    NoRoom(usize),
    /// The reader knows that its replica cannot be reached.
    #[error("the replica is away: {0}")]
    Away(String),
    /// The connection broke, or none could be made.
    #[error("the connection to the replica was lost: {0}")]
    Lost(#[source] sqlx::Error),
    /// Nothing was heard, not even that the statement timed out.
    #[error("the replica did not answer in {0:?}")]
    Silent(Duration),
    /// The statement ran into its time-out.
    #[error("the statement ran into its time-out")]
    Slow(#[source] sqlx::Error),
    /// The replica has no room for us now.
    #[error("the replica refused: {0}")]
    Refused(#[source] sqlx::Error),
    /// It had none a moment ago.
    #[error("the replica had no connection left a moment ago")]
    Full,
    /// The replica's tables or grants are not what a reader needs; another replica's may be.
    #[error("the replica is not what a reader needs: {0}. `projector init` makes what is missing")]
    Unfit(#[source] sqlx::Error),
    /// The statement failed by itself: our fault.
    #[error("the statement failed: {0}")]
    Failed(#[source] sqlx::Error),
    /// The reader is going.
    #[error("the reader is stopping")]
    Stopping,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        let code = error.as_database_error().and_then(DatabaseError::code);
        match (&error, code.as_deref()) {
            (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_), _) => Error::Lost(error),
            // Shut down, crashed, starting up, the session ended from outside; broken connections.
            (_, Some("57P01" | "57P02" | "57P03" | "57P05")) => Error::Lost(error),
            // A table changed under a prepared statement: sqlx would run into it on this connection for ever.
            (_, Some("0A000")) => Error::Lost(error),
            (_, Some("57014")) => Error::Slow(error),
            // No such table, column or schema; no permission.
            (_, Some("42P01" | "42703" | "3F000" | "42501")) => Error::Unfit(error),
            // No checkpoint row.
            (sqlx::Error::RowNotFound, _) => Error::Unfit(error),
            (_, Some(code)) if code.starts_with("08") => Error::Lost(error),
            (_, Some(code)) if code.starts_with("53") => Error::Refused(error),
            _ => Error::Failed(error),
        }
    }
}

impl Error {
    /// Whether the connection is of no use any more.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Error::Lost(_) | Error::Silent(_))
    }

    /// Says it once in the log, under the request's id, and makes of it what the shopper may know.
    pub(crate) fn report(self, statement: &Statement) -> Problem {
        let statement = statement.name;
        match &self {
            // The front logs the refusal itself; the availability's own line says why.
            Error::Crowded
            | Error::Waited(_)
            | Error::Overloaded(_)
            | Error::NoRoom(_)
            | Error::Away(_)
            | Error::Full
            | Error::Stopping => {
                tracing::debug!(statement, "a read was refused: {self}");
            }
            Error::Lost(_) | Error::Silent(_) | Error::Slow(_) | Error::Refused(_) => {
                tracing::warn!(statement, "a read was refused: {self}");
            }
            Error::Unfit(_) | Error::Failed(_) => tracing::error!(statement, "a read failed: {self}"),
        }
        match self {
            Error::Overloaded(_) => Problem::overloaded(TOO_MUCH),
            // Another reader may well have what this one has not: nginx asks it.
            Error::Crowded | Error::Waited(_) | Error::NoRoom(_) | Error::Refused(_) | Error::Full => {
                Problem::unavailable(pages::OVERLOADED, TOO_MUCH)
            }
            Error::Slow(_) => Problem::unavailable(
                pages::READ_TOO_SLOW,
                "the answer took longer than a read may; try again, or ask for less",
            ),
            Error::Away(_) | Error::Lost(_) | Error::Silent(_) | Error::Unfit(_) => Problem::unavailable(
                pages::REPLICA_AWAY,
                "the database behind this answer cannot be reached just now; try again",
            ),
            Error::Stopping => Problem::unavailable(pages::STOPPING, "this reader is stopping; try again"),
            Error::Failed(_) => Problem::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_given_up_and_a_failed_statement_is_not() {
        let broken = Error::from(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
        assert!(broken.ends_connection(), "{broken:?}");
        let failed = Error::from(sqlx::Error::ColumnNotFound("document".to_owned()));
        assert!(matches!(failed, Error::Failed(_)), "{failed:?}");
        assert!(!failed.ends_connection());
    }
}
