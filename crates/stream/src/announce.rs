//! Announcements: core NATS messages, not stored.

use contract::announcement::{Progress, Stored};
use contract::subject;
use futures::StreamExt;

use crate::connect::Link;
use crate::error::{Error, Result};

/// Announcements of all replicas, as they come.
pub struct Announcements {
    link: Link,
    messages: async_nats::Subscriber,
}

impl Link {
    /// Announces a replica's progress. Returns when it is handed to the connection.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn announce_progress(&self, replica: &str, progress: &Progress) -> Result<()> {
        self.announce(subject::of_progress(replica), serde_json::to_vec(progress)).await
    }

    /// Announces what a writer stored.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn announce_stored(&self, stored: &Stored) -> Result<()> {
        self.announce(subject::STORED.to_owned(), serde_json::to_vec(stored)).await
    }

    async fn announce(&self, subject: String, bytes: serde_json::Result<Vec<u8>>) -> Result<()> {
        let bytes = bytes.expect("announcements are plain data with text keys");
        let publish = self.client.publish(subject, bytes.into());
        let failed = |e: async_nats::PublishError| Error::request("take an announcement")(e.into());
        self.until_closed("take an announcement", async { publish.await.map_err(failed) }).await
    }

    /// Listens to all replicas.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn listen(&self) -> Result<Announcements> {
        let messages = self.client.subscribe(subject::PROGRESS).await;
        let messages = messages.map_err(|e| Error::request("subscribe to announcements")(e.into()))?;
        // The subscription holds from the next answer on: until then an announcement could be missed.
        let flushed = async { self.client.flush().await.map_err(|e| Error::request("flush")(e.into())) };
        self.until_closed("subscribe to announcements", flushed).await?;
        Ok(Announcements { link: self.clone(), messages })
    }
}

impl Announcements {
    /// The next announcement and the replica's name; `None` when the connection ended. What cannot be read is
    /// passed over: a later version may announce more states.
    pub async fn next(&mut self) -> Option<(String, Progress)> {
        loop {
            let message = tokio::select! {
                message = self.messages.next() => message?,
                () = self.link.closed() => return None,
            };
            let replica = message.subject.rsplit('.').next().unwrap_or_default().to_owned();
            match serde_json::from_slice(&message.payload) {
                Ok(progress) => return Some((replica, progress)),
                Err(error) => tracing::warn!(replica, %error, "an announcement could not be read"),
            }
        }
    }
}
