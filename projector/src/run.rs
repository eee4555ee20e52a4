//! `projector run`: own the replica, follow the stream, apply, announce; for ever.

mod auditing;
mod exchanged;
mod joining;
mod memory;
mod snapshots;
mod standing;
mod verifying;
mod waiting;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use contract::announcement::State;
use contract::{Event, PROJECTION_VERSION, Position};
use replica::{Checkpoint, SCHEMA_LIVE, read_checkpoint};
use service::config::Config;
use service::metrics::{APPLY_RETRIES, APPLY_SECONDS, Recorder};
use service::{operations, serve, shutdown};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use stream::{Connection, Link};
use tokio_util::sync::CancellationToken;

use crate::announcer::{Announcer, Moved, View};
use crate::apply::{Applied, Closing, Going, apply, apply_steps, in_steps};
use crate::batch::{Batches, Ready};
use crate::failure::{Backoff, Failure, Next};
use crate::generation;
use crate::importing::Importing;
use crate::parking::Decisions;
use crate::run::joining::Joining;
use crate::run::memory::Memory;
pub(crate) use crate::run::memory::recalled;
use crate::run::snapshots::Snapshots;

/// How long connecting and taking over may take: a machine that vanished answers nothing at all.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an apply transaction may take. The steps of a catalogue's closing take as long as they take.
const APPLY: Duration = Duration::from_secs(60);
/// How often the estimate of what is left is told anew.
const ESTIMATE_EVERY: Duration = Duration::from_millis(500);
/// How long an operator's last request may take when the process ends.
const OPERATIONS_BOUND: Duration = Duration::from_secs(1);
/// How long a stopped replica waits before it looks again whether somebody has acted.
const STOPPED_PAUSE: Duration = Duration::from_secs(5);
/// How often a projector that stands by looks whether the replica is free.
const STAND_BY_PAUSE: Duration = Duration::from_millis(500);

/// Runs until a signal.
pub(crate) async fn run(config: Config, name: &str, operations: SocketAddr) -> Result<(), Box<dyn Error>> {
    let replica = config.replica(name)?.clone();
    let database = generation::applying(&replica, SCHEMA_LIVE)?;
    let listener = serve::bind(operations).await?;
    let recorder = Recorder::start();
    let stop = shutdown::on_signal()?;
    let last = CancellationToken::new();
    let connection =
        Connection::open(config.stream_settings(), &format!("atelier projector {name}"), last.clone());
    let announcer = Announcer::start(
        replica.name.clone(),
        connection.clone(),
        Duration::from_millis(config.projector.announce_ms),
    );
    let view = announcer.watch();
    let readiness: operations::Readiness = Arc::new(move || ready(&view.borrow()));
    let serving = tokio::spawn(serve::serve(listener, operations::router(readiness, recorder), last.clone()));
    tracing::info!(replica = name, %operations, version = PROJECTION_VERSION, "the projector started");

    let _auditing = auditing::start(&config, name, &connection);
    let projection = Projection {
        name: replica.name,
        database,
        connection,
        announcer,
        batch: config.projector.batch_events,
        stuck: Mutex::new(None),
        joining: Mutex::new(Joining::Behind(Position::BEFORE_FIRST)),
        importing: Mutex::new(Importing::begin()),
        memory: Mutex::new(Memory::default()),
        exchanged: AtomicBool::new(false),
        snapshots: Snapshots::default(),
    };
    let ended = tokio::select! {
        ended = projection.keep_running() => ended,
        () = projection.keep_asking_for_the_head() => Ok(()),
        () = projection.keep_remembering() => Ok(()),
        () = stop.cancelled() => Ok(()),
    };
    // An apply transaction that was cut here rolls back; the stream has its events.
    projection.announcer.update(|view| {
        (view.state, view.why) = (State::Stopped, "the projector was told to stop".to_owned())
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    last.cancel();
    // An operator's connection that does not end is cut with the process.
    if let Ok(served) = tokio::time::timeout(OPERATIONS_BOUND, serving).await {
        served?;
    }
    tracing::info!(replica = name, "the projector stopped");
    ended.map_err(Into::into)
}

fn ready(view: &View) -> Result<(), String> {
    let well = view.epoch.is_some() && view.state != State::Stopped && view.why.is_empty();
    if well { Ok(()) } else { Err(format!("{}: {}", view.state.word(), view.why)) }
}

struct Projection {
    name: String,
    database: PgConnectOptions,
    connection: Connection,
    announcer: Announcer,
    batch: usize,
    /// The checkpoint behind which an event lies that cannot be applied.
    stuck: Mutex<Option<Position>>,
    /// How far it is on its way to serving.
    joining: Mutex<Joining>,
    /// While a catalogue is being applied.
    importing: Mutex<Importing>,
    /// What is known of the stream beside the checkpoint.
    memory: Mutex<Memory>,
    /// The generation may just have been exchanged under this process.
    exchanged: AtomicBool,
    /// Snapshots that are kept for comparisons.
    snapshots: Snapshots,
}

impl Projection {
    /// Goes on after every failure as [`Failure::next`] says.
    async fn keep_running(&self) -> Result<(), Arc<stream::Error>> {
        // A server or stream that must not be used is told to whoever starts the projector; later it is waited out.
        self.connection.verified().await?;
        let mut backoff = Backoff::new();
        let mut said = String::new();
        loop {
            let started = Instant::now();
            let failure = match self.live().await {
                Ok(never) => match never {},
                Err(failure) => failure,
            };
            if self.may_be_exchanged(&failure, started) {
                continue;
            }
            if started.elapsed() > Duration::from_secs(10) {
                backoff.reset();
                said.clear();
            }
            let text = failure.to_string();
            let next = failure.next();
            if text != said {
                match next {
                    Next::Stop => {
                        tracing::error!(replica = self.name, error = text, "the replica stopped applying")
                    }
                    Next::StandBy => {
                        tracing::info!(replica = self.name, "another projector has the replica: standing by")
                    }
                    Next::Retry => tracing::warn!(
                        replica = self.name,
                        error = text,
                        "applying was interrupted; trying again"
                    ),
                }
                said = text.clone();
            }
            *self.stuck.lock().expect("no holder of this lock panics") = failure.stuck_behind();
            self.memory().failed(&failure, self.announcer.epoch());
            let state = if next == Next::Stop { State::Stopped } else { State::CatchingUp };
            self.announcer.update(|view| {
                (view.state, view.why, view.refuses_stream) = (state, text, failure.is_damage());
                view.mend = failure.mend(&self.name);
                if next == Next::StandBy {
                    // The replica is another projector's: nothing is said in its name.
                    view.epoch = None;
                }
            });
            match next {
                Next::Stop => tokio::time::sleep(STOPPED_PAUSE).await,
                Next::StandBy => tokio::time::sleep(STAND_BY_PAUSE).await,
                Next::Retry => {
                    metrics::counter!(APPLY_RETRIES).increment(1);
                    backoff.pause().await;
                }
            }
        }
    }

    /// One life of a connection to the replica: take it over, then follow the stream.
    async fn live(&self) -> Result<std::convert::Infallible, Failure> {
        let (mut connection, mut checkpoint) = within(CONNECT, "connecting to Postgres", async {
            let mut connection = PgConnection::connect_with(&self.database).await?;
            let checkpoint = self.take_over(&mut connection).await?;
            Ok((connection, checkpoint))
        })
        .await?;
        self.found(&checkpoint);
        // Said before anything is refused: a replica whose projector stops is not to be taken for a silent one.
        self.announcer.update(|view| {
            view.epoch = Some(checkpoint.epoch.clone());
            view.position = checkpoint.position;
        });
        self.announcer.moved(Moved::Found { position: checkpoint.position });
        within(CONNECT, "looking at the replica's tables", async {
            // First: the tables of another version are other tables, and `projector init` would not mend them.
            if checkpoint.version != PROJECTION_VERSION {
                return Err(Failure::Version { found: checkpoint.version, ours: PROJECTION_VERSION });
            }
            generation::verify_tables(&mut connection).await?;
            self.recall(&mut connection).await
        })
        .await?;
        self.wait_for_reads_of_previous(&mut connection).await?;
        loop {
            let link = self.connection.link().await;
            if *link.epoch() != checkpoint.epoch
                && read_checkpoint(&mut connection).await?.epoch == *link.epoch()
            {
                return Err(Failure::Adopted { epoch: link.epoch().clone() });
            }
            match self.follow(&mut connection, &link, &mut checkpoint).await {
                Ok(never) => match never {},
                // The stream went away and the replica is well: its connection and its fence are kept.
                Err(Failure::Stream(error)) if link.is_closed() && !error.is_damage() => {
                    tracing::info!(
                        replica = self.name,
                        position = checkpoint.position.0,
                        "waiting for the stream"
                    );
                    self.announcer.update(|view| view.wait("waiting for the stream"));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn follow(
        &self,
        connection: &mut PgConnection,
        link: &Link,
        checkpoint: &mut Checkpoint,
    ) -> Result<std::convert::Infallible, Failure> {
        let head = self.verify(link, checkpoint).await?;
        // All of them, before anything is applied: they lie behind what they are about.
        let decisions = Decisions::read(link).await?;
        let behind = checkpoint.position;
        tokio::select! {
            ended = self.follow_on(connection, link, checkpoint, &decisions, head) => ended,
            // What is cut here rolls back.
            failure = self.keep_verifying(link, behind) => Err(failure),
            never = decisions.keep_reading(link) => match never {},
        }
    }

    async fn follow_on(
        &self,
        connection: &mut PgConnection,
        link: &Link,
        checkpoint: &mut Checkpoint,
        decisions: &Decisions,
        head: Position,
    ) -> Result<std::convert::Infallible, Failure> {
        let follower = link.follow(checkpoint.position.next()).await?;
        tracing::info!(
            replica = self.name,
            position = checkpoint.position.0,
            head = head.0,
            "following the stream"
        );
        self.begin(checkpoint, head);
        let mut batches = Batches::new(follower, decisions, self.batch);
        loop {
            let batch = self.next_batch(&mut batches, connection, checkpoint).await?;
            let closing = in_steps(checkpoint, &batch[0]);
            if closing {
                let made = self.apply_steps(checkpoint).await;
                made.map_err(|failure| blame(failure, &batch[0]))?;
            }
            let started = Instant::now();
            self.apply(connection, checkpoint, &batch).await?;
            let took = started.elapsed();
            self.settle(checkpoint, batch.last());
            let paused = match &batch[0].occurrence.event {
                Event::ControlAudit(mark) => self.at_mark(mark, &batch[0], checkpoint).await,
                _ => false,
            };
            self.rest_for_snapshots(took).await;
            if closing || paused {
                // The consumer was not asked for so long that the server has forgotten it.
                batches = Batches::new(link.follow(checkpoint.position.next()).await?, decisions, self.batch);
            }
        }
    }

    /// Applies a batch; when its content is at fault, event by event, so that everything before the faulty one is
    /// kept and that one is named.
    async fn apply(
        &self,
        connection: &mut PgConnection,
        checkpoint: &mut Checkpoint,
        batch: &[Ready],
    ) -> Result<(), Failure> {
        let started = Instant::now();
        match &batch[0].occurrence.event {
            Event::CatalogueOpened(_) => *self.importing() = Importing::begin(),
            Event::CatalogueChunk(chunk) => {
                let progress = self.importing().loading(chunk);
                self.announcer.update(|view| view.import = Some(progress));
            }
            _ => {}
        }
        let applied = within(APPLY, "an apply transaction", apply(connection, checkpoint, batch)).await;
        match applied {
            Ok(applied) => {
                metrics::histogram!(APPLY_SECONDS).record(started.elapsed().as_secs_f64());
                self.committed(checkpoint, applied);
                Ok(())
            }
            Err(failure) if failure.is_content() && batch.len() > 1 => {
                for ready in batch {
                    Box::pin(self.apply(connection, checkpoint, std::slice::from_ref(ready))).await?;
                }
                Ok(())
            }
            Err(failure) => Err(blame(failure, &batch[0])),
        }
    }

    /// Makes the steps of a catalogue's closing, and says how far they are.
    async fn apply_steps(&self, checkpoint: &mut Checkpoint) -> Result<(), Failure> {
        let last = Mutex::new(Going { done: checkpoint.step, running: Vec::new() });
        let tell = || {
            let progress = self.importing().closing(&last.lock().expect("no holder of this lock panics"));
            self.announcer.update(|view| view.import = Some(progress));
        };
        let told = |going: &Going| {
            *last.lock().expect("no holder of this lock panics") = going.clone();
            tell();
        };
        let started = Instant::now();
        let steps = apply_steps(&self.database, checkpoint, Closing::TO_SERVE, &told);
        tokio::pin!(steps);
        let mut ticks = tokio::time::interval(ESTIMATE_EVERY);
        loop {
            tokio::select! {
                ended = &mut steps => {
                    ended?;
                    tracing::info!(
                        replica = self.name,
                        seconds = started.elapsed().as_secs_f64(),
                        "all steps of the catalogue's closing are done"
                    );
                    return Ok(());
                }
                _ = ticks.tick() => tell(),
            }
        }
    }

    fn importing(&self) -> MutexGuard<'_, Importing> {
        self.importing.lock().expect("no holder of this lock panics")
    }

    fn committed(&self, checkpoint: &mut Checkpoint, applied: Applied) {
        *checkpoint = applied.checkpoint;
        self.announcer.update(|view| view.position = checkpoint.position);
        let (position, exceptions) = (checkpoint.position, applied.exceptions);
        self.announcer.moved(Moved::Committed { position, exceptions });
    }
}

/// A failure by content is the event's: trying the same again is futile.
fn blame(failure: Failure, ready: &Ready) -> Failure {
    if failure.is_content() {
        Failure::Event { position: ready.occurrence.position, reason: failure.to_string() }
    } else {
        failure
    }
}

/// Bounds work that a silent machine would let hang.
async fn within<T>(
    longest: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(longest, work)
        .await
        .unwrap_or(Err(Failure::Slow { what, seconds: longest.as_secs() }))
}
