//! Shoppers at a given rate, each on a connection that is kept as long as the server lets it. Nothing is sent twice: whatever
//! is not answered as it should be is on the list of failures.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::review;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const READERS: u32 = 15;
const READS_A_SECOND: u32 = 300;
const WRITERS: u32 = 20;
/// Each is followed by a read that must show it.
const WRITES_A_SECOND: u32 = 200;
/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
const PATHS: [&str; 6] = [
    "/products/1",
    "/products/2/styles",
    "/reviews/meta?product_id=2",
    "/reviews?product_id=2&sort=newest&count=5",
    "/qa/questions?product_id=1&count=5",
    "/products?count=5",
];

/// Shoppers at work.
pub(super) struct Traffic {
    stop: CancellationToken,
    tally: Arc<Mutex<Tally>>,
    shoppers: Vec<JoinHandle<()>>,
    began: Instant,
}

/// What they saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) reads: Vec<Duration>,
    pub(super) writes: Vec<Duration>,
    /// Writes that every live replica had applied when they were answered.
    pub(super) applied: usize,
    pub(super) failures: Vec<String>,
    /// Connections that the server asked to end.
    pub(super) ended: usize,
    pub(super) seconds: f64,
}

impl Traffic {
    /// Begins. Writers take a product each, from this one on.
    pub(super) fn start(url: &str, first_product: i64) -> Traffic {
        let address = url.trim_start_matches("http://").to_owned();
        let (stop, tally) = (CancellationToken::new(), Arc::new(Mutex::new(Tally::default())));
        let shopper = || Shopper { address: address.clone(), wire: None, tally: tally.clone() };
        let mut shoppers = Vec::new();
        for number in 0..READERS {
            let every = Duration::from_secs(1) * READERS / READS_A_SECOND;
            let (mut shopper, stop) = (shopper(), stop.clone());
            shoppers.push(tokio::spawn(async move {
                let mut turn = number as usize;
                let mut ticks = tokio::time::interval(every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                while !stop.is_cancelled() {
                    ticks.tick().await;
                    turn += 1;
                    shopper.read(PATHS[turn % PATHS.len()]).await;
                }
            }));
        }
        for number in 0..WRITERS {
            let every = Duration::from_secs(1) * WRITERS / WRITES_A_SECOND;
            let (mut shopper, stop) = (shopper(), stop.clone());
            let product = first_product + i64::from(number);
            shoppers.push(tokio::spawn(async move {
                let mut ticks = tokio::time::interval(every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                while !stop.is_cancelled() {
                    ticks.tick().await;
                    shopper.write(product).await;
                }
            }));
        }
        Traffic { stop, tally, shoppers, began: Instant::now() }
    }

    /// Writes that were acknowledged so far.
    pub(super) fn writes(&self) -> usize {
        self.tally.lock().unwrap().writes.len()
    }

    /// Lets everybody finish what they are at.
    pub(super) async fn stop(self) -> Tally {
        self.stop.cancel();
        for shopper in self.shoppers {
            shopper.await.unwrap();
        }
        let mut tally = std::mem::take(&mut *self.tally.lock().unwrap());
        tally.seconds = self.began.elapsed().as_secs_f64();
        tally.reads.sort();
        tally.writes.sort();
        tally
    }
}

impl Tally {
    /// Nothing failed, and there was something that could have.
    #[allow(clippy::print_stdout, reason = "the figures of the run, shown to whoever looks")]
    pub(super) fn expect_no_failure(&self, during: &str) {
        let at = |times: &[Duration], share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        println!(
            "{during}: {} reads ({:.0}/s, p50 {:.1} ms, p99 {:.1} ms, longest {:.0} ms), {} writes ({:.0}/s, p99 {:.1} ms, \
             longest {:.0} ms, {} applied everywhere), {} connections ended in order, {} failures in {:.1} s",
            self.reads.len(),
            self.reads.len() as f64 / self.seconds,
            at(&self.reads, 0.5),
            at(&self.reads, 0.99),
            at(&self.reads, 1.0),
            self.writes.len(),
            self.writes.len() as f64 / self.seconds,
            at(&self.writes, 0.99),
            at(&self.writes, 1.0),
            self.applied,
            self.ended,
            self.failures.len(),
            self.seconds,
        );
        assert!(self.failures.is_empty(), "{during}: {:#?}", &self.failures[..self.failures.len().min(10)]);
        assert!(self.reads.len() > 100 && self.writes.len() > 50, "{during}: too little was tried");
    }
}

/// What came back.
struct Answer {
    status: u16,
    applied: bool,
    body: Vec<u8>,
    ends: bool,
}

struct Shopper {
    address: String,
    wire: Option<BufReader<TcpStream>>,
    tally: Arc<Mutex<Tally>>,
}

impl Shopper {
    async fn read(&mut self, path: &str) -> Option<Value> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n");
        let began = Instant::now();
        let answer = self.send(&request).await;
        let told = answer.and_then(|answer| match (answer.status, serde_json::from_slice(&answer.body)) {
            (200, Ok(json)) => Ok(json),
            (status, _) => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
        });
        self.count(&format!("GET {path}"), told, |tally| tally.reads.push(began.elapsed()))
    }

    /// A review, and a read that must show it, if every live replica had applied it.
    async fn write(&mut self, product: i64) {
        let body = review(product).to_string();
        let request = format!(
            "POST /reviews HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        let answer = self.send(&request).await;
        let told = answer.and_then(|answer| {
            let id =
                serde_json::from_slice::<Value>(&answer.body).ok().and_then(|it| it["review_id"].as_i64());
            match (answer.status, id) {
                (201, Some(id)) => Ok((id, answer.applied)),
                (status, _) => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
            }
        });
        let written = self.count("POST /reviews", told, |tally| tally.writes.push(began.elapsed()));
        let Some((id, applied)) = written else { return };
        let path = format!("/reviews?product_id={product}&sort=newest&count=1");
        let Some(page) = self.read(&path).await else { return };
        let mut tally = self.tally.lock().unwrap();
        tally.applied += usize::from(applied);
        if applied && page["results"][0]["review_id"] != id {
            tally.failures.push(format!("review {id} was applied everywhere and is not shown: {page}"));
        }
    }

    fn count<T>(&self, what: &str, told: Result<T, String>, add: impl FnOnce(&mut Tally)) -> Option<T> {
        let mut tally = self.tally.lock().unwrap();
        match told {
            Ok(told) => {
                add(&mut tally);
                Some(told)
            }
            Err(error) => {
                tally.failures.push(format!("{what}: {error}"));
                None
            }
        }
    }

    async fn send(&mut self, request: &str) -> Result<Answer, String> {
        let sent = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        let answer = match sent {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                self.wire = None;
                return Err(error.to_string());
            }
            Err(_) => {
                self.wire = None;
                return Err("no answer".to_owned());
            }
        };
        if answer.ends {
            self.wire = None;
            self.tally.lock().unwrap().ended += 1;
        }
        Ok(answer)
    }

    async fn exchange(&mut self, request: &str) -> std::io::Result<Answer> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                none.insert(BufReader::new(stream))
            }
        };
        wire.write_all(request.as_bytes()).await?;
        let broken = |what: &str| std::io::Error::other(what.to_owned());
        let mut line = String::new();
        if wire.read_line(&mut line).await? == 0 {
            return Err(broken("the connection was closed without an answer"));
        }
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| broken(&line))?;
        let mut answer = Answer { status, applied: false, body: Vec::new(), ends: false };
        let (mut length, mut chunked) = (0, false);
        loop {
            line.clear();
            wire.read_line(&mut line).await?;
            if line.trim_end().is_empty() {
                break;
            }
            let (name, value) = line.trim_end().split_once(':').ok_or_else(|| broken(&line))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(|_| broken(value))?,
                "transfer-encoding" => chunked = value == "chunked",
                "connection" => answer.ends = value == "close",
                "atelier-applied" => answer.applied = value == "true",
                _ => {}
            }
        }
        if !chunked {
            answer.body = vec![0; length];
            wire.read_exact(&mut answer.body).await?;
            return Ok(answer);
        }
        loop {
            line.clear();
            wire.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(|_| broken(&line))?;
            let mut chunk = vec![0; size + 2];
            wire.read_exact(&mut chunk).await?;
            answer.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(answer);
            }
        }
    }
}
