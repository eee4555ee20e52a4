//! Stopping in order: a signal says stop, work in flight finishes, within a bound.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long work in flight may take after the signal.
pub const BOUND: Duration = Duration::from_secs(8);

/// A token that is cancelled by SIGTERM or SIGINT.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let on_signal = stop.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        on_signal.cancel();
        tracing::info!(signal = name, "stopping: finishing what is in flight");
    });
    Ok(stop)
}
