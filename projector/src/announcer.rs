//! Announces the replica's progress: after each commit and at least four times a second, from a task of its own, so
//! that a long transaction never silences a replica.

use std::time::Duration;

use contract::announcement::{EXCEPTIONS_LIMIT, Exception, Progress, State};
use contract::{Epoch, PROJECTION_VERSION, Position};
use replica::SCHEMA_LIVE;
use service::metrics as names;
use stream::Connection;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// What the replica is like just now.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Unknown until the checkpoint was read.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) position: Position,
    pub(crate) head: Position,
    pub(crate) state: State,
    /// Why it is in this state, for people; empty when all is well.
    pub(crate) why: String,
}

/// A commit.
pub(crate) struct Commit {
    pub(crate) position: Position,
    pub(crate) exceptions: Vec<Exception>,
}

/// Where the running projection says what it did.
pub(crate) struct Announcer {
    view: watch::Sender<View>,
    commits: mpsc::UnboundedSender<Commit>,
}

impl Announcer {
    /// Starts announcing for a replica.
    pub(crate) fn start(replica: String, connection: Connection, every: Duration) -> Announcer {
        let start = View {
            epoch: None,
            position: Position::BEFORE_FIRST,
            head: Position::BEFORE_FIRST,
            state: State::CatchingUp,
            why: "starting".to_owned(),
        };
        let (view, watched) = watch::channel(start);
        let (commits, received) = mpsc::unbounded_channel();
        tokio::spawn(announce(replica, connection, every, watched, received));
        Announcer { view, commits }
    }

    /// A view that follows what is announced.
    pub(crate) fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// Changes the view; told at once when the state changed.
    pub(crate) fn update(&self, change: impl FnOnce(&mut View)) {
        self.view.send_if_modified(|view| {
            let before = view.state;
            change(view);
            if before != view.state {
                tracing::info!(
                    from = before.word(),
                    to = view.state.word(),
                    position = view.position.0,
                    why = view.why,
                    "the replica's state changed"
                );
            }
            before != view.state
        });
        let view = self.view.borrow();
        metrics::gauge!(names::REPLICA_POSITION).set(view.position.0 as f64);
        metrics::gauge!(names::STREAM_POSITION).set(view.head.0 as f64);
        metrics::gauge!(names::REPLICA_LAG_EVENTS).set(view.head.0.saturating_sub(view.position.0) as f64);
        for state in [
            State::Importing,
            State::CatchingUp,
            State::Joining,
            State::Serving,
            State::Rebuilding,
            State::Stopped,
        ] {
            metrics::gauge!(names::REPLICA_STATE, "state" => state.word())
                .set(f64::from(u8::from(state == view.state)));
        }
    }

    /// Tells of a commit.
    pub(crate) fn committed(&self, commit: Commit) {
        // The task ends with the process only.
        let _announced_or_ending = self.commits.send(commit);
    }
}

async fn announce(
    replica: String,
    connection: Connection,
    every: Duration,
    mut view: watch::Receiver<View>,
    mut commits: mpsc::UnboundedReceiver<Commit>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pending = Pending::default();
    loop {
        tokio::select! {
            biased;
            commit = commits.recv() => match commit {
                Some(commit) => pending.add(commit),
                None => return,
            },
            changed = view.changed() => if changed.is_err() { return },
            _ = ticks.tick() => {}
        }
        while let Ok(commit) = commits.try_recv() {
            pending.add(commit);
        }
        let now = view.borrow_and_update().clone();
        let (Some(epoch), Ok(link)) = (now.epoch, connection.current()) else {
            continue;
        };
        let position = pending.position.unwrap_or(now.position);
        let progress = Progress {
            epoch,
            position,
            previous: pending.announced.unwrap_or(position),
            head: now.head.max(position),
            state: now.state,
            generation: SCHEMA_LIVE.to_owned(),
            version: PROJECTION_VERSION,
            exceptions: (pending.exceptions.len() <= EXCEPTIONS_LIMIT).then(|| pending.exceptions.clone()),
        };
        match link.announce_progress(&replica, &progress).await {
            Ok(()) => pending.announced(position),
            Err(error) => tracing::debug!(%error, "an announcement was not sent; the next one tells it too"),
        }
    }
}

/// What was committed since the last announcement that was sent.
#[derive(Default)]
struct Pending {
    position: Option<Position>,
    announced: Option<Position>,
    /// At most one more than may be announced: then they are left out anyway.
    exceptions: Vec<Exception>,
}

impl Pending {
    fn add(&mut self, commit: Commit) {
        self.position = Some(commit.position);
        let room = (EXCEPTIONS_LIMIT + 1).saturating_sub(self.exceptions.len());
        self.exceptions.extend(commit.exceptions.into_iter().take(room));
    }

    fn announced(&mut self, position: Position) {
        self.announced = Some(position);
        self.position = None;
        self.exceptions.clear();
    }
}
