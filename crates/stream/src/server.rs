//! The server's own settings, as its monitor tells them.

use std::time::Duration;

use crate::connect::Settings;
use crate::error::{Error, Result};

/// Checks that the server acknowledges only what it has synced: `config.sync_always` in `/jsz`, the effective value.
pub(crate) async fn verify_sync(settings: &Settings) -> Result<()> {
    if settings.accept_acknowledgement_before_sync {
        return Ok(());
    }
    let url = settings.monitor_url.trim_end_matches('/');
    let away = |error: reqwest::Error| Error::Monitor { url: url.to_owned(), reason: error.to_string() };
    let answer: serde_json::Value = reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .no_proxy()
        .build()
        .map_err(away)?
        .get(format!("{url}/jsz"))
        .send()
        .await
        .map_err(away)?
        .json()
        .await
        .map_err(away)?;
    match answer.pointer("/config/sync_always") {
        Some(serde_json::Value::Bool(true)) => Ok(()),
        _ => Err(Error::NotSynced { url: url.to_owned() }),
    }
}
