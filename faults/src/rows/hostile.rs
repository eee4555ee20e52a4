//! Clients who mean no good: slow, idle, huge, ambiguous. They are cut or refused, and nobody else notices.

use std::net::SocketAddr;
use std::time::Duration;

use ::tests::hostile::slow::{self, Slow};
use ::tests::hostile::{bodies, large, raw, smuggling, statuses};
use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::answers::Page;
use crate::arena::Arena;
use crate::beside::Beside;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 3] = [
    Row {
        number: 37,
        title: "headers and bodies that do not come, answers that nobody reads, 2,000 idle connections",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| slow_clients(arena).boxed_local(),
    },
    Row {
        number: 38,
        title: "bodies of 10 MB, a string of 1 MB, arrays of 100,000 elements",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| large_bodies(arena).boxed_local(),
    },
    Row {
        number: 42,
        title: "requests that two servers could read differently, on raw sockets through nginx",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| ambiguous(arena).boxed_local(),
    },
];

const IDLE: usize = 2_000;
const BEGUN: usize = 400;
/// Of so many long answers each client reads none; more than all buffers on the way take.
const UNREAD_ANSWERS: usize = 40;
const UNREAD_CLIENTS: usize = 20;
/// A page of half a megabyte.
const LONG_PAGE: (usize, usize) = (100, 5_000);
/// nginx waits for 10 s between two parts of an answer; so does nobody who reads behind this.
const UNREAD_UNTIL: Duration = Duration::from_secs(13);
/// What is refused is refused by then.
const SOON: Duration = Duration::from_secs(5);
/// Huge bodies at a time, for nginx and for each writer.
const AT_ONCE: usize = 16;
/// How long a problem document may be that says what is wrong with a hundred thousand elements.
const FEW_WORDS: usize = 16 << 10;

async fn slow_clients(arena: &mut Arena) -> Result<Seen, Stop> {
    let page = Page::write(arena, LONG_PAGE).await?;
    let beside = Beside::start(arena).await;
    let (nginx, writer) = (arena.system.url(), arena.system.writer_url());
    let reader = arena.system.reader_urls().remove(0);
    let slow = slow::all(&nginx, &writer, &reader);
    let waits = beside
        .unharmed(arena, async || {
            let cut = async { try_join_all(slow.iter().map(Slow::cut)).await.map_err(Stop::from) };
            let unread = try_join_all((0..UNREAD_CLIENTS).map(|_| unread(&nginx, &page)));
            let (_times, _bytes) = tokio::try_join!(cut, unread)?;
            Ok(())
        })
        .await?;
    let mut seen = Seen::default();
    seen = seen.note(format!(
        "{} slow clients and {UNREAD_CLIENTS} that read nothing, each cut; {waits}",
        slow.len()
    ));
    let failed = |error: std::io::Error| Stop::from(format!("connections cannot be held: {error}"));
    let held = slow::hold(&nginx, IDLE, BEGUN).await.map_err(failed)?;
    let waits = beside
        .unharmed(arena, async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        })
        .await?;
    seen = seen.note(format!("{IDLE} idle connections, {BEGUN} with a request begun; {waits}"));
    drop(held);
    beside.end(arena).await?;
    page.is_read_whole(arena).await?;
    arena.judge(seen).await
}

/// Asks for many long answers on one connection and reads none of them, until nginx has given up. How much of them arrives
/// then.
async fn unread(nginx: &str, page: &Page) -> Result<usize, Stop> {
    let failed = |error: std::io::Error| Stop::from(format!("nginx cannot be asked: {error}"));
    let address = nginx.trim_start_matches("http://").parse::<SocketAddr>();
    let address = address.map_err(|error| Stop::from(format!("{nginx}: {error}")))?;
    let socket = TcpSocket::new_v4().map_err(failed)?;
    socket.set_recv_buffer_size(4 << 10).map_err(failed)?;
    let mut stream: TcpStream = socket.connect(address).await.map_err(failed)?;
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", page.path());
    stream.write_all(request.repeat(UNREAD_ANSWERS).as_bytes()).await.map_err(failed)?;
    tokio::time::sleep(UNREAD_UNTIL).await;
    let mut answers = Vec::new();
    // A connection that is reset has ended too.
    let ended = timeout(SOON, stream.read_to_end(&mut answers)).await;
    let whole = page.length() * UNREAD_ANSWERS;
    if ended.is_err() || answers.len() >= whole {
        let bytes = answers.len();
        return Err(Stop::from(format!(
            "a client that reads nothing was borne: {bytes} of {whole} bytes came at last"
        )));
    }
    Ok(answers.len())
}

async fn large_bodies(arena: &mut Arena) -> Result<Seen, Stop> {
    let beside = Beside::start(arena).await;
    let (nginx, writers) = (arena.system.url(), arena.system.writer_urls());
    let posts = large::posts();
    let waits = beside
        .unharmed(arena, async || {
            for bytes in &posts {
                refused_as_too_large(&nginx, bytes, false).await?;
                for writer in &writers {
                    refused_as_too_large(writer, bytes, true).await?;
                }
            }
            Ok(())
        })
        .await?;
    let mut seen = Seen::default().note(format!("{AT_ONCE} at a time, each 413 within {SOON:?}; {waits}"));
    let product = arena.product().id;
    let shopper = arena.system.shopper();
    let waits = beside
        .unharmed(arena, async || {
            for (body, status) in bodies::long_and_repeated(product) {
                let started = Instant::now();
                let answer = shopper.post_raw(body).await;
                let took = started.elapsed();
                if answer.status != status || took > SOON || answer.body.len() > FEW_WORDS {
                    return Err(Stop::from(format!(
                        "{status} was expected soon, in few words; it took {took:?}: {answer:?}"
                    )));
                }
            }
            Ok(())
        })
        .await?;
    seen = seen.note(format!("100,000 elements are judged; {waits}"));
    beside.end(arena).await?;
    arena.judge(seen).await
}

/// Sends it several times at once. Who asks a service itself may be reset while it still writes, and not see the answer.
async fn refused_as_too_large(url: &str, bytes: &[u8], may_be_reset: bool) -> Result<(), Stop> {
    for told in join_all((0..AT_ONCE).map(|_| raw(url, bytes))).await {
        let (answer, took) = told?;
        let right = match statuses(&answer)[..] {
            [413] => answer.contains("/problems/body-too-large"),
            [] => may_be_reset,
            _ => false,
        };
        if !right || took > SOON {
            return Err(Stop::from(format!("{url} took {took:?} for a body that is too large: {answer}")));
        }
    }
    Ok(())
}

async fn ambiguous(arena: &mut Arena) -> Result<Seen, Stop> {
    let cases = smuggling::cases();
    // Alone first: whatever arrives at a service is counted.
    let mut wrong = Vec::new();
    for (request, fate) in &cases {
        wrong.extend(smuggling::judge(&arena.system, request, *fate).await.err());
    }
    if !wrong.is_empty() {
        return Err(Stop::Failed(wrong));
    }
    let beside = Beside::start(arena).await;
    let url = arena.system.url();
    let waits = beside
        .unharmed(arena, async || {
            for group in cases.chunks(8) {
                try_join_all(group.iter().map(|(request, _)| raw(&url, request.as_bytes()))).await?;
            }
            Ok(())
        })
        .await?;
    beside.end(arena).await?;
    // nginx's connections to the services are in step.
    let shopper = arena.system.shopper();
    for product in [1, 2, 1] {
        let found = shopper.product(product).await;
        if found.status != 200 || found.json()["id"] != product {
            return Err(Stop::from(format!("product {product} is answered by {found:?}")));
        }
    }
    arena
        .judge(
            Seen::default()
                .note(format!("{} requests, each with the fate that it must have; {waits}", cases.len())),
        )
        .await
}
