//! Announces the replica's progress: after each commit and at least four times a second, from a task of its own, so
//! that a long transaction never silences a replica.

use std::time::{Duration, Instant};

use contract::announcement::{EXCEPTIONS_LIMIT, Exception, ImportProgress, Progress, State};
use contract::{EVENTS_VERSION, Epoch, PROJECTION_VERSION, Position};
use replica::SCHEMA_LIVE;
use service::{metrics as names, task};
use stream::Connection;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// Whoever has said nothing for so long may not be waited for any more.
const SILENT: Duration = Duration::from_secs(1);

/// Letters of a reason that are announced.
const TOLD: usize = 600;

/// What the replica is like just now.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Unknown until the checkpoint was read.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) position: Position,
    pub(crate) head: Position,
    /// When the stream was asked for it: then its last position was not above `head`.
    pub(crate) head_at: Instant,
    pub(crate) state: State,
    /// Why it is in this state, for people; empty when all is well.
    pub(crate) why: String,
    /// What to do about it; empty when it passes by itself.
    pub(crate) mend: String,
    /// Whether it is stopped because the stream was recreated or lost events.
    pub(crate) refuses_stream: bool,
    /// While it is importing.
    pub(crate) import: Option<ImportProgress>,
}

/// A move of the checkpoint.
pub(crate) enum Moved {
    /// By a commit of ours: what became of the events in between is known.
    Committed { position: Position, exceptions: Vec<Exception> },
    /// Found where it is: what became of the events before is not known here.
    Found { position: Position },
}

/// Where the running projection says what it did.
pub(crate) struct Announcer {
    view: watch::Sender<View>,
    moves: mpsc::UnboundedSender<Moved>,
}

impl Announcer {
    /// Starts announcing for a replica.
    pub(crate) fn start(replica: String, connection: Connection, every: Duration) -> Announcer {
        let start = View {
            epoch: None,
            position: Position::BEFORE_FIRST,
            head: Position::BEFORE_FIRST,
            head_at: Instant::now(),
            state: State::CatchingUp,
            why: "starting".to_owned(),
            mend: String::new(),
            refuses_stream: false,
            import: None,
        };
        let view = watch::Sender::new(start);
        let (moves, received) = mpsc::unbounded_channel();
        task::essential("announcer", announce(replica, connection, every, view.clone(), received));
        Announcer { view, moves }
    }

    /// A view that follows what is announced.
    pub(crate) fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// The stream's head as far as it is known.
    pub(crate) fn head(&self) -> Position {
        self.view.borrow().head
    }

    /// The replica's position, and the stream's head as far as it is known.
    pub(crate) fn standing(&self) -> (Position, Position) {
        let view = self.view.borrow();
        (view.position, view.head)
    }

    /// The life of the stream that the replica belongs to, once that is known.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.view.borrow().epoch.clone()
    }

    /// Changes the view; told at once when the state changed.
    pub(crate) fn update(&self, change: impl FnOnce(&mut View)) {
        update(&self.view, change);
    }

    /// Tells of a move of the checkpoint. Positions are announced from here alone, so that an announcement never
    /// claims events whose exceptions it does not carry.
    pub(crate) fn moved(&self, moved: Moved) {
        // The task ends with the process only.
        let _announced_or_ending = self.moves.send(moved);
    }
}

impl View {
    /// It waits for something that comes by itself.
    pub(crate) fn wait(&mut self, what: &str) {
        self.why = what.to_owned();
        self.mend.clear();
    }
}

/// Several times a second: the log has it whole.
fn told(text: &str) -> String {
    text.chars().take(TOLD).collect()
}

fn update(view: &watch::Sender<View>, change: impl FnOnce(&mut View)) {
    view.send_if_modified(|view| {
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
    let view = view.borrow();
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

async fn announce(
    replica: String,
    connection: Connection,
    every: Duration,
    view: watch::Sender<View>,
    mut moves: mpsc::UnboundedReceiver<Moved>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pending = Pending::default();
    let mut watched = view.subscribe();
    let mut spoke: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            moved = moves.recv() => match moved {
                Some(moved) => pending.add(moved),
                None => return,
            },
            changed = watched.changed() => if changed.is_err() { return },
            _ = ticks.tick() => {}
        }
        while let Ok(moved) = moves.try_recv() {
            pending.add(moved);
        }
        if spoke.is_some_and(|spoke| spoke.elapsed() > SILENT) {
            update(&view, |view| {
                if view.state == State::Serving {
                    view.state = State::Joining;
                }
            });
        }
        let now = watched.borrow_and_update().clone();
        let (Some(epoch), Some((previous, position))) = (now.epoch, pending.span) else { continue };
        let Ok(link) = connection.current() else { continue };
        let progress = Progress {
            epoch,
            position,
            previous,
            head: now.head.max(position),
            head_age_ms: u64::try_from(now.head_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            state: now.state,
            why: told(&now.why),
            mend: told(&now.mend),
            refuses_stream: now.refuses_stream,
            generation: SCHEMA_LIVE.to_owned(),
            version: PROJECTION_VERSION,
            events_version: EVENTS_VERSION,
            exceptions: (pending.exceptions.len() <= EXCEPTIONS_LIMIT).then(|| pending.exceptions.clone()),
            import: now.import.filter(|_| now.state == State::Importing),
        };
        match link.announce_progress(&replica, &progress).await {
            Ok(()) => {
                spoke = Some(Instant::now());
                pending.announced(position);
            }
            Err(error) => tracing::debug!(%error, "an announcement was not sent; the next one tells it too"),
        }
    }
}

/// What happened since the last announcement that was sent.
#[derive(Default)]
struct Pending {
    /// From where to where: every exception in between is listed. None before the checkpoint was read.
    span: Option<(Position, Position)>,
    /// At most one more than may be announced: then they are left out anyway.
    exceptions: Vec<Exception>,
}

impl Pending {
    fn add(&mut self, moved: Moved) {
        match moved {
            Moved::Committed { position, exceptions } => {
                let previous = self.span.map_or(position, |(previous, _)| previous);
                self.span = Some((previous, position));
                let room = (EXCEPTIONS_LIMIT + 1).saturating_sub(self.exceptions.len());
                self.exceptions.extend(exceptions.into_iter().take(room));
            }
            Moved::Found { position } => {
                self.span = Some((position, position));
                self.exceptions.clear();
            }
        }
    }

    fn announced(&mut self, position: Position) {
        self.span = Some((position, position));
        self.exceptions.clear();
    }
}
