//! The import as a whole: look, take stock, open or go on, pass, close.

use std::path::PathBuf;
use std::time::Instant;

use contract::catalogue::{CatalogueChunk, CatalogueOpened};
use contract::{Millis, Position};
use service::telemetry::say;
use stream::Connection;
use tokio::sync::mpsc;

use crate::chunk::{Sink, Stopped};
use crate::keys::Keys;
use crate::progress::Progress;
use crate::publish::{self, AGAIN, Publisher};
use crate::quarantine::{self, Quarantine};
use crate::summary::FileCounts;
use crate::{inventory, pass, resume};

/// Chunks that wait while one is on its way: enough to keep both sides busy.
const WAITING_CHUNKS: usize = 2;

/// What is imported, and where to.
pub(crate) struct Import {
    pub(crate) folder: PathBuf,
    pub(crate) quarantine_folder: PathBuf,
    pub(crate) keys: Keys,
    pub(crate) connection: Connection,
    pub(crate) time: Millis,
}

/// What became of it.
pub(crate) struct Imported {
    pub(crate) counts: Vec<FileCounts>,
    pub(crate) quarantine: PathBuf,
    /// Of the closing event.
    pub(crate) closed: Position,
}

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Before anything was published.
    #[error(transparent)]
    Files(#[from] pass::Error),
    #[error("the catalogue is incomplete: {AGAIN}")]
    Incomplete(#[source] pass::Error),
    #[error(transparent)]
    Quarantine(#[from] quarantine::Error),
    #[error(transparent)]
    Publish(#[from] publish::Error),
    #[error("the thread that reads the files ended early")]
    Thread(#[from] tokio::task::JoinError),
}

/// Hands chunks to the task that publishes them.
struct Channel(mpsc::Sender<CatalogueChunk>);

impl Sink for Channel {
    fn take(&mut self, chunk: CatalogueChunk) -> Result<(), Stopped> {
        self.0.blocking_send(chunk).map_err(|_| Stopped)
    }
}

impl Import {
    /// Imports everything.
    pub(crate) async fn run(self) -> Result<Imported, Error> {
        let started = Instant::now();
        let begun = resume::look(&self.connection).await?;
        let folder = self.folder.clone();
        let (bytes, files) = tokio::task::spawn_blocking(move || {
            let bytes = inventory::size(&folder)?;
            let mut progress = Progress::start("checking", bytes);
            let files = inventory::take(&folder, &mut |seen| progress.show(seen))?;
            progress.finish();
            Ok::<_, pass::Error>((bytes, files))
        })
        .await??;
        let opened = CatalogueOpened {
            files,
            sealing_key: self.keys.sealing_id(),
            hashing_key: Some(self.keys.hashing_id()),
        };
        let chunks = begun.as_ref().map(|begun| begun.chunk.map_or(0, |chunk| chunk.number));
        let mut publisher = Publisher::open(self.connection, opened, begun, self.time).await?;
        match chunks {
            None => tracing::info!(bytes, seconds = started.elapsed().as_secs_f64(), "the catalogue is open"),
            Some(chunks) => say(&format!(
                "importer: going on with the import that was begun, behind the {chunks} chunks that it has stored"
            )),
        }
        // What an earlier run set aside is found again.
        let mut quarantine = Quarantine::create(&self.quarantine_folder)?;
        let (sender, mut receiver) = mpsc::channel(WAITING_CHUNKS);
        let (folder, keys) = (self.folder, self.keys);
        let pass = tokio::task::spawn_blocking(move || {
            let mut progress = Progress::start("importing", bytes);
            let show = &mut |seen| progress.show(seen);
            let counts = pass::run(&folder, bytes, &keys, &mut quarantine, &mut Channel(sender), show);
            progress.finish();
            let path = quarantine.finish();
            Ok::<_, Error>((counts.map_err(Error::Incomplete)?, path?))
        });
        let published = publisher.chunks(&mut receiver).await;
        // Whoever still reads files is told by the closed channel.
        drop(receiver);
        let passed = pass.await?;
        // Whichever side broke off first is the cause; the other only noticed.
        let (counts, quarantine) = match (passed, published) {
            (Err(Error::Incomplete(pass::Error::Stopped(_))) | Ok(_), Err(error)) => return Err(error.into()),
            (passed, _) => passed?,
        };
        let closed = publisher.close().await?;
        Ok(Imported { counts, quarantine, closed })
    }
}
