//! Requests at a steady rate, whatever comes back: who waits for an answer keeps nobody else from asking. A latency counts
//! from when its request was due, so what the generator is late with counts too.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::wire::{Answer, Connection};

/// More shoppers than that do not wait at a time: whoever comes then is not even heard.
const MOST_CONNECTIONS: usize = 3_000;
/// An answer that takes so long is a fault.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(1);

/// What is asked, by number, and what becomes of what comes back.
pub trait Requests: Send + Sync + 'static {
    /// The bytes of a request.
    fn bytes(&self, number: usize) -> Cow<'_, [u8]>;
    /// What came back for the request that was due then.
    fn answered(&self, number: usize, due: Instant, answer: std::io::Result<Answer>);
}

struct Shared<R> {
    address: String,
    requests: Arc<R>,
    due: Mutex<Due>,
    wake: Notify,
}

/// What is to be sent.
#[derive(Default)]
struct Due {
    queue: VecDeque<(Instant, usize)>,
    idle: usize,
    over: bool,
}

/// So many at a time, one after another, for so long: as much as can be borne. Requests are numbered from `first` on;
/// gives the first number that was not asked.
///
/// # Panics
/// When `requests` does.
pub async fn closed<R: Requests>(
    address: &str,
    requests: &Arc<R>,
    first: usize,
    clients: usize,
    duration: Duration,
) -> usize {
    let (shared, began) = (shared(address, requests), Instant::now());
    let next = Arc::new(AtomicUsize::new(first));
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (shared, next) = (shared.clone(), next.clone());
        tasks.spawn(async move {
            let mut connection = None;
            while began.elapsed() < duration {
                shared.send(&mut connection, Instant::now(), next.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    all(&mut tasks, || ()).await;
    next.load(Ordering::Relaxed)
}

/// What became of a load at a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The first number that was not asked.
    pub next: usize,
    /// So many could not be sent: too many were waiting for their answers.
    pub unsent: u64,
}

/// So many a second for so long, numbered from `first` on.
///
/// # Panics
/// When `requests` does.
pub async fn open<R: Requests>(
    address: &str,
    requests: &Arc<R>,
    first: usize,
    rate: f64,
    duration: Duration,
) -> Sent {
    let (shared, began) = (shared(address, requests), Instant::now());
    let mut connections = JoinSet::new();
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut count, mut unsent) = (0_usize, 0);
    while began.elapsed() < duration {
        clock.tick().await;
        let mut woken = 0;
        {
            let mut due = shared.due();
            loop {
                let at = began + Duration::from_secs_f64(count as f64 / rate);
                if at > Instant::now() || at >= began + duration {
                    break;
                }
                let job = (at, first + count);
                if due.queue.len() < due.idle {
                    due.queue.push_back(job);
                    woken += 1;
                } else if connections.len() < MOST_CONNECTIONS {
                    connections.spawn(serve(shared.clone(), job));
                } else {
                    unsent += 1;
                }
                count += 1;
            }
        }
        for _ in 0..woken {
            shared.wake.notify_one();
        }
    }
    shared.due().over = true;
    shared.wake.notify_waiters();
    all(&mut connections, || shared.wake.notify_waiters()).await;
    Sent { next: first + count, unsent }
}

/// Waits until all have ended.
async fn all(tasks: &mut JoinSet<()>, each: impl Fn()) {
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        each();
    }
}

/// One connection: asks what it was made for, then whatever is due.
async fn serve<R: Requests>(shared: Arc<Shared<R>>, first: (Instant, usize)) {
    let mut connection = None;
    let mut next = Some(first);
    loop {
        if let Some((due, number)) = next.take() {
            shared.send(&mut connection, due, number).await;
        }
        shared.due().idle += 1;
        next = loop {
            let notified = shared.wake.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let mut due = shared.due();
                if let Some(job) = due.queue.pop_front() {
                    due.idle -= 1;
                    break Some(job);
                }
                if due.over {
                    due.idle -= 1;
                    return;
                }
            }
            notified.await;
        };
    }
}

impl<R: Requests> Shared<R> {
    async fn send(&self, connection: &mut Option<Connection>, due: Instant, number: usize) {
        let asked = async {
            let open = match connection.take() {
                Some(open) => open,
                None => Connection::open(&self.address).await?,
            };
            connection.insert(open).ask(&self.requests.bytes(number)).await
        };
        let answer =
            timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        if answer.is_err() {
            *connection = None;
        }
        self.requests.answered(number, due, answer);
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shared<R>(address: &str, requests: &Arc<R>) -> Arc<Shared<R>> {
    Arc::new(Shared {
        address: address.to_owned(),
        requests: requests.clone(),
        due: Mutex::default(),
        wake: Notify::new(),
    })
}
