//! Three times as much as can be borne: what cannot be done is refused at once, and what was done stays done.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::tests::catalogue::Spare;
use futures::FutureExt;
use load::{Answer, First, memory};

use crate::arena::Arena;
use crate::drive::Shared;
use crate::drive::client::told;
use crate::history::{Operation, Outcome, Record};
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 36,
    title: "three times the load that can be borne, at a steady rate whatever comes back",
    quick: false,
    // As a shop would have it, not as tests on a busy machine do.
    setup: Setup {
        environment: &[
            ("writer", "ATELIER_WRITER_VISIBLE_WAIT_MS", "250"),
            ("reader", "ATELIER_READER_OVERLOAD_MS", "100"),
        ],
        ..Setup::USUAL
    },
    run: |arena| overload(arena).boxed_local(),
}];

/// Clients that ask one after another find out what can be borne.
const CLIENTS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(2);
const CAPACITY: Duration = Duration::from_secs(5);
/// A rate that is borne with ease is so much of the highest.
const EASY: f64 = 0.5;
const TIMES: f64 = 3.0;
const NORMAL: Duration = Duration::from_secs(6);
const AFTER: Duration = Duration::from_secs(10);
/// All is as before within so long.
const RECOVERED: Duration = Duration::from_secs(5);
/// And then the p99 is no more than so many times the usual one, and what chance adds.
const AS_BEFORE: (u32, Duration) = (2, Duration::from_millis(25));
/// What is accepted under the load is answered by then, but for one in a hundred; or within so many times the usual p99,
/// on a machine where that is more.
const BOUNDED: (Duration, u32) = (Duration::from_secs(2), 10);
/// A machine that does something else meanwhile does not hold its times; what must hold whatever happens is judged once.
const TRIES: usize = 3;
/// One of so many requests is a write.
const WRITE_OF: usize = 10;

/// What is asked, and what came back.
struct Asked {
    products: Vec<Spare>,
    history: Shared,
    seen: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    done: Vec<Done>,
    /// When they were due.
    refused: Vec<Instant>,
    /// What is neither done nor refused as it should be.
    faults: BTreeMap<String, usize>,
}

/// When it was due, and how long it took from then on.
struct Done {
    write: bool,
    due: Instant,
    took: Duration,
}

/// The p99 of what was accepted.
#[derive(Clone, Copy)]
struct Waits {
    reads: Duration,
    writes: Duration,
}

/// What one load came to.
struct Tried {
    /// A second.
    borne: f64,
    /// Before the load, under it, and some seconds behind it.
    usual: Waits,
    under: Waits,
    after: Waits,
    refused_normally: usize,
    accepted: usize,
    refused: usize,
    unsent: u64,
    /// From the end of the load until the last refusal.
    recovered: Duration,
    /// The first number that was not asked.
    next: usize,
}

async fn overload(arena: &mut Arena) -> Result<Seen, Stop> {
    let asked = Arc::new(Asked {
        products: arena.products.clone(),
        history: arena.history.clone(),
        seen: Mutex::default(),
    });
    let rest = memory::now(&arena.system);
    let watch = memory::Watch::start(&arena.system);
    let duration = Duration::from_secs(arena.rounds(8, 20) as u64);
    let url = arena.system.url();
    let (mut late, mut next) = (Vec::new(), 0);
    let tried = loop {
        let first = First::come();
        let tried = tried(&asked, url.trim_start_matches("http://"), next, duration).await;
        drop(first);
        match tried.too_late() {
            None => break tried,
            Some(words) => late.push(words),
        }
        if late.len() == TRIES {
            return Err(Stop::Failed(late));
        }
        next = tried.next;
    };
    let mut faults = memory::beyond(&rest, &watch.stop());
    faults.extend(asked.faults());
    if !faults.is_empty() {
        return Err(Stop::Failed(faults));
    }
    let Tried { borne, usual, under, after, accepted, refused, .. } = &tried;
    let seen = Seen::recovered(tried.recovered)
        .note(format!(
            "{borne:.0} a second are borne, {:.0} are asked for {duration:?}: {accepted} accepted, {refused} refused, each a 503 with Retry-After",
            borne * TIMES
        ))
        .note(format!(
            "p99 of what is accepted: {}; usually {}; afterwards {}",
            under.words(),
            usual.words(),
            after.words()
        ));
    arena.judge(seen).await
}

/// What can be borne, half of that, several times that, half of it again.
async fn tried(asked: &Arc<Asked>, address: &str, first: usize, duration: Duration) -> Tried {
    let next = load::closed(address, asked, first, CLIENTS, WARM_UP).await;
    let began = Instant::now();
    let next = load::closed(address, asked, next, CLIENTS, CAPACITY).await;
    let borne = asked.count_since(began) as f64 / began.elapsed().as_secs_f64();

    let normal = Instant::now();
    let sent = load::open(address, asked, next, borne * EASY, NORMAL).await;
    let (usual, refused_normally) = (asked.waits(normal, Instant::now()), asked.refused_since(normal));

    let loaded = Instant::now();
    let sent = load::open(address, asked, sent.next, borne * TIMES, duration).await;
    let (over, unsent) = (Instant::now(), sent.unsent);
    let under = asked.waits(loaded, over);
    let (accepted, refused) = (asked.count_since(loaded), asked.refused_since(loaded));

    let sent = load::open(address, asked, sent.next, borne * EASY, AFTER).await;
    let last = asked.last_refusal();
    Tried {
        borne,
        usual,
        under,
        after: asked.waits(over + RECOVERED, Instant::now()),
        refused_normally,
        accepted,
        refused,
        unsent,
        recovered: last.map_or(Duration::ZERO, |last| last.saturating_duration_since(over)),
        next: sent.next,
    }
}

impl Tried {
    /// In words, what took too long, or was no overload: a machine that does something else meanwhile looks the same.
    fn too_late(&self) -> Option<String> {
        let as_before = |now: Duration, before: Duration| now <= before * AS_BEFORE.0 + AS_BEFORE.1;
        let bounded = |now: Duration, before: Duration| now <= BOUNDED.0.max(before * BOUNDED.1);
        let (usual, under, after) = (self.usual, self.under, self.after);
        let wrong = if self.refused_normally > 0 {
            format!("{} refusals at half of what is borne", self.refused_normally)
        } else if self.refused == 0 {
            "nothing was refused: it was no overload".to_owned()
        } else if self.unsent as usize > (self.refused + self.accepted) / 20 {
            format!("{} requests could not be sent", self.unsent)
        } else if !bounded(under.reads, usual.reads) || !bounded(under.writes, usual.writes) {
            format!("p99 under the load: {}; before it: {}", under.words(), usual.words())
        } else if self.recovered > RECOVERED {
            format!("the last refusal came {:?} after the load", self.recovered)
        } else if !as_before(after.reads, usual.reads) || !as_before(after.writes, usual.writes) {
            format!("p99 {RECOVERED:?} after the load: {}; before it: {}", after.words(), usual.words())
        } else {
            return None;
        };
        Some(format!("{:.0} a second were borne; {wrong}", self.borne))
    }
}

impl load::Requests for Asked {
    fn bytes(&self, number: usize) -> Cow<'_, [u8]> {
        let bytes = match self.write(number) {
            Some(operation) => post(&operation),
            None => {
                let product = self.products[number % self.products.len()].id;
                let path = match number % 3 {
                    0 => format!("/products/{product}/styles"),
                    _ => format!("/reviews?product_id={product}"),
                };
                format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes()
            }
        };
        Cow::Owned(bytes)
    }

    fn answered(&self, number: usize, due: Instant, answer: std::io::Result<Answer>) {
        let took = due.elapsed();
        let operation = self.write(number);
        let done = if operation.is_some() { 201 } else { 200 };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(answer) if answer.status == done => {
                seen.done.push(Done { write: operation.is_some(), due, took });
            }
            Ok(answer) if answer.status == 503 && answer.retry_after && answer.is_problem => {
                seen.refused.push(due)
            }
            Ok(answer) => {
                let body: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
                *seen.faults.entry(format!("answered {}: {body}", answer.status)).or_default() += 1;
            }
            Err(error) => *seen.faults.entry(format!("not answered: {error}")).or_default() += 1,
        }
        drop(seen);
        let Some(operation) = operation else { return };
        let outcome = match &answer {
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body);
                told(&operation, answer.status, answer.position.as_deref(), &body)
            }
            Err(error) => Outcome::Unknown(error.to_string()),
        };
        let ended = due + took;
        self.history.write(Record {
            operation,
            key: None,
            started: due,
            last_try: due,
            ended,
            tries: 1,
            slowest: took,
            outcome,
        });
    }
}

impl Asked {
    /// The write that a number stands for, if it stands for one.
    fn write(&self, number: usize) -> Option<Operation> {
        if !number.is_multiple_of(WRITE_OF) {
            return None;
        }
        let mark = format!("load-{number}");
        let Spare { id, fit, .. } = self.products[number / WRITE_OF % self.products.len()];
        Some(match number / WRITE_OF % 4 {
            0 => Operation::Interaction { mark },
            1 => Operation::Cart { session: mark },
            2 => Operation::Question { product: id, mark },
            _ => Operation::Review { product: id, characteristic: fit, rating: 4, mark },
        })
    }

    fn with<T>(&self, look: impl FnOnce(&Tally) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of what was due then.
    fn waits(&self, from: Instant, until: Instant) -> Waits {
        let p99 = |write: bool| {
            self.with(|seen| {
                let of =
                    seen.done.iter().filter(|done| done.write == write && (from..until).contains(&done.due));
                let mut times: Vec<Duration> = of.map(|done| done.took).collect();
                times.sort_unstable();
                times.get(times.len() * 99 / 100).copied().unwrap_or_default()
            })
        };
        Waits { reads: p99(false), writes: p99(true) }
    }

    fn refused_since(&self, from: Instant) -> usize {
        self.with(|seen| seen.refused.iter().filter(|due| **due >= from).count())
    }

    fn count_since(&self, from: Instant) -> usize {
        self.with(|seen| seen.done.iter().filter(|done| done.due >= from).count())
    }

    fn last_refusal(&self) -> Option<Instant> {
        self.with(|seen| seen.refused.iter().max().copied())
    }

    fn faults(&self) -> Vec<String> {
        self.with(|seen| {
            seen.faults.iter().take(5).map(|(what, times)| format!("{times} × {what}")).collect()
        })
    }
}

impl Waits {
    fn words(self) -> String {
        format!("reads {} ms, writes {} ms", self.reads.as_millis(), self.writes.as_millis())
    }
}

fn post(operation: &Operation) -> Vec<u8> {
    let body = operation.body().map(|body| body.to_string()).unwrap_or_default();
    let session =
        operation.session().map_or(String::new(), |session| format!("Atelier-Session: {session}\r\n"));
    format!(
        "POST {} HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n{session}Content-Length: {}\r\n\r\n{body}",
        operation.path(),
        body.len()
    )
    .into_bytes()
}
