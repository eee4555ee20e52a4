//! Another life of the stream: the old one is closed, then deleted; the new one is made closed, and opened when replicas stand
//! at its beginning.
//!
//! Who closes a stream takes nothing from it but its subjects. Everyone verifies those, so nobody connects to it, and the server
//! itself refuses what is published: also what another team's tool sends. It can be opened again as it was.

use contract::event::types;
use contract::{Position, subject};

use crate::connect::context;
use crate::definition::{Definition, config, info, is_closed, make};
use crate::error::{Error, Result};
use crate::inspect::Inspection;

impl Inspection {
    /// Closes the stream: it takes the first event of a life alone.
    ///
    /// # Errors
    /// When there is no stream, or the server does not do it.
    pub async fn close(&self) -> Result<()> {
        self.take(subject::of_event(types::EPOCH_OPENED)).await
    }

    /// Opens the stream: it takes all events again.
    ///
    /// # Errors
    /// As [`Inspection::close`].
    pub async fn open_again(&self) -> Result<()> {
        self.take(subject::EVENTS.to_owned()).await
    }

    async fn take(&self, subjects: String) -> Result<()> {
        let context = context(&self.client);
        let mut config = info(&context).await?.config;
        if config.subjects == [subjects.as_str()] {
            return Ok(());
        }
        config.subjects = vec![subjects];
        let updated = context.update_stream(config).await;
        updated.map(drop).map_err(|error| Error::request("change the stream's subjects")(error.into()))
    }

    /// Deletes the stream, with its files.
    ///
    /// # Errors
    /// When it is open, or the server does not do it.
    pub async fn delete_closed(&self) -> Result<()> {
        let context = context(&self.client);
        if !is_closed(&info(&context).await?) {
            let reason = "it was opened by somebody else meanwhile".to_owned();
            return Err(Error::Request { what: "delete the stream", reason });
        }
        let deleted = context.delete_stream(subject::STREAM).await;
        deleted.map(drop).map_err(|error| Error::request("delete the stream")(error.into()))
    }

    /// Makes a stream that is closed. One of which the server had lost the settings may have left files, which it would take
    /// for this one's: then it is deleted with them, and made once more.
    ///
    /// # Errors
    /// When the server does not do it.
    pub async fn create_closed(&self, definition: &Definition) -> Result<()> {
        let context = context(&self.client);
        for last_try in [false, true] {
            let mut config = config(definition);
            config.subjects = vec![subject::of_event(types::EPOCH_OPENED)];
            make(&context, config).await?;
            let made = info(&context).await?;
            let before_first = Position(definition.first.0 - 1);
            if made.state.messages == 0 && Position(made.state.last_sequence) == before_first {
                return Ok(());
            }
            if last_try {
                let reason = format!(
                    "it begins with {} events up to {}, and not empty behind {before_first}",
                    made.state.messages, made.state.last_sequence
                );
                return Err(Error::Request { what: "make an empty stream", reason });
            }
            self.delete_closed().await?;
        }
        Ok(())
    }
}
