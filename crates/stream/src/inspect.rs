//! A look at the stream as it is: nothing is refused, so that everything that is wrong with it can be told.

use std::ops::RangeInclusive;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::stream::Info;
use contract::position::{Epoch, Position};
use tokio_util::sync::CancellationToken;

use crate::connect::{Link, Settings, context, open_client};
use crate::definition::{METADATA_HASHING_KEY, differences, epoch, info, info_with_missing, is_closed};
use crate::error::Result;
use crate::guard::Held;
use crate::identity::{first_missing, missing};

/// A connection that verifies nothing and changes nothing.
pub struct Inspection {
    pub(crate) client: Client,
}

/// The stream at one moment.
#[derive(Clone, Debug)]
pub struct Description {
    /// What differs from what is needed, each as a sentence part.
    pub differences: Vec<String>,
    /// It is closed: it takes the first event of a life alone.
    pub closed: bool,
    /// Its life, if its metadata names one.
    pub epoch: Option<Epoch>,
    /// The id of the key under which everything in it is hashed, if its metadata names one.
    pub hashing_key: Option<String>,
    /// The first position that it was made with.
    pub configured_first: Position,
    /// The first position that it holds.
    pub first: Position,
    /// The last position; one below the first when it is empty.
    pub last: Position,
    /// How many events it holds.
    pub events: u64,
    /// How many are missing between the configured first and the last.
    pub missing: u64,
    /// The first missing ones in a row.
    pub first_missing: Option<RangeInclusive<u64>>,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Bytes at which it refuses events; 0 or below: never.
    pub max_bytes: i64,
    /// On how many servers it lies.
    pub servers: usize,
    /// The broker's window for repeated message ids.
    pub duplicate_window: Duration,
}

impl Inspection {
    /// Connects. `name` is shown by the server's monitor.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn open(settings: &Settings, name: &str) -> Result<Inspection> {
        Ok(Inspection { client: open_client(settings, name, |_| {}).await? })
    }

    /// The stream as it is.
    ///
    /// # Errors
    /// When there is none, or the server does not answer.
    pub async fn describe(&self) -> Result<Description> {
        let context = context(&self.client);
        let info = info(&context).await?;
        match missing(&info) {
            0 => Ok(Description::of(&info)),
            _ => info_with_missing(&context).await.map(|info| Description::of(&info)),
        }
    }

    /// A link to the stream as it was described, if that names its epoch.
    pub fn link(&self, description: &Description) -> Option<Link> {
        Some(Link {
            client: self.client.clone(),
            context: context(&self.client),
            epoch: description.epoch.clone()?,
            first: description.configured_first,
            duplicate_window: description.duplicate_window,
            closed: CancellationToken::new(),
            guard: None,
            held: Held::default(),
        })
    }
}

impl Description {
    fn of(info: &Info) -> Description {
        let (config, state) = (&info.config, &info.state);
        Description {
            differences: differences(info),
            closed: is_closed(info),
            epoch: epoch(info),
            hashing_key: config.metadata.get(METADATA_HASHING_KEY).cloned(),
            configured_first: Position(config.first_sequence.unwrap_or(1)),
            first: Position(state.first_sequence),
            last: Position(state.last_sequence),
            events: state.messages,
            missing: missing(info),
            first_missing: first_missing(info),
            bytes: state.bytes,
            max_bytes: config.max_bytes,
            servers: config.num_replicas,
            duplicate_window: config.duplicate_window,
        }
    }
}
