//! The stream's settings: created by `projector init` alone, verified by everyone.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::context::CreateStreamErrorKind;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{self, ErrorCode};
use contract::event::types;
use contract::position::{Epoch, Position};
use contract::subject;

use crate::connect::{Settings, open_client};
use crate::error::{Error, Result};
use crate::server::Monitor;

/// The metadata key that holds the epoch.
pub const METADATA_EPOCH: &str = "atelier_epoch";
/// The metadata key that holds the id of the hashing key.
pub const METADATA_HASHING_KEY: &str = "atelier_hashing_key";

/// JetStream's word for a server whose `max_file_store` is too small for a stream.
const NO_STORAGE: ErrorCode = ErrorCode::STORAGE_RESOURCES_EXCEEDED;

/// What `projector init` may choose.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Bytes at which the stream refuses new events instead of dropping old ones.
    pub max_bytes: i64,
    /// The broker's window for repeated message ids.
    pub duplicate_window: Duration,
    /// The epoch of a stream that is created.
    pub epoch: Epoch,
    /// Its first position.
    pub first: Position,
    /// On how many servers it lies.
    pub servers: usize,
    /// The id of the key under which everything in it is hashed.
    pub hashing_key: String,
}

pub(crate) fn config(definition: &Definition) -> Config {
    Config {
        name: subject::STREAM.to_owned(),
        subjects: vec![subject::EVENTS.to_owned()],
        description: Some("Atelier: the one source of truth".to_owned()),
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        max_bytes: definition.max_bytes,
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        allow_atomic_publish: true,
        num_replicas: definition.servers,
        duplicate_window: definition.duplicate_window,
        first_sequence: Some(definition.first.0),
        metadata: HashMap::from([
            (METADATA_EPOCH.to_owned(), definition.epoch.to_string()),
            (METADATA_HASHING_KEY.to_owned(), definition.hashing_key.clone()),
        ]),
        ..Config::default()
    }
}

/// Creates the stream if there is none; else verifies the one that is there. Returns its epoch and whether it was
/// created.
///
/// # Errors
/// When the server does not answer or does not sync, or a stream is there that differs.
pub async fn create(settings: &Settings, definition: &Definition) -> Result<(Epoch, bool)> {
    let client = open_client(settings, "atelier projector init", |_| {}).await?;
    Monitor::new(&settings.monitor_url)?.verify_sync(settings).await?;
    let context = jetstream::new(client);
    match verified_info(&context).await {
        Ok((epoch, info)) => {
            verify_hashing_key(&info, &definition.hashing_key)?;
            Ok((epoch, false))
        }
        Err(Error::NoStream) => {
            make(&context, config(definition)).await?;
            verified_info(&context).await.map(|(epoch, _)| (epoch, true))
        }
        Err(error) => Err(error),
    }
}

/// Makes a stream where there is none.
pub(crate) async fn make(context: &jetstream::Context, config: Config) -> Result<()> {
    let max_bytes = config.max_bytes;
    let made = context.create_stream(config).await.map_err(|error| match error.kind() {
        CreateStreamErrorKind::JetStream(e) if e.error_code() == NO_STORAGE => Error::NoRoom { max_bytes },
        _ => Error::request("create the stream")(error.into()),
    });
    made.map(drop)
}

/// The stream as it is, whatever it is like.
pub(crate) async fn info(context: &jetstream::Context) -> Result<Info> {
    use async_nats::jetstream::context::GetStreamErrorKind;
    let stream = context.get_stream(subject::STREAM).await.map_err(|error| match error.kind() {
        GetStreamErrorKind::JetStream(e) if e.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND => {
            Error::NoStream
        }
        _ => Error::request("describe the stream")(error.into()),
    })?;
    Ok(stream.cached_info().clone())
}

/// The stream as it is, and which positions it lacks: a long list, when much is lost.
pub(crate) async fn info_with_missing(context: &jetstream::Context) -> Result<Info> {
    let failed = |e| Error::request("tell what is missing")(e);
    let stream = context.get_stream_no_info(subject::STREAM).await.map_err(|e| failed(e.into()))?;
    let told = stream.info_builder().with_deleted(true).fetch().await;
    told.map(|told| told.info).map_err(|e| failed(e.into()))
}

/// The stream as it is, once it is known to be as needed.
pub(crate) async fn verified_info(context: &jetstream::Context) -> Result<(Epoch, Info)> {
    let info = info(context).await?;
    if is_closed(&info) {
        return Err(Error::Closed);
    }
    let differences = differences(&info);
    if !differences.is_empty() {
        return Err(Error::Differs(differences));
    }
    let epoch = epoch(&info)
        .ok_or_else(|| Error::Differs(vec![format!("its metadata names no {METADATA_EPOCH}")]))?;
    Ok((epoch, info))
}

/// The epoch in the stream's metadata.
pub(crate) fn epoch(info: &Info) -> Option<Epoch> {
    info.config.metadata.get(METADATA_EPOCH).and_then(|text| text.parse().ok())
}

/// Everything in a stream is hashed under one key: under another, carts and `Idempotency-Key`s would be strangers'. A
/// stream that names no key was made before keys were named.
pub(crate) fn verify_hashing_key(info: &Info, ours: &str) -> Result<()> {
    match info.config.metadata.get(METADATA_HASHING_KEY) {
        Some(found) if found != ours => {
            Err(Error::OtherHashingKey { found: found.clone(), ours: ours.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Whether the stream takes the first event of a life alone, so that nobody connects to it.
pub(crate) fn is_closed(info: &Info) -> bool {
    info.config.subjects == [subject::of_event(types::EPOCH_OPENED)]
}

/// Differences that matter between the stream and what is needed; sizes and windows may differ.
pub(crate) fn differences(info: &Info) -> Vec<String> {
    let found = &info.config;
    let mut differences = Vec::new();
    let mut need = |fits: bool, what: String| {
        if !fits {
            differences.push(what);
        }
    };
    need(
        found.subjects == [subject::EVENTS],
        format!("its subjects are {:?}, not [{:?}]", found.subjects, subject::EVENTS),
    );
    need(found.storage == StorageType::File, "it is not stored in files".into());
    need(
        found.retention == RetentionPolicy::Limits,
        format!("its retention is {:?}, not limits", found.retention),
    );
    need(
        found.discard == DiscardPolicy::New,
        "it drops old events when it is full (discard is old, not new)".into(),
    );
    need(found.deny_delete, "it lets events be deleted (deny_delete is off)".into());
    need(found.deny_purge, "it lets events be purged (deny_purge is off)".into());
    need(found.allow_direct, "it cannot be read directly (allow_direct is off)".into());
    need(found.allow_atomic_publish, "it takes no atomic batches (allow_atomic is off)".into());
    need(found.max_age.is_zero(), format!("it forgets events after {:?} (max_age)", found.max_age));
    need(found.max_messages <= 0, format!("it holds at most {} events (max_msgs)", found.max_messages));
    need(
        found.max_messages_per_subject <= 0,
        "it limits events for each subject (max_msgs_per_subject)".into(),
    );
    need(!found.no_ack, "it acknowledges nothing (no_ack is on)".into());
    need(!found.sealed, "it is sealed".into());
    need(
        !matches!(found.persist_mode, Some(PersistenceMode::Async)),
        "it acknowledges before data is on disk (persist_mode is async)".into(),
    );
    need(
        info.state.first_sequence >= Position::FIRST.0,
        format!("its first sequence is {}, below {}", info.state.first_sequence, Position::FIRST),
    );
    differences
}
