//! The server's own settings, health and state, as its monitor tells them.

use std::path::PathBuf;
use std::time::Duration;

use contract::Millis;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::connect::Settings;
use crate::error::{Error, Result};

/// How long the monitor may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The monitor of nats-server.
pub struct Monitor {
    client: Client,
    url: String,
}

/// What the server says of itself.
#[derive(Clone, Debug)]
pub struct ServerState {
    /// Its version, as in `2.15.1`.
    pub version: String,
    /// Its clock when it answered.
    pub clock: Millis,
    /// Where it stores, on its machine.
    pub store_dir: Option<PathBuf>,
    /// Where its monitor listens, as in `127.0.0.1`, or `0.0.0.0` for everywhere.
    pub monitor_host: Option<String>,
}

impl Monitor {
    /// The monitor at an address, as in `http://127.0.0.1:8222`.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(url: &str) -> Result<Monitor> {
        let url = url.trim_end_matches('/').to_owned();
        let client = Client::builder().timeout(PATIENCE).no_proxy().build();
        let client =
            client.map_err(|error| Error::Monitor { url: url.clone(), reason: error.to_string() })?;
        Ok(Monitor { client, url })
    }

    /// Checks that the server acknowledges only what it has synced.
    pub(crate) async fn verify_sync(&self, settings: &Settings) -> Result<()> {
        if settings.accept_acknowledgement_before_sync || self.syncs().await? {
            return Ok(());
        }
        Err(Error::NotSynced { url: self.url.clone() })
    }

    /// Whether the server acknowledges only what it has synced: `config.sync_always` in `/jsz`, the effective value.
    ///
    /// # Errors
    /// When the monitor does not answer.
    pub async fn syncs(&self) -> Result<bool> {
        let (_, answer) = self.ask("/jsz").await?;
        Ok(answer.pointer("/config/sync_always") == Some(&Value::Bool(true)))
    }

    /// Checks that the server says of itself that it is well. After an error of its disk it is not, and answers nothing to
    /// publishes until it is started again.
    ///
    /// # Errors
    /// [`Error::Unhealthy`] with its words; another when the monitor does not answer.
    pub async fn verify_health(&self) -> Result<()> {
        let (status, answer) = self.ask("/healthz").await?;
        if status.is_success() {
            return Ok(());
        }
        let reason = match answer.get("error").and_then(Value::as_str) {
            Some(words) => words.to_owned(),
            None => format!("its health answer is {status}"),
        };
        Err(Error::Unhealthy { url: self.url.clone(), reason })
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// When the monitor does not answer, or says something else.
    pub async fn state(&self) -> Result<ServerState> {
        let (_, answer) = self.ask("/varz").await?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let missing = |what: &str| Error::Monitor {
            url: self.url.clone(),
            reason: format!("/varz says nothing that can be read of its {what}"),
        };
        Ok(ServerState {
            version: text("/version").ok_or_else(|| missing("version"))?.to_owned(),
            clock: text("/now").and_then(|now| now.parse().ok()).ok_or_else(|| missing("clock"))?,
            store_dir: text("/jetstream/config/store_dir").map(PathBuf::from),
            monitor_host: text("/http_host").map(str::to_owned),
        })
    }

    /// A bad status may have an answer that says why.
    async fn ask(&self, path: &str) -> Result<(StatusCode, Value)> {
        let away =
            |error: reqwest::Error| Error::Monitor { url: self.url.clone(), reason: error.to_string() };
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.map_err(away)?;
        let status = answer.status();
        match answer.json().await {
            Ok(value) => Ok((status, value)),
            Err(_) if !status.is_success() => Ok((status, Value::Null)),
            Err(error) => Err(away(error)),
        }
    }
}
