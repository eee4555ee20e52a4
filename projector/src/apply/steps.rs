//! An event that is applied in steps: a catalogue's closing. Each step is a transaction of its own, committed with its
//! bit in the checkpoint; some are made side by side. Whatever was killed goes on with what is not done.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use replica::Checkpoint;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;

use crate::failure::Failure;
use crate::resources::catalogue::{ALL_STEPS, Indexes, STEPS, Step};

const COMPARE: &str = include_str!("compare_step.sql");
const SET: &str = include_str!("set_step.sql");
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How the steps are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    /// Which indexes.
    pub(crate) indexes: Indexes,
    /// How many steps at a time, each on a connection of its own, where it sorts in memory of its own.
    pub(crate) side_by_side: usize,
}

impl Closing {
    /// For a generation that serves as soon as it can. Few machines that hold a replica have less than two cores.
    pub(crate) const TO_SERVE: Closing = Closing { indexes: Indexes::All, side_by_side: 2 };
}

/// What is going on, whenever that changes.
#[derive(Clone, Debug)]
pub(crate) struct Going {
    /// Bits of the steps that are done.
    pub(crate) done: i32,
    /// Steps that are being made, and since when.
    pub(crate) running: Vec<(Step, Instant)>,
}

/// Makes the steps that are not done yet. The checkpoint stays where it is; its `step` says what is done.
///
/// # Errors
/// Whatever kept a step from committing. Steps that were committed stay.
pub(crate) async fn apply_steps(
    database: &PgConnectOptions,
    checkpoint: &mut Checkpoint,
    closing: Closing,
    told: &(dyn Fn(&Going) + Sync),
) -> Result<(), Failure> {
    let going = Mutex::new(Going { done: checkpoint.step, running: Vec::new() });
    let (changed, failed) = (Notify::new(), AtomicBool::new(false));
    let lanes = Lanes {
        going: &going,
        changed: &changed,
        failed: &failed,
        checkpoint,
        indexes: closing.indexes,
        told,
    };
    // When one lane fails the other ends the step that it makes: that may be minutes of work.
    let ended = join_all((0..closing.side_by_side).map(|_| lanes.run_or_fail(database))).await;
    checkpoint.step = going.into_inner().expect("no holder of this lock panics").done;
    ended.into_iter().collect()
}

struct Lanes<'a> {
    going: &'a Mutex<Going>,
    changed: &'a Notify,
    /// No step is begun any more.
    failed: &'a AtomicBool,
    checkpoint: &'a Checkpoint,
    indexes: Indexes,
    told: &'a (dyn Fn(&Going) + Sync),
}

/// What a lane does next.
enum Next {
    Make(Step),
    Wait,
    End,
}

impl Lanes<'_> {
    async fn run_or_fail(&self, database: &PgConnectOptions) -> Result<(), Failure> {
        let ended = self.run(database).await;
        if ended.is_err() {
            self.failed.store(true, Ordering::Relaxed);
            self.changed.notify_waiters();
        }
        ended
    }

    /// Makes steps until none is left to begin.
    async fn run(&self, database: &PgConnectOptions) -> Result<(), Failure> {
        let connecting = tokio::time::timeout(CONNECT, PgConnection::connect_with(database)).await;
        let mut connection = connecting
            .map_err(|_| Failure::Slow { what: "connecting to Postgres", seconds: CONNECT.as_secs() })??;
        loop {
            let changed = self.changed.notified();
            match self.next() {
                Next::Make(step) => {
                    self.make(&mut connection, step).await?;
                    self.change(|going| {
                        going.done |= step.bit();
                        going.running.retain(|(other, _)| *other != step);
                    });
                    self.changed.notify_waiters();
                }
                Next::Wait => changed.await,
                Next::End => return Ok(()),
            }
        }
    }

    fn next(&self) -> Next {
        let mut next = Next::End;
        self.change(|going| {
            let begun = going.running.iter().fold(going.done, |bits, (step, _)| bits | step.bit());
            if begun == ALL_STEPS || self.failed.load(Ordering::Relaxed) {
                return;
            }
            let ready = |step: &&Step| begun & step.bit() == 0 && step.needs() & !going.done == 0;
            next = match STEPS.iter().find(ready) {
                Some(step) => {
                    going.running.push((*step, Instant::now()));
                    Next::Make(*step)
                }
                None => Next::Wait,
            };
        });
        next
    }

    async fn make(&self, connection: &mut PgConnection, step: Step) -> Result<(), Failure> {
        let started = Instant::now();
        let Checkpoint { position, epoch, fence, .. } = self.checkpoint;
        let mut transaction = connection.begin().await?;
        let compared = sqlx::query(COMPARE)
            .bind(position.as_i64())
            .bind(epoch.as_str())
            .bind(fence)
            .bind(step.bit())
            .fetch_optional(&mut *transaction)
            .await?;
        if compared.is_none() {
            return Err(Failure::Fenced);
        }
        step.make(&mut transaction, self.indexes).await?;
        let set = sqlx::query(SET)
            .bind(position.as_i64())
            .bind(epoch.as_str())
            .bind(fence)
            .bind(step.bit())
            .execute(&mut *transaction)
            .await?;
        if set.rows_affected() != 1 {
            return Err(Failure::Fenced);
        }
        transaction.commit().await?;
        tracing::info!(
            step = step.what(),
            place = step.bit().trailing_zeros() + 1,
            steps = STEPS.len(),
            seconds = started.elapsed().as_secs_f64(),
            "a step of the catalogue's closing is done"
        );
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Going)) {
        let mut going = self.going.lock().expect("no holder of this lock panics");
        change(&mut going);
        (self.told)(&going);
    }
}
