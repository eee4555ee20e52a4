//! Publishes the catalogue: opened, chunks one after another, closed; and refuses a stream that is not fresh.

use std::time::{Duration, Instant};

use contract::catalogue::{CatalogueChunk, CatalogueClosed, CatalogueOpened, Table, TableRows};
use contract::{Envelope, Event, Millis, Position};
use sha2::{Digest as _, Sha256};
use stream::{Connection, Failure, Link, Message};
use tokio::sync::mpsc;

/// How long one try waits for its acknowledgement.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);
/// A message id is published again only this long after its first time, well within the broker's memory of ids.
const REPEATS: Duration = Duration::from_secs(45);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);
const SOURCE: &str = "/atelier/importer";
/// What to do when an import broke off.
pub(crate) const AGAIN: &str =
    "an import cannot be resumed yet: remove the data (`cargo xtask reset --yes`) and import again";

/// Why the catalogue is not, or not wholly, in the stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Stream(#[from] std::sync::Arc<stream::Error>),
    #[error("the stream could not be looked through")]
    Look(#[source] stream::Error),
    #[error(
        "the stream already has a catalogue (event {0}, {1}): a stream takes one; if its import was interrupted, {AGAIN}"
    )]
    HasCatalogue(Position, String),
    #[error("the stream already has a shopper's event ({1} at {0}): a catalogue comes before the first one")]
    HasEvents(Position, String),
    #[error(
        "another importer is publishing into this stream: let it finish, and stop this one; {AGAIN} if none is"
    )]
    SecondImporter,
    #[error("{0}; the catalogue is incomplete: {AGAIN}")]
    Refused(Failure),
    #[error(
        "the stream has not acknowledged an event of the import for 45 s, so nobody knows whether it has it; the \
         catalogue is incomplete: {AGAIN}"
    )]
    Unknown,
}

/// Publishes one catalogue.
pub(crate) struct Publisher {
    connection: Connection,
    /// Begins every message id; the same for the same files and key.
    catalogue: String,
    time: Millis,
    chunks: u64,
    /// The last chunk's position; 0 before the first.
    last_chunk: u64,
    /// The last position that is known to be before the next event.
    last: Position,
    rows: [u64; Table::ALL.len()],
}

impl Publisher {
    /// Looks whether the stream is fresh: control events apart, nothing may be in it.
    pub(crate) async fn look(connection: &Connection) -> Result<(), Error> {
        let link = connection.verified().await?;
        let head = link.head().await.map_err(Error::Look)?;
        let mut position = Position::FIRST;
        // The first event that is no marker decides, and markers are few.
        while position <= head {
            let event = link.read(position).await.map_err(Error::Look)?;
            let kind = event.subject.trim_start_matches("atelier.v1.");
            if kind.starts_with("catalogue.") {
                return Err(Error::HasCatalogue(position, kind.to_owned()));
            }
            if !kind.starts_with("control.") {
                return Err(Error::HasEvents(position, kind.to_owned()));
            }
            position = position.next();
        }
        Ok(())
    }

    /// Publishes the opening event.
    pub(crate) async fn open(
        connection: Connection,
        opened: CatalogueOpened,
        time: Millis,
    ) -> Result<Self, Error> {
        let event = Event::CatalogueOpened(opened);
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(event.payload())[..10]);
        let catalogue = format!("catalogue-{digest}");
        let mut publisher = Self {
            connection,
            catalogue,
            time,
            chunks: 0,
            last_chunk: 0,
            last: Position::BEFORE_FIRST,
            rows: [0; Table::ALL.len()],
        };
        publisher.publish("opened", &event, 0).await?;
        Ok(publisher)
    }

    /// Publishes chunks, one at a time, until there are no more.
    pub(crate) async fn chunks(&mut self, chunks: &mut mpsc::Receiver<CatalogueChunk>) -> Result<(), Error> {
        while let Some(chunk) = chunks.recv().await {
            self.chunks += 1;
            self.rows[chunk.table as usize] += chunk.rows;
            let name = self.chunks.to_string();
            self.last_chunk = self.publish(&name, &Event::CatalogueChunk(chunk), self.last_chunk).await?.0;
        }
        Ok(())
    }

    /// Publishes the closing event and answers its position.
    pub(crate) async fn close(mut self) -> Result<Position, Error> {
        let tables = Table::ALL.map(|table| TableRows { table, rows: self.rows[table as usize] });
        let event = Event::CatalogueClosed(CatalogueClosed { tables: tables.to_vec() });
        self.publish("closed", &event, 0).await
    }

    async fn publish(&mut self, name: &str, event: &Event, last_on_subject: u64) -> Result<Position, Error> {
        let envelope = Envelope::new(format!("{}-{name}", self.catalogue), self.time, SOURCE);
        let message = Message::new(&envelope, event).expecting_last_on_subject(last_on_subject);
        let first = Instant::now();
        let mut repeated = false;
        while first.elapsed() < REPEATS {
            let left = REPEATS.saturating_sub(first.elapsed());
            let Ok(link) = tokio::time::timeout(left, self.connection.verified()).await else {
                break;
            };
            let link = link?;
            match link.publish(&message, ACKNOWLEDGEMENT.min(left)).await {
                Ok(placed) => {
                    self.last = placed.position;
                    return Ok(placed.position);
                }
                Err(Failure::Unanswered(reason)) => {
                    tracing::warn!(reason, event = envelope.id, "not acknowledged yet, publishing again");
                    repeated = true;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Failure::Refused { code: Failure::WRONG_LAST, .. }) => {
                    if !repeated {
                        return Err(Error::SecondImporter);
                    }
                    match self.stored(&link, &message).await {
                        Ok(found) => {
                            self.last = found.ok_or(Error::SecondImporter)?;
                            return Ok(self.last);
                        }
                        Err(error) => tracing::warn!(%error, "the stream could not be looked through"),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Err(refused) => return Err(Error::Refused(refused)),
            }
        }
        Err(Error::Unknown)
    }

    /// Where the stream has this event, whose acknowledgement was lost: the broker compares what a repeat expects
    /// before it looks for its message id, and refuses it. Few events can lie behind the one before.
    async fn stored(&self, link: &Link, message: &Message) -> stream::Result<Option<Position>> {
        let head = link.head().await?;
        let mut position = self.last.next();
        while position <= head {
            if link.read(position).await?.hash() == message.hash() {
                return Ok(Some(position));
            }
            position = position.next();
        }
        Ok(None)
    }
}
