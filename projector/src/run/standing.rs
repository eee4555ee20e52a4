//! Where the replica stands: its state after each batch, and the stream's head, asked for again and again.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use contract::Position;
use contract::announcement::State;
use replica::Checkpoint;

use crate::batch::Ready;
use crate::run::Projection;
use crate::run::joining::Joining;

/// How far behind, in milliseconds of the broker's time, a serving replica may fall before it says so.
const BEHIND_LIMIT: i64 = 5_000;
/// How often the stream is asked for its head: readers tell the age of their data by it.
const HEAD_EVERY: Duration = Duration::from_millis(250);
/// How long a serving replica may stand still below the head before it says so.
const STANDSTILL: Duration = Duration::from_secs(5);

impl Projection {
    /// Following began, with this head of the stream: the replica joins anew.
    pub(super) fn begin(&self, checkpoint: &Checkpoint, head: Position) {
        if !self.serves_on() {
            *self.joining() = Joining::Behind(head);
        }
        self.settle(checkpoint, None);
    }

    /// What state the replica is in after a batch, or when following began.
    pub(super) fn settle(&self, checkpoint: &Checkpoint, last: Option<&Ready>) {
        let position = checkpoint.position;
        let mut joining = self.joining();
        let behind = last.filter(|last| last.head > position);
        if let Some(last) = behind
            && service::time::now().0 - last.occurrence.stored.0 > BEHIND_LIMIT
        {
            *joining = Joining::Behind(last.head);
        }
        let stuck = *self.stuck.lock().expect("no holder of this lock panics") == Some(position);
        if last.is_none() && stuck {
            // The same event is tried again now and then; until it is applied the replica says why it stopped.
            return;
        }
        self.announcer.update(|view| {
            view.why.clear();
            view.mend.clear();
            view.refuses_stream = false;
            view.head = view.head.max(position).max(last.map_or(position, |last| last.head));
            if checkpoint.importing {
                view.state = State::Importing;
                return;
            }
            let now = Instant::now();
            if view.state == State::Joining {
                // Said by the announcer, too, when nobody can have heard the replica for a while.
                joining.again(now);
            }
            view.state = joining.at(position, now);
        });
    }

    /// Asks the stream for its head, so that a replica to which nothing comes knows how far behind it is, and joins; and
    /// says so when applying stands still, whatever it hangs on.
    pub(super) async fn keep_asking_for_the_head(&self) {
        let (mut position, mut since) = (Position(0), Instant::now());
        loop {
            tokio::time::sleep(HEAD_EVERY).await;
            let Ok(link) = self.connection.current() else {
                continue;
            };
            let asked = Instant::now();
            let Ok(head) = link.head().await else {
                continue;
            };
            let mut joining = self.joining();
            self.announcer.update(|view| {
                if view.epoch.as_ref().is_some_and(|epoch| epoch != link.epoch()) {
                    // Another stream's head says nothing.
                    return;
                }
                (view.head, view.head_at) = (head.max(view.position), asked);
                let now = Instant::now();
                if view.position != position || view.head == view.position {
                    (position, since) = (view.position, now);
                } else if matches!(view.state, State::Serving | State::Joining)
                    && since.elapsed() > STANDSTILL
                {
                    *joining = Joining::Behind(view.head);
                    (view.state, view.why) = (State::CatchingUp, "applying stands still".to_owned());
                }
                if view.state == State::Joining {
                    joining.again(now);
                    joining.head(head, asked);
                    view.state = joining.at(view.position, now);
                }
            });
        }
    }

    /// Nothing is applied for a while, on purpose: writers do not wait for the replica, and its reader steps out where another
    /// serves.
    pub(super) fn pause(&self, why: &str) {
        let mut joining = self.joining();
        self.announcer.update(|view| {
            *joining = Joining::Behind(view.head);
            (view.state, view.why) = (State::CatchingUp, why.to_owned());
        });
    }

    fn joining(&self) -> MutexGuard<'_, Joining> {
        self.joining.lock().expect("no holder of this lock panics")
    }
}
