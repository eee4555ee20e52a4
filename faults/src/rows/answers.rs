//! Readers and their Postgres die while long answers are on their way: what arrives is whole, or is seen not to be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use reqwest::Method;
use serde_json::Value;
use tests::{Shopper, eventually, tables, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::arena::Arena;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 2] = [
    Row {
        number: 32,
        title: "a reader's Postgres goes away in the middle of long answers",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| postgres_goes(arena).boxed_local(),
    },
    Row {
        number: 33,
        title: "kill -9 of a reader in the middle of long answers",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| reader_goes(arena).boxed_local(),
    },
];

/// Reviews, and letters of the text of each: more than all buffers between a reader and its client take.
const LONG: (usize, usize) = (1_000, 5_000);
/// Asked for one after the other on one connection.
const PIPELINED: usize = 8;
/// How much of them a client takes before the reader is killed.
const TAKEN: usize = 1 << 20;
const END_READERS: &str =
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'atelier_reader'";

async fn postgres_goes(arena: &mut Arena) -> Result<Seen, Stop> {
    let page = Page::write(arena, LONG).await?;
    let reading = Reading::start(arena, &page);
    for round in 0..arena.rounds(4, 12) {
        reading.more(10).await;
        let replica = ["a", "b"][round % 2];
        // Its sessions are ended under it, again and again; then all of Postgres.
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(arena.random.below(40) as u64)).await;
            let mut connection =
                tables::connect(&arena.system, replica).await.map_err(|error| error.to_string())?;
            sqlx::raw_sql(END_READERS).execute(&mut connection).await.map_err(|error| error.to_string())?;
        }
        reading.more(5).await;
        tokio::time::sleep(Duration::from_millis(arena.random.below(40) as u64)).await;
        let postgres = arena.system.process(&format!("postgres-{replica}")).clone();
        postgres.kill9().await;
        postgres.wait_ready(within(60)).await?;
    }
    let healed = Instant::now();
    reading.more(10).await;
    let longest = healed.elapsed();
    let told = reading.stop().await?;
    if told.keys().all(|(_, what)| *what == "whole") {
        return Err(Stop::from(format!("no answer was disturbed, so nothing was tried: {told:?}")));
    }
    page.is_read_whole(arena).await?;
    arena.judge(Seen::recovered(longest).note(words(&told))).await
}

async fn reader_goes(arena: &mut Arena) -> Result<Seen, Stop> {
    let page = Page::write(arena, LONG).await?;
    let reading = Reading::start(arena, &page);
    let rounds = arena.rounds(4, 12);
    let (mut whole, mut cut) = (0, 0);
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        reading.more(5).await;
        let name = ["reader-a", "reader-b"][round % 2];
        let reader = arena.system.process(name).clone();
        let address = &arena.system.reader_urls()[round % 2];
        let (some, parts) = killed_while_it_answers(address, &page, &reader).await?;
        let killed = Instant::now();
        whole += some;
        cut += parts;
        reader.wait_ready(within(60)).await?;
        reading.more(2).await;
        longest = longest.max(killed.elapsed());
    }
    if cut == 0 {
        return Err(Stop::from("no answer was cut, so nothing was tried".to_owned()));
    }
    let told = reading.stop().await?;
    page.is_read_whole(arena).await?;
    let note = format!(
        "{rounds} kills; straight from a reader that dies {whole} whole, {cut} cut short and seen to be"
    );
    arena.judge(Seen::recovered(longest).note(note).note(words(&told))).await
}

/// Asks a reader for the page several times on one connection, takes a little, kills the reader, takes the rest. How many
/// answers were whole, and how many were shorter than they said.
async fn killed_while_it_answers(
    address: &str,
    page: &Page,
    reader: &local::Process,
) -> Result<(usize, usize), Stop> {
    let failed = |error: std::io::Error| Stop::from(format!("a reader cannot be asked: {error}"));
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.map_err(failed)?;
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", page.path);
    stream.write_all(request.repeat(PIPELINED).as_bytes()).await.map_err(failed)?;
    let mut taken = vec![0; TAKEN];
    let first = tokio::time::timeout(within(10), stream.read_exact(&mut taken)).await;
    first.map_err(|_| Stop::from("a reader does not answer".to_owned()))?.map_err(failed)?;
    reader.kill9().await;
    // A connection that is reset has ended too.
    let _ended = tokio::time::timeout(within(10), stream.read_to_end(&mut taken)).await;
    let (mut rest, mut whole) = (&taken[..], 0);
    while !rest.is_empty() {
        let Some((status, body, behind)) = answer(rest)? else {
            return Ok((whole, 1));
        };
        if status != 200 || body != page.body.as_bytes() {
            return Err(Stop::from(format!(
                "an answer of {status} with {} bytes is not the page",
                body.len()
            )));
        }
        whole += 1;
        rest = behind;
    }
    // It was cut between two answers, or at the first byte of the next.
    Ok((whole, usize::from(whole < PIPELINED)))
}

/// The first answer of several: its status, its body, and what comes behind it; nothing when it is shorter than it says.
#[allow(clippy::type_complexity, reason = "three parts of one text")]
fn answer(bytes: &[u8]) -> Result<Option<(u16, &[u8], &[u8])>, Stop> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let (Some(status), Some(length)) = (status, length) else {
        return Err(Stop::from(format!("an answer does not say how long it is: {head}")));
    };
    let body = &bytes[end + END.len()..];
    Ok((body.len() >= length).then(|| (status, &body[..length], &body[length..])))
}

/// A long answer, as it is when all is well.
#[derive(Clone)]
pub(super) struct Page {
    path: String,
    body: Arc<str>,
}

impl Page {
    /// Writes so many reviews with texts of so many letters, which make it long, and reads it.
    pub(super) async fn write(arena: &Arena, (reviews, letters): (usize, usize)) -> Result<Page, Stop> {
        let shopper = arena.system.shopper();
        let text = "It fits as it should. ".repeat(letters / 22);
        for group in (0..reviews).collect::<Vec<_>>().chunks(50) {
            let written = join_all(group.iter().map(|number| {
                let mut body = arena.review(&format!("long-{number}")).body().unwrap_or_default();
                body["body"] = Value::from(text.as_str());
                let request = shopper.request(Method::POST, "/reviews").header("prefer", "respond-async");
                shopper.send(request.json(&body))
            }));
            if let Some(refused) = written.await.into_iter().find(|answer| answer.status != 201) {
                return Err(Stop::from(format!("a long review was answered {refused:?}")));
            }
        }
        arena.system.ready().await;
        let path = format!("/reviews?product_id={}&count={reviews}", arena.product().id);
        let answer = shopper.get(&path).await;
        let held = answer.json()["results"].as_array().map_or(0, Vec::len);
        if held != reviews {
            return Err(Stop::from(format!("a page of {reviews} reviews holds {held}")));
        }
        Ok(Page { path, body: answer.body.into() })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Of its body, in bytes.
    pub(super) fn length(&self) -> usize {
        self.body.len()
    }

    /// Nobody keeps what was cut: both readers and nginx answer the whole page again.
    pub(super) async fn is_read_whole(&self, arena: &Arena) -> Result<(), Stop> {
        arena.system.ready().await;
        for url in arena.system.reader_urls().into_iter().chain([arena.system.url()]) {
            let shopper = Shopper::at(url);
            eventually("the page is whole", within(30), async || {
                let answer = shopper.get(&self.path).await;
                let whole = answer.status == 200 && *answer.body == *self.body;
                if whole {
                    Ok(())
                } else {
                    Err(format!("{} with {} bytes", answer.status, answer.body.len()))
                }
            })
            .await;
        }
        Ok(())
    }
}

/// What came back, by who was asked.
type Told = BTreeMap<(&'static str, &'static str), usize>;

fn words(told: &Told) -> String {
    let words = told.iter().map(|((asked, what), count)| format!("{asked}: {count} {what}"));
    words.collect::<Vec<_>>().join(", ")
}

/// Clients that ask for the page all the time, through nginx and straight at a reader.
struct Reading {
    told: Arc<Mutex<Told>>,
    wrong: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Reading {
    fn start(arena: &Arena, page: &Page) -> Reading {
        let mut reading = Reading {
            told: Arc::default(),
            wrong: Arc::default(),
            stop: Arc::default(),
            clients: JoinSet::new(),
        };
        let direct = arena.system.reader_urls().into_iter().map(|url| ("a reader", url));
        for (asked, url) in direct.chain([("nginx", arena.system.url()), ("nginx", arena.system.url())]) {
            let (shopper, page) = (Shopper::at(url), page.clone());
            let (told, wrong, stop) = (reading.told.clone(), reading.wrong.clone(), reading.stop.clone());
            reading.clients.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let what = match shopper.try_send(shopper.request(Method::GET, &page.path)).await {
                        Ok(answer) if answer.status == 200 && *answer.body == *page.body => "whole",
                        Ok(answer) if answer.status == 200 => {
                            let length = answer.body.len();
                            *lock(&wrong) =
                                Some(format!("{asked}: 200 with {length} of {} bytes", page.body.len()));
                            return;
                        }
                        Ok(_) => "refused",
                        // The client saw that it was shorter than it said, or got none at all.
                        Err(_) => "cut or not answered",
                    };
                    *lock(&told).entry((asked, what)).or_default() += 1;
                    if what != "whole" {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            });
        }
        reading
    }

    /// Waits until so many more were whole, through nginx.
    async fn more(&self, more: usize) {
        let whole = || lock(&self.told).get(&("nginx", "whole")).copied().unwrap_or_default();
        let before = whole();
        eventually(&format!("{more} more pages are whole"), within(60), async || {
            let now = whole() - before;
            match &*lock(&self.wrong) {
                Some(wrong) => Err(wrong.clone()),
                None if now >= more => Ok(()),
                None => Err(format!("{now} are; {}", words(&lock(&self.told)))),
            }
        })
        .await;
    }

    async fn stop(mut self) -> Result<Told, Stop> {
        self.stop.store(true, Ordering::Relaxed);
        while self.clients.join_next().await.is_some() {}
        match lock(&self.wrong).take() {
            Some(wrong) => Err(Stop::from(format!("an answer that is not whole was taken for one: {wrong}"))),
            None => Ok(lock(&self.told).clone()),
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
