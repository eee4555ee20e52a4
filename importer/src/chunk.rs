//! Cleaned rows gathered into chunks of about 512 kB, each of one table, and handed on.

use contract::catalogue::{BytesRead, CHUNK_BYTES, CatalogueChunk, Table};

use crate::copy::CopyText;

/// The longest row, a review in which everything has to be escaped, is far below this.
const ROOM_FOR_ONE_ROW: usize = 128 * 1024;

/// Takes chunks in order.
pub(crate) trait Sink {
    /// Takes one; blocks while the one before it is on its way.
    ///
    /// # Errors
    /// When nobody takes chunks any more; whoever stopped has said why.
    fn take(&mut self, chunk: CatalogueChunk) -> Result<(), Stopped>;
}

/// Nobody takes chunks any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the import was stopped")]
pub(crate) struct Stopped;

/// Cuts the rows of one table into chunks.
#[derive(Debug)]
pub(crate) struct Cutter {
    table: Table,
    rows: u64,
    pub(crate) copy: CopyText,
}

impl Cutter {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, rows: 0, copy: CopyText::with_capacity(CHUNK_BYTES + ROOM_FOR_ONE_ROW) }
    }

    /// Counts a row that was ended, and hands the chunk on when it is full. `read` is how far the files are read.
    pub(crate) fn row(&mut self, sink: &mut dyn Sink, read: BytesRead) -> Result<(), Stopped> {
        self.rows += 1;
        if self.copy.len() >= CHUNK_BYTES { self.flush(sink, read) } else { Ok(()) }
    }

    /// Hands on what is left.
    pub(crate) fn flush(&mut self, sink: &mut dyn Sink, read: BytesRead) -> Result<(), Stopped> {
        if self.rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        sink.take(CatalogueChunk { table: self.table, rows, read: Some(read), copy: self.copy.take() })
    }
}
