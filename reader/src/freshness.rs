//! How fresh the replica is: from what all replicas announce and from where its own snapshots stood. Nobody is asked on
//! a request's way, and while nothing is heard every read is answered.

mod heads;
mod heard;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
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

/// What is known of the replica's freshness. Clones share it. Requests only look, nearly always: they must not wait for
/// one another.
#[derive(Clone)]
pub(crate) struct Freshness {
    state: Arc<RwLock<State>>,
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
    state: Arc<RwLock<State>>,
    key: (Position, u64),
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state.write() {
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
            state: Arc::new(RwLock::new(state)),
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

    /// Waits until the replica has what is demanded, or until only its data can tell. Answers what is known before a
    /// statement is sent.
    ///
    /// # Errors
    /// When another reader should be asked.
    pub(crate) async fn admit(&self, demanded: &[Token]) -> Result<Known, Refused> {
        let now = Instant::now();
        let missing = {
            let state = self.look();
            if let Some(fault) = state.heard.steps_out(now) {
                return Err(Refused::SteppedOut(fault));
            }
            match state.heard.missing(demanded) {
                // It would not be heard when the replica comes there: its data tells whether it has.
                Some(missing) if state.heard.speaks(now) => missing,
                _ => return Ok(state.known(now)),
            }
        };
        if let Some((_waiter, reached)) = self.enter(missing)?
            && tokio::time::timeout(self.patience, reached).await.is_err()
        {
            return Err(Refused::Behind);
        }
        Ok(self.known())
    }

    /// What is known before a statement is sent.
    pub(crate) fn known(&self) -> Known {
        self.look().known(Instant::now())
    }

    /// A statement's snapshot stood here. Answers for how long that may have been too old.
    pub(crate) fn see(&self, token: &Token) -> Duration {
        let now = Instant::now();
        let looking = self.look();
        let known = looking.heard.has_seen(token).then(|| looking.heard.as_of(token));
        drop(looking);
        now.saturating_duration_since(known.unwrap_or_else(|| self.change().heard.see(token, now)))
    }

    /// Takes a place among the waiters for a position, unless it was reached meanwhile.
    fn enter(&self, missing: Position) -> Result<Option<(Waiter, oneshot::Receiver<()>)>, Refused> {
        let mut state = self.change();
        if state.heard.position() >= missing {
            return Ok(None);
        }
        if state.waiting.len() >= self.room {
            return Err(Refused::Crowded);
        }
        let (done, reached) = oneshot::channel();
        state.next_waiter += 1;
        let key = (missing, state.next_waiter);
        state.waiting.insert(key, done);
        Ok(Some((Waiter { state: self.state.clone(), key }, reached)))
    }

    async fn listen(&self, connection: Connection) {
        loop {
            let link = connection.link().await;
            let Ok(mut announcements) = link.listen().await else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            self.change().heard.listening_since(Instant::now());
            while let Some((replica, progress)) = announcements.next().await {
                self.change().heard.hear(&replica, &progress, Instant::now());
                self.release();
            }
            self.change().heard.listening_ended();
        }
    }

    /// Says in the log when the replica steps out and when it is back, for ever.
    async fn tell(&self) {
        let mut before = None;
        loop {
            tokio::time::sleep(TICK).await;
            let now = self.look().heard.steps_out(Instant::now());
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
        let mut state = self.change();
        let reached = state.heard.position();
        let later = state.waiting.split_off(&(reached.next(), 0));
        let released = std::mem::replace(&mut state.waiting, later);
        drop(state);
        for waiter in released.into_values() {
            // A waiter that is gone was late or hung up.
            let _woken_or_gone = waiter.send(());
        }
    }

    fn look(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no holder of this lock panics")
    }

    fn change(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().expect("no holder of this lock panics")
    }
}

impl State {
    fn known(&self, now: Instant) -> Known {
        Known { floor: self.heard.floor(), hears: self.heard.hears(now) }
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
            why: String::new(),
            mend: String::new(),
            generation: "live".into(),
            version: 1,
            events_version: contract::EVENTS_VERSION,
            import: None,
            refuses_stream: false,
            exceptions: None,
        };
        freshness.change().heard.hear("a", &progress, Instant::now());
        freshness.release();
    }

    #[tokio::test]
    async fn a_read_waits_until_its_replica_says_that_it_is_there() {
        let freshness = freshness(10);
        hear(&freshness, 10);
        freshness.admit(&[token(10)]).await.unwrap();
        let waiting = tokio::spawn({
            let freshness = freshness.clone();
            async move { freshness.admit(&[token(9), token(12)]).await.map(|_| ()) }
        });
        while freshness.look().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        hear(&freshness, 11);
        assert_eq!(freshness.look().waiting.len(), 1);
        hear(&freshness, 12);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_read_waits_no_longer_than_it_may_and_leaves_no_trace() {
        let freshness = freshness(10);
        hear(&freshness, 10);
        let started = Instant::now();
        let refused = freshness.admit(&[token(11)]).await.err().unwrap();
        assert!(matches!(refused, Refused::Behind), "{refused:?}");
        assert!(started.elapsed() >= freshness.patience);
        assert!(freshness.look().waiting.is_empty());
    }

    #[tokio::test]
    async fn only_so_many_reads_wait() {
        let freshness = freshness(1);
        hear(&freshness, 10);
        let place = freshness.enter(Position(11)).unwrap();
        let refused = freshness.admit(&[token(11)]).await.err().unwrap();
        assert!(matches!(refused, Refused::Crowded), "{refused:?}");
        freshness.admit(&[token(10)]).await.unwrap();
        drop(place);
        let refused = freshness.admit(&[token(11)]).await.err().unwrap();
        assert!(matches!(refused, Refused::Behind), "{refused:?}");
    }

    #[tokio::test]
    async fn while_nothing_is_heard_nobody_waits() {
        freshness(10).admit(&[token(11)]).await.unwrap();
    }
}
