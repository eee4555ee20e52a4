//! Who sends slowly or nothing is cut, and nobody else notices.

use std::time::Duration;

use futures::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{Private, Shopper, shared, with_catalogue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use super::PATIENCE;

/// By then a connection that sends too slowly is closed.
const CUT_WITHIN: Duration = Duration::from_secs(12);
const IDLE: usize = 2_000;
const DRIBBLING: usize = 200;
/// What chance alone may add to a latency on a busy machine.
const CHANCE: Duration = Duration::from_millis(25);
const READS: usize = 400;

/// Sends a beginning, then a byte now and then; how long it takes until it is cut.
async fn dribble(url: &str, beginning: &str, more: bool) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let closed = async {
        let mut answer = Vec::new();
        // A reset ends it too.
        let _closed_or_reset = reading.read_to_end(&mut answer).await;
    };
    let dribbling = async {
        let mut clock = interval(Duration::from_millis(400));
        loop {
            clock.tick().await;
            if more && writing.write_all(b"x").await.is_err() {
                return;
            }
        }
    };
    let cut = async {
        tokio::select! {
            () = closed => {}
            () = dribbling => {}
        }
    };
    timeout(PATIENCE, cut).await.unwrap_or_else(|_| panic!("{url} bears {beginning:?} for ever"));
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_bodies_that_do_not_come_are_cut_by_nginx_and_by_every_service() {
    let system = shared().await;
    let head = "POST /interactions HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    let body = "POST /interactions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a";
    let read = "GET /products/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a";
    let (nginx, writer) = (system.url(), system.writer_url());
    let reader = system.reader_urls().remove(0);
    let mut clients = Vec::new();
    for url in [&nginx, &writer, &reader] {
        clients.push((url, head, false));
        clients.push((url, head, true));
        clients.push((url, "", false));
        clients.push((url, read, false));
    }
    clients.push((&nginx, body, false));
    clients.push((&writer, body, false));
    // Without nginx in front a service gives the whole body its time, not each byte.
    clients.push((&writer, body, true));
    clients.push((&reader, read, true));
    // A connection on which nothing comes at all is idle: nginx keeps those for a minute.
    clients.retain(|(url, beginning, _)| !(beginning.is_empty() && *url == &nginx));
    let cut = clients.iter().map(|(url, beginning, more)| dribble(url, beginning, *more));
    for (took, (url, beginning, more)) in join_all(cut).await.into_iter().zip(&clients) {
        assert!(took < CUT_WITHIN, "{url} bore {beginning:?} for {took:?}, dribbling: {more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_and_hundreds_of_dribbling_connections_slow_nobody_down() {
    let system = with_catalogue("idle", |options| options).await;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let usual = slowest_of_most(&system).await;
    let address = system.url().trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for number in 0..IDLE + 2 * DRIBBLING {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        if number >= IDLE {
            let beginning =
                ["POST /reviews HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", "GET / HTTP/1.1\r\nX: "];
            stream.write_all(beginning[number % 2].as_bytes()).await.unwrap();
        }
        held.push(stream);
    }
    let mut seen = Vec::new();
    // A machine that is busy with something else for a moment is not slowed down by these.
    for _ in 0..5 {
        let now = slowest_of_most(&system).await;
        if now <= usual * 2 + CHANCE {
            return;
        }
        seen.push(now);
    }
    panic!("p99 is {seen:?} beside {} connections, and {usual:?} without", held.len());
}

/// The p99 of reads by a few shoppers.
async fn slowest_of_most(system: &Private) -> Duration {
    let shoppers = (0..4).map(|_| {
        let shopper: Shopper = system.shopper();
        tokio::spawn(async move {
            let mut took = Vec::new();
            for number in 0..READS / 4 {
                let started = Instant::now();
                let _page = shopper.product(1 + number as i64 % 3).await.expect(200);
                took.push(started.elapsed());
            }
            took
        })
    });
    let mut took: Vec<Duration> = join_all(shoppers).await.into_iter().flat_map(Result::unwrap).collect();
    took.sort();
    took[took.len() * 99 / 100]
}
