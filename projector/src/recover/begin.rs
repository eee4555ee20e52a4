//! From the decision on: the old stream is deleted, the new one is made, replicas adopt it, it is opened, and the rest is made from
//! the base. Each step looks first whether it was done already.

use std::path::Path;
use std::time::{Duration, Instant};

use contract::announcement::State;
use contract::event::types;
use contract::{Envelope, Event, subject};
use service::keys;
use stream::{Definition, Description, Message};

use super::adopt::adopt;
use super::decision::Decision;
use super::{Error, Work};
use crate::rebuild::{self, Source};
use crate::{failpoint, status};

/// How long the stream may take to acknowledge its first event.
const ACKNOWLEDGE: Duration = Duration::from_secs(10);
/// How long projectors may take to follow: one that is stopped looks every five seconds.
const FOLLOW: Duration = Duration::from_secs(30);

impl Work<'_> {
    /// Lets the new life begin. Answers the replicas that go on in it, and those that hold something else than the base.
    pub(super) async fn begin(
        &self,
        place: &Path,
        decision: &Decision,
    ) -> Result<(Vec<String>, Vec<String>), Error> {
        let progress = self.progress();
        let stream = self.create(decision).await?;
        self.open_epoch(decision, &stream).await?;
        let (mut there, mut left) = (Vec::new(), Vec::new());
        for replica in self.replicas(&decision.without) {
            if adopt(replica, decision).await? {
                there.push(replica.name.clone());
                failpoint::reached("adopted a replica");
            } else {
                left.push(replica.name.clone());
            }
        }
        if there.is_empty() {
            return Err(Error::NoBase { place: place.to_owned() });
        }
        self.inspection.open_again().await?;
        progress.say(&format!(
            "epoch {} has begun at {}, with replicas {}",
            decision.epoch,
            decision.first,
            there.join(", ")
        ));
        progress.finish();
        failpoint::reached("opened");
        Ok((there, left))
    }

    /// The new stream, in the place of the old one.
    async fn create(&self, decision: &Decision) -> Result<Description, Error> {
        match self.inspection.describe().await {
            Ok(there) if there.epoch.as_ref() == Some(&decision.epoch) => return Ok(there),
            Ok(there) => {
                if !there.closed && decision.saved_up_to != Some(there.last) {
                    return Err(Error::Reopened { found: there.last });
                }
                self.inspection.close().await?;
                self.inspection.delete_closed().await?;
                failpoint::reached("deleted");
            }
            Err(stream::Error::NoStream) => {}
            Err(error) => return Err(error.into()),
        }
        let definition = Definition {
            max_bytes: decision.max_bytes,
            duplicate_window: Duration::from_millis(decision.duplicate_window_ms),
            epoch: decision.epoch.clone(),
            first: decision.first,
            servers: decision.servers,
            hashing_key: keys::hashing(&self.config.keys)?.id(),
        };
        self.inspection.create_closed(&definition).await?;
        failpoint::reached("created");
        Ok(self.inspection.describe().await?)
    }

    /// The first event.
    async fn open_epoch(&self, decision: &Decision, stream: &Description) -> Result<(), Error> {
        let first = decision.first;
        let not = |reason: String| Error::NotOpened { first, reason };
        let link = self.inspection.link(stream).ok_or_else(|| not("it names no epoch".to_owned()))?;
        let event = Event::EpochOpened(decision.opened.clone());
        if stream.last < first {
            let id = format!("{}-{}", types::EPOCH_OPENED, decision.epoch);
            let envelope = Envelope::new(id, service::time::now(), "/atelier/projector");
            let message = Message::new(&envelope, &event).expecting_last_on_subject(0);
            let placed = link.publish(&message, ACKNOWLEDGE).await;
            placed.map_err(|failure| not(failure.to_string()))?;
        }
        let found = link.read(first).await?;
        if found.subject != subject::of_event(types::EPOCH_OPENED) || found.payload != event.payload() {
            return Err(not(format!("another event stands there, on {}", found.subject)));
        }
        failpoint::reached("announced");
        Ok(())
    }

    /// Makes the rest from one that goes on in the new life, once that serves.
    pub(super) async fn clone_all(
        &self,
        decision: &Decision,
        there: &[String],
        left: &[String],
    ) -> Result<(), Error> {
        if left.is_empty() {
            return Ok(());
        }
        let Some(from) = self.serving(decision, there).await? else {
            return Err(Error::NotServing { left: left.to_vec() });
        };
        for name in left {
            let options = rebuild::Options {
                replica: name.clone(),
                from: Some(Source::Replica(from.clone())),
                max_rate: None,
                accept_differences: false,
                fresh: false,
                dry_run: false,
                json: self.options.json,
            };
            let made = rebuild::rebuild(self.config, options).await;
            made.map_err(|error| Error::NotMade { replica: name.clone(), why: error.to_string() })?;
        }
        Ok(())
    }

    /// Waits until one of these serves in the new life.
    async fn serving(&self, decision: &Decision, there: &[String]) -> Result<Option<String>, Error> {
        let stream = self.inspection.describe().await?;
        let Some(link) = self.inspection.link(&stream) else { return Ok(None) };
        let began = Instant::now();
        while began.elapsed() < FOLLOW {
            // It listens for a while.
            let heard = status::listen(&link).await?;
            let serves = |name: &&String| {
                let said = heard.get(*name);
                said.is_some_and(|said| said.epoch == decision.epoch && said.state == State::Serving)
            };
            if let Some(name) = there.iter().find(serves) {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}
