//! Ctrl-C, and SIGTERM from `down`.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// Both, from the moment of [`Stop::listen`] on.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    pub(crate) fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|error| Error::said(format!("signals cannot be listened to: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when one has come.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            // The terminal is gone.
            _ = self.hang_up.recv() => {}
        }
    }
}
