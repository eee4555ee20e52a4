//! `projector address`: opens one e-mail address, under whichever key sealed it.
//!
//! What was written here is sealed for its event, which the stream holds under the id; what was imported is sealed for
//! its row, which the replicas hold.

use std::error::Error;
use std::time::Duration;

use contract::{Envelope, Event, Position};
use replica::{Role, SCHEMA_LIVE, connect_options};
use service::config::Replica;
use service::{Config, keys};
use sqlx::{Connection as _, PgConnection, Row as _};
use stream::Connection;
use tokio_util::sync::CancellationToken;

use crate::config::Sealed;

/// How long the stream, or one replica, may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

impl Sealed {
    fn word(self) -> &'static str {
        match self {
            Sealed::Review => "review",
            Sealed::Question => "question",
            Sealed::Answer => "answer",
        }
    }

    /// The table, which is also what its rows are sealed for.
    fn table(self) -> &'static str {
        match self {
            Sealed::Review => "reviews",
            Sealed::Question => "questions",
            Sealed::Answer => "answers",
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Sealed::Review => include_str!("address/review.sql"),
            Sealed::Question => include_str!("address/question.sql"),
            Sealed::Answer => include_str!("address/answer.sql"),
        }
    }

    /// The sealed address in an event that made one of these.
    fn of(self, event: &Event) -> Option<&str> {
        match (self, event) {
            (Sealed::Review, Event::ReviewCreated(review)) => Some(&review.reviewer_email),
            (Sealed::Question, Event::QuestionCreated(question)) => Some(&question.asker_email),
            (Sealed::Answer, Event::AnswerCreated(answer)) => Some(&answer.answerer_email),
            _ => None,
        }
    }
}

/// Prints the address.
///
/// # Errors
/// When nothing has this id, its key is not here, or the stream or no replica can be asked.
pub(crate) async fn address(config: &Config, kind: Sealed, id: i64) -> Result<(), Box<dyn Error>> {
    let ring = keys::ring(&config.keys)?;
    let unknown = || format!("there is no {} {id}", kind.word());
    let opened = if id < Position::FIRST.as_i64() {
        let row = imported(config, kind, id).await?.ok_or_else(unknown)?;
        let sealed = row.ok_or_else(|| format!("{} {id} was imported without an address", kind.word()))?;
        ring.open(&sealed, kind.table(), &id.to_string())?
    } else {
        let (envelope, event) = written(config, Position::from_i64(id)).await?.ok_or_else(unknown)?;
        ring.open(kind.of(&event).ok_or_else(unknown)?, event.type_name(), &envelope.id)?
    };
    println!("{opened}");
    Ok(())
}

async fn written(config: &Config, position: Position) -> Result<Option<(Envelope, Event)>, Box<dyn Error>> {
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let connection = Connection::open(config.stream_settings(), "atelier projector address", stop);
    let link =
        tokio::time::timeout(PATIENCE, connection.verified()).await.map_err(|_| {
            match connection.current() {
                Err(error) => error.to_string(),
                Ok(_) => "nats-server was slow to answer".to_owned(),
            }
        })??;
    match link.read(position).await {
        Ok(stored) => Ok(Some(stored.decode()?)),
        Err(stream::Error::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What an imported row holds: perhaps no address.
type Row = Option<String>;

/// From the first replica that has it; one may be behind or new.
async fn imported(config: &Config, kind: Sealed, id: i64) -> Result<Option<Row>, Box<dyn Error>> {
    let mut failures = Vec::new();
    for replica in &config.replicas {
        match tokio::time::timeout(PATIENCE, row(replica, kind, id)).await {
            Ok(Ok(Some(sealed))) => return Ok(Some(sealed)),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => failures.push(format!("replica {}: {error}", replica.name)),
            Err(_) => {
                failures.push(format!("replica {}: no answer in {} s", replica.name, PATIENCE.as_secs()))
            }
        }
    }
    if failures.is_empty() { Ok(None) } else { Err(failures.join("; ").into()) }
}

async fn row(replica: &Replica, kind: Sealed, id: i64) -> Result<Option<Row>, Box<dyn Error>> {
    let options = connect_options(&replica.url, &replica.passwords, Role::Projector, "projector address")?;
    let mut connection = PgConnection::connect_with(&options.options([("search_path", SCHEMA_LIVE)])).await?;
    let row = sqlx::query(kind.statement()).bind(id).fetch_optional(&mut connection).await?;
    connection.close().await?;
    Ok(row.map(|row| row.try_get("sealed")).transpose()?)
}
