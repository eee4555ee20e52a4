//! How fresh the replica is: from what all replicas announce and from where its own snapshots stood. Nobody is asked on
//! a request's way, and while nothing is heard every read is answered.

mod heads;
mod heard;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use contract::{Position, Token};
use service::config::Reader;
use service::task;
use stream::Connection;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub(crate) use heard::Fault;
use heard::Heard;

/// How often it is looked whether the replica has stepped out, and how soon listening is tried again.
const TICK: Duration = Duration::from_millis(100);

/// Why a read should be answered by another reader.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The replica has stepped out.
    SteppedOut(Fault),
    /// It does not come to a position in time.
    Behind,
    /// As many reads wait as may.
    Crowded,
}

/// What a replica is known to be like before a statement is sent.
pub(crate) struct Known {
    /// A snapshot below it was taken back by a crash.
    pub(crate) floor: Option<Token>,
    /// Whether anybody was heard lately.
    pub(crate) hears: bool,
}

/// What is known of the replica's freshness. Clones share it.
#[derive(Clone)]
pub(crate) struct Freshness {
    state: Arc<Mutex<State>>,
    /// How long a read waits for a position.
    patience: Duration,
    /// Reads that may wait.
    room: usize,
}

struct State {
    heard: Heard,
    waiting: BTreeMap<(Position, u64), oneshot::Sender<()>>,
    next_waiter: u64,
}

/// A place among the waiters; given up also when the shopper hangs up.
struct Waiter {
    state: Arc<Mutex<State>>,
    key: (Position, u64),
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state.lock() {
            state.waiting.remove(&self.key);
        }
    }
}

impl Freshness {
    /// Nothing is known yet.
    pub(crate) fn unknown(replica: &str, bounds: &Reader) -> Freshness {
        let heard = Heard::new(replica, Instant::now());
        let state = State { heard, waiting: BTreeMap::new(), next_waiter: 0 };
        Freshness {
            state: Arc::new(Mutex::new(state)),
            patience: Duration::from_millis(bounds.token_wait_ms),
            room: bounds.waiting,
        }
    }

    /// Starts listening, until `stop`.
    pub(crate) fn listen_to(&self, connection: Connection, stop: CancellationToken) {
        let listening = self.clone();
        task::essential("freshness", async move {
            tokio::select! {
                () = listening.listen(connection) => {}
                () = listening.tell() => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Waits until the replica has what is demanded, or until only its data can tell.
    ///
    /// # Errors
    /// When another reader should be asked.
    pub(crate) async fn admit(&self, demanded: &[Token]) -> Result<(), Refused> {
        let (done, waiting) = oneshot::channel();
        match self.enter(demanded, done)? {
            None => Ok(()),
            Some(_waiter) => match tokio::time::timeout(self.patience, waiting).await {
                Ok(_) => Ok(()),
                Err(_) => Err(Refused::Behind),
            },
        }
    }

    /// What is known before a statement is sent.
    pub(crate) fn known(&self) -> Known {
        let state = self.state();
        Known { floor: state.heard.floor(), hears: state.heard.hears(Instant::now()) }
    }

    /// A statement's snapshot stood here. Answers for how long that may have been too old.
    pub(crate) fn see(&self, token: &Token) -> Duration {
        let now = Instant::now();
        now.saturating_duration_since(self.state().heard.see(token, now))
    }

    /// Takes a place among the waiters, if there is something to wait for.
    fn enter(&self, demanded: &[Token], done: oneshot::Sender<()>) -> Result<Option<Waiter>, Refused> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(fault) = state.heard.steps_out(now) {
            return Err(Refused::SteppedOut(fault));
        }
        let Some(missing) = state.heard.missing(demanded) else {
            return Ok(None);
        };
        if !state.heard.speaks(now) {
            // It would not be heard when the replica comes there: its data tells whether it has.
            return Ok(None);
        }
        if state.waiting.len() >= self.room {
            return Err(Refused::Crowded);
        }
        state.next_waiter += 1;
        let key = (missing, state.next_waiter);
        state.waiting.insert(key, done);
        Ok(Some(Waiter { state: self.state.clone(), key }))
    }

    async fn listen(&self, connection: Connection) {
        loop {
            let link = connection.link().await;
            let Ok(mut announcements) = link.listen().await else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            self.state().heard.listening_since(Instant::now());
            while let Some((replica, progress)) = announcements.next().await {
                self.state().heard.hear(&replica, &progress, Instant::now());
                self.release();
            }
        }
    }

    /// Says in the log when the replica steps out and when it is back, for ever.
    async fn tell(&self) {
        let mut before = None;
        loop {
            tokio::time::sleep(TICK).await;
            let now = self.state().heard.steps_out(Instant::now());
            match (before, now) {
                (None, Some(fault)) => {
                    tracing::warn!("the replica stepped out, another one answers meanwhile: {fault}");
                }
                (Some(_), None) => tracing::info!("the replica answers reads again"),
                _ => {}
            }
            before = now;
        }
    }

    /// Ends the waits for what the replica has reached.
    fn release(&self) {
        let mut state = self.state();
        let reached = state.heard.position();
        let later = state.waiting.split_off(&(reached.next(), 0));
        let released = std::mem::replace(&mut state.waiting, later);
        drop(state);
        for waiter in released.into_values() {
            // A waiter that is gone was late or hung up.
            let _woken_or_gone = waiter.send(());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use contract::announcement::{self, Progress};

    use super::*;

    fn token(position: u64) -> Token {
        Token { epoch: "abcdefgh2345".parse().unwrap(), position: Position(position) }
    }

    fn freshness(room: usize) -> Freshness {
        let bounds = Reader { token_wait_ms: 60, waiting: room, ..Reader::default() };
        Freshness::unknown("a", &bounds)
    }

    fn hear(freshness: &Freshness, position: u64) {
        let progress = Progress {
            epoch: token(position).epoch,
            position: Position(position),
            previous: Position(position),
            head: Position(position),
            head_age_ms: 0,
            state: announcement::State::Serving,
            generation: "live".into(),
            version: 1,
            import: None,
            exceptions: None,
        };
        freshness.state().heard.hear("a", &progress, Instant::now());
        freshness.release();
    }

    #[tokio::test]
    async fn a_read_waits_until_its_replica_says_that_it_is_there() {
        let freshness = freshness(10);
        hear(&freshness, 10);
        freshness.admit(&[token(10)]).await.unwrap();
        let waiting = tokio::spawn({
            let freshness = freshness.clone();
            async move { freshness.admit(&[token(9), token(12)]).await }
        });
        while freshness.state().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        hear(&freshness, 11);
        assert_eq!(freshness.state().waiting.len(), 1);
        hear(&freshness, 12);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_read_waits_no_longer_than_it_may_and_leaves_no_trace() {
        let freshness = freshness(10);
        hear(&freshness, 10);
        let started = Instant::now();
        let refused = freshness.admit(&[token(11)]).await.unwrap_err();
        assert!(matches!(refused, Refused::Behind), "{refused:?}");
        assert!(started.elapsed() >= freshness.patience);
        assert!(freshness.state().waiting.is_empty());
    }

    #[tokio::test]
    async fn only_so_many_reads_wait() {
        let freshness = freshness(1);
        hear(&freshness, 10);
        let (done, _waiting) = oneshot::channel();
        let place = freshness.enter(&[token(11)], done).unwrap();
        let refused = freshness.admit(&[token(11)]).await.unwrap_err();
        assert!(matches!(refused, Refused::Crowded), "{refused:?}");
        freshness.admit(&[token(10)]).await.unwrap();
        drop(place);
        let refused = freshness.admit(&[token(11)]).await.unwrap_err();
        assert!(matches!(refused, Refused::Behind), "{refused:?}");
    }

    #[tokio::test]
    async fn while_nothing_is_heard_nobody_waits() {
        freshness(10).admit(&[token(11)]).await.unwrap();
    }
}
