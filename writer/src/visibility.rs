//! Which replicas are alive, how far each is, and what became of each event: from announcements alone.

mod heard;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::announcement::Progress;
use contract::fold::Outcome;
use contract::{Epoch, Position, Token};
use service::task;
use stream::{Connection, Link};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::visibility::heard::{Heard, Verdict};

/// How often it is noticed that a replica has fallen silent.
const TICK: Duration = Duration::from_millis(100);

/// What a write's waiting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Every live replica, and at least one, has applied the event.
    pub(crate) applied: bool,
    /// What became of it, when the announcements told.
    pub(crate) outcome: Option<(Outcome, Option<Position>)>,
}

impl Seen {
    const NOTHING: Seen = Seen { applied: false, outcome: None };
}

/// What this writer has heard of replicas. Clones share it.
#[derive(Clone)]
pub(crate) struct Visibility {
    state: Arc<Mutex<State>>,
    highest: watch::Receiver<Position>,
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

struct State {
    heard: Heard,
    waiting: BTreeMap<(Position, u64), oneshot::Sender<()>>,
    next_waiter: u64,
}

impl Visibility {
    /// Starts listening, until `stop`.
    pub(crate) fn start(connection: Connection, stop: CancellationToken) -> Visibility {
        let state = State { heard: Heard::new(Instant::now()), waiting: BTreeMap::new(), next_waiter: 0 };
        let state = Arc::new(Mutex::new(state));
        let (reached, highest) = watch::channel(Position(0));
        let visibility = Visibility { state, highest };
        let listening = visibility.clone();
        task::essential("visibility", async move {
            tokio::select! {
                () = listening.listen(connection, reached) => {}
                () = stop.cancelled() => {}
            }
        });
        visibility
    }

    /// Waits until every live replica has applied the event, at most `longest`.
    pub(crate) async fn wait(&self, token: &Token, longest: Duration) -> Seen {
        let (done, waiting) = oneshot::channel();
        if let Some(_waiter) = self.enter(token, longest, done) {
            let _reached_or_late = tokio::time::timeout(longest, waiting).await;
        }
        self.look(&token.epoch, token.position)
    }

    /// Takes a place among the waiters, if there is something to wait for.
    fn enter(&self, token: &Token, longest: Duration, done: oneshot::Sender<()>) -> Option<Waiter> {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        let reached = state.heard.all_live_at(&token.epoch, token.position, Instant::now())?;
        if reached || longest.is_zero() {
            return None;
        }
        state.next_waiter += 1;
        let key = (token.position, state.next_waiter);
        state.waiting.insert(key, done);
        Some(Waiter { state: self.state.clone(), key })
    }

    /// Waits until some replica has applied a position, at most `longest`.
    pub(crate) async fn wait_for_any(&self, position: Position, longest: Duration) -> bool {
        let mut highest = self.highest.clone();
        tokio::time::timeout(longest, highest.wait_for(|highest| *highest >= position))
            .await
            .is_ok_and(|r| r.is_ok())
    }

    /// Whether replicas have been listened to for long enough to know which are live.
    pub(crate) fn knows_replicas(&self) -> bool {
        self.state.lock().expect("no holder of this lock panics").heard.has_listened(Instant::now())
    }

    /// The live replicas, the most advanced first.
    pub(crate) fn live_replicas(&self) -> Vec<String> {
        self.state.lock().expect("no holder of this lock panics").heard.live(Instant::now())
    }

    /// The replicas that lack nothing that was stored longer ago than `age`, the most advanced first.
    pub(crate) fn confirmed_replicas(&self, epoch: &Epoch, age: Duration) -> Vec<String> {
        let state = self.state.lock().expect("no holder of this lock panics");
        state.heard.confirmed(epoch, age, Instant::now())
    }

    fn look(&self, epoch: &Epoch, position: Position) -> Seen {
        let state = self.state.lock().expect("no holder of this lock panics");
        match state.heard.all_live_at(epoch, position, Instant::now()) {
            Some(applied) => Seen { applied, outcome: state.heard.outcome(epoch, position) },
            None => Seen::NOTHING,
        }
    }

    async fn listen(&self, connection: Connection, reached: watch::Sender<Position>) {
        loop {
            let link = connection.link().await;
            let Ok(mut announcements) = link.listen().await else {
                tokio::time::sleep(TICK).await;
                continue;
            };
            self.state.lock().expect("no holder of this lock panics").heard.listening_since(Instant::now());
            let mut ticks = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    announced = announcements.next() => match announced {
                        Some((replica, progress)) => self.hear(replica, progress, &reached),
                        None => break,
                    },
                    _ = ticks.tick() => self.release(),
                }
                self.judge(&link);
            }
        }
    }

    fn hear(&self, replica: String, progress: Progress, reached: &watch::Sender<Position>) {
        reached.send_if_modified(|highest| {
            let higher = progress.position > *highest;
            *highest = progress.position.max(*highest);
            higher
        });
        self.state.lock().expect("no holder of this lock panics").heard.hear(
            replica,
            progress,
            Instant::now(),
        );
        self.release();
    }

    /// Nothing is written to a stream that every replica refuses: nobody would apply it, and positions that were given to
    /// shoppers would be given again. When nobody is heard, it stays as it is.
    fn judge(&self, link: &Link) {
        let verdict = {
            let state = self.state.lock().expect("no holder of this lock panics");
            state.heard.verdict(link.epoch(), Instant::now())
        };
        match verdict {
            Verdict::Followed => link.release(),
            Verdict::Refused => link.hold(),
            Verdict::Unknown => {}
        }
    }

    /// Ends the waits whose event every live replica has applied, and all of them when nobody is live.
    fn release(&self) {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        let applied = match state.heard.lowest_live(Instant::now()) {
            Some(lowest) => {
                let later = state.waiting.split_off(&(lowest.next(), 0));
                std::mem::replace(&mut state.waiting, later)
            }
            None => std::mem::take(&mut state.waiting),
        };
        drop(state);
        for waiter in applied.into_values() {
            // A waiter that is gone was late or hung up.
            let _woken_or_gone = waiter.send(());
        }
    }
}
