//! Requests at a steady rate, whatever comes back: who waits for an answer keeps nobody else from asking. A latency counts
//! from when its request was due, so what the generator is late with counts too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::requests::Requests;
use super::tally::Tally;
use super::wire::Connection;

/// More shoppers than that do not wait at a time: whoever comes then is not even heard.
const MOST_CONNECTIONS: usize = 3_000;
/// An answer that takes so long is a fault.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(1);

struct Shared {
    address: String,
    requests: Arc<Requests>,
    due: Mutex<Due>,
    wake: Notify,
    tally: Mutex<Tally>,
}

/// What is to be sent.
#[derive(Default)]
struct Due {
    queue: VecDeque<(Instant, usize)>,
    idle: usize,
    over: bool,
}

/// So many at a time, one after another, for so long: as much as can be borne.
pub(super) async fn closed(
    address: &str,
    requests: &Arc<Requests>,
    clients: usize,
    duration: Duration,
) -> Tally {
    let began = Instant::now();
    let shared = shared(address, requests, began);
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let shared = shared.clone();
        tasks.spawn(async move {
            let mut connection = None;
            // Each begins elsewhere, so that all kinds are asked for all the time.
            let mut number = client * 7_919;
            while began.elapsed() < duration {
                shared.send(&mut connection, Instant::now(), number).await;
                number += 1;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    take(shared)
}

/// So many a second for so long.
pub(super) async fn open(address: &str, requests: &Arc<Requests>, rate: f64, duration: Duration) -> Tally {
    let began = Instant::now();
    let shared = shared(address, requests, began);
    let mut connections = JoinSet::new();
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut number, mut unsent) = (0_usize, 0);
    while began.elapsed() < duration {
        clock.tick().await;
        let mut woken = 0;
        {
            let mut due = shared.due();
            loop {
                let at = began + Duration::from_secs_f64(number as f64 / rate);
                if at > Instant::now() || at >= began + duration {
                    break;
                }
                if due.queue.len() < due.idle {
                    due.queue.push_back((at, number));
                    woken += 1;
                } else if connections.len() < MOST_CONNECTIONS {
                    connections.spawn(serve(shared.clone(), (at, number)));
                } else {
                    unsent += 1;
                }
                number += 1;
            }
        }
        for _ in 0..woken {
            shared.wake.notify_one();
        }
    }
    shared.due().over = true;
    shared.wake.notify_waiters();
    while let Some(ended) = connections.join_next().await {
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        shared.wake.notify_waiters();
    }
    let mut tally = take(shared);
    tally.unsent = unsent;
    tally
}

/// One connection: asks what it was made for, then whatever is due.
async fn serve(shared: Arc<Shared>, first: (Instant, usize)) {
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

impl Shared {
    async fn send(&self, connection: &mut Option<Connection>, due: Instant, number: usize) {
        let asked = async {
            let open = match connection.take() {
                Some(open) => open,
                None => Connection::open(&self.address).await?,
            };
            let open = connection.insert(open);
            open.ask(self.requests.bytes(number)).await
        };
        let answer =
            timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        if answer.is_err() {
            *connection = None;
        }
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(self.requests.kind(number), due, answer);
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shared(address: &str, requests: &Arc<Requests>, began: Instant) -> Arc<Shared> {
    Arc::new(Shared {
        address: address.to_owned(),
        requests: requests.clone(),
        due: Mutex::default(),
        wake: Notify::new(),
        tally: Mutex::new(Tally::new(began)),
    })
}

fn take(shared: Arc<Shared>) -> Tally {
    let shared = Arc::into_inner(shared).expect("all tasks of a load have ended");
    shared.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}
