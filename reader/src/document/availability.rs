//! Whether the replica can be reached: known before a request asks, so that a reader whose Postgres is gone says so at
//! once and nginx tries another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::document::PROBE;
use crate::document::connection::Connection;

/// How often a replica that answers is asked.
const WHILE_REACHED: Duration = Duration::from_secs(1);
/// How often a replica that is away is asked; about how long reads are refused after it is back.
const WHILE_AWAY: Duration = Duration::from_millis(200);

/// Before the first answer, or the first failure.
const NOT_YET: &str = "it was not reached yet";

/// What is known of the replica: nothing when it answers, else why not.
#[derive(Clone)]
pub(crate) struct Availability {
    replica: Arc<str>,
    away: Arc<watch::Sender<Option<String>>>,
}

impl Availability {
    /// Of a replica that was not asked yet.
    pub(crate) fn unknown(replica: &str) -> Availability {
        let away = watch::Sender::new(Some(NOT_YET.to_owned()));
        Availability { replica: replica.into(), away: Arc::new(away) }
    }

    /// Whether the replica answers.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &*self.away.borrow() {
            None => Ok(()),
            Some(reason) => Err(format!("replica {}: {reason}", self.replica)),
        }
    }

    /// Tells of changes.
    pub(crate) fn changes(&self) -> watch::Receiver<Option<String>> {
        self.away.subscribe()
    }

    /// The replica did not answer.
    pub(crate) fn lost(&self, reason: &dyn std::fmt::Display) {
        let reason = reason.to_string();
        self.away.send_if_modified(|away| {
            if away.as_ref().is_none_or(|before| before == NOT_YET) {
                tracing::warn!(
                    replica = &*self.replica,
                    reason,
                    "the replica is away: reads are refused until it is back"
                );
            }
            let changed = away.as_ref() != Some(&reason);
            *away = Some(reason);
            changed
        });
    }

    /// The replica answered.
    fn reached(&self) {
        let changed = self.away.send_if_modified(|away| away.take().is_some());
        if changed {
            tracing::info!(replica = &*self.replica, "the replica answers");
        }
    }

    /// Asks the replica, for ever, on a connection of its own.
    pub(crate) async fn watch(self, mut connection: Connection) {
        let mut changes = self.changes();
        loop {
            match connection.fetch(&PROBE, &[].into(), Instant::now()).await {
                Ok(_) => {
                    self.reached();
                    // A read may find it away sooner.
                    let _away_or_not = timeout(WHILE_REACHED, changes.wait_for(Option::is_some)).await;
                }
                Err(error) => {
                    self.lost(&error);
                    sleep(WHILE_AWAY).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_away_until_it_answered() {
        let availability = Availability::unknown("a");
        assert!(availability.check().is_err());
        availability.reached();
        assert_eq!(availability.check(), Ok(()));
        availability.lost(&"gone");
        assert_eq!(availability.check(), Err("replica a: gone".to_owned()));
    }
}
