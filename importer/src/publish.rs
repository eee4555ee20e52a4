//! Publishes the catalogue: opened, chunks one after another, closed; or what is left of it after an earlier run.

use std::time::{Duration, Instant};

use contract::catalogue::{CatalogueChunk, CatalogueClosed, CatalogueOpened, Table, TableRows};
use contract::{Envelope, Event, Millis, Position};
use sha2::{Digest as _, Sha256};
use stream::{Connection, Failure, Link, Message};
use tokio::sync::mpsc;

use crate::resume::{self, Begun, StoredChunk};

/// How long one try waits for its acknowledgement.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);
/// A message id is published again only this long after its first time, well within the broker's memory of ids.
const REPEATS: Duration = Duration::from_secs(45);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);
const SOURCE: &str = "/atelier/importer";
/// What to do when an import broke off.
pub(crate) const AGAIN: &str = "run the same command again, it goes on where this one stopped";

/// Why the catalogue is not, or not wholly, in the stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Stream(#[from] std::sync::Arc<stream::Error>),
    #[error("the stream could not be looked through")]
    Look(#[source] stream::Error),
    #[error("the stream already has a catalogue, closed by event {0}: a stream takes one")]
    Closed(Position),
    #[error(
        "the stream already has a catalogue, opened by event {at}, and this is another one: {difference}. Import that \
         one to its end, or this one into a new system"
    )]
    OtherCatalogue { at: Position, difference: String },
    #[error(
        "the chunk of the catalogue at {0} is not what this version makes of the same files: go on with the version \
         that began, or import into a new system"
    )]
    OtherChunks(Position),
    #[error(
        "the stream already has a shopper's event ({1} at {0}): a catalogue comes before the first one; import into a new system"
    )]
    HasEvents(Position, String),
    #[error(
        "the stream begins with what a replica held in epoch {0}, which had a catalogue or a shopper's event: a catalogue \
         comes before the first one; import into a new system"
    )]
    GoesOn(String),
    #[error("another importer is publishing into this stream: let it finish; if none is, {AGAIN}")]
    SecondImporter,
    #[error("{0}; the catalogue is incomplete: {AGAIN}")]
    Refused(Failure),
    #[error(
        "the stream has not acknowledged an event of the import for 45 s, so nobody knows whether it has it; the \
         catalogue is incomplete: when nats-server runs, {AGAIN}"
    )]
    Unknown,
}

/// Publishes one catalogue.
pub(crate) struct Publisher {
    connection: Connection,
    /// Begins every message id; the same for the same files and keys.
    catalogue: String,
    time: Millis,
    chunks: u64,
    /// The last chunk that an earlier run has stored.
    stored: Option<StoredChunk>,
    /// The last chunk's position; 0 before the first.
    last_chunk: u64,
    /// The last position that is known to be before the next event.
    last: Position,
    /// Going on after an earlier run, whose last event may just be arriving.
    resumed: bool,
    rows: [u64; Table::ALL.len()],
}

impl Publisher {
    /// Publishes the opening event, or goes on behind what `begun` says.
    pub(crate) async fn open(
        connection: Connection,
        opened: CatalogueOpened,
        begun: Option<Begun>,
        time: Millis,
    ) -> Result<Self, Error> {
        if let Some(begun) = &begun {
            resume::compare(begun, &opened)?;
        }
        let event = Event::CatalogueOpened(opened);
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(event.payload())[..10]);
        let stored = begun.as_ref().and_then(|begun| begun.chunk);
        let before_first = begun.as_ref().map_or(Position::BEFORE_FIRST, |begun| begun.at);
        let mut publisher = Self {
            connection,
            catalogue: format!("catalogue-{digest}"),
            time,
            chunks: 0,
            stored,
            last_chunk: stored.map_or(0, |chunk| chunk.at.0),
            last: stored.map_or(before_first, |chunk| chunk.at),
            resumed: begun.is_some(),
            rows: [0; Table::ALL.len()],
        };
        if begun.is_none() {
            publisher.publish("opened", &event, 0).await?;
        }
        Ok(publisher)
    }

    /// Publishes chunks, one at a time, until there are no more. Those that an earlier run has stored are counted.
    pub(crate) async fn chunks(&mut self, chunks: &mut mpsc::Receiver<CatalogueChunk>) -> Result<(), Error> {
        while let Some(chunk) = chunks.recv().await {
            self.chunks += 1;
            self.rows[chunk.table as usize] += chunk.rows;
            let name = self.chunks.to_string();
            let event = Event::CatalogueChunk(chunk);
            match self.stored {
                Some(stored) if self.chunks < stored.number => {}
                Some(stored) if self.chunks == stored.number => {
                    if self.message(&name, &event).hash() != stored.hash {
                        return Err(Error::OtherChunks(stored.at));
                    }
                }
                _ => self.last_chunk = self.publish(&name, &event, self.last_chunk).await?.0,
            }
        }
        match self.stored {
            Some(stored) if self.chunks < stored.number => Err(Error::OtherChunks(stored.at)),
            _ => Ok(()),
        }
    }

    /// Publishes the closing event and answers its position.
    pub(crate) async fn close(mut self) -> Result<Position, Error> {
        let tables = Table::ALL.map(|table| TableRows { table, rows: self.rows[table as usize] });
        let event = Event::CatalogueClosed(CatalogueClosed { tables: tables.to_vec() });
        self.publish("closed", &event, 0).await
    }

    fn message(&self, name: &str, event: &Event) -> Message {
        let envelope = Envelope::new(format!("{}-{name}", self.catalogue), self.time, SOURCE);
        Message::new(&envelope, event)
    }

    async fn publish(&mut self, name: &str, event: &Event, last_on_subject: u64) -> Result<Position, Error> {
        let message = self.message(name, event).expecting_last_on_subject(last_on_subject);
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
                    (self.last, self.resumed) = (placed.position, false);
                    return Ok(placed.position);
                }
                Err(Failure::Unanswered(reason)) => {
                    tracing::warn!(reason, event = message.id, "not acknowledged yet, publishing again");
                    repeated = true;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Failure::Refused { code: Failure::WRONG_LAST, .. }) => {
                    if !repeated && !self.resumed {
                        return Err(Error::SecondImporter);
                    }
                    match self.stored(&link, &message).await {
                        Ok(found) => {
                            (self.last, self.resumed) = (found.ok_or(Error::SecondImporter)?, false);
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
