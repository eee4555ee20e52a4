//! What stands in requests: JSON and numbers at the edges, and text that means something elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::tests::hostile::bodies::{self, COUNTS, LARGEST_PAGE, NO_SKUS, NO_TEXT, PAGES, pieces};
use ::tests::{Answer, SKU, Shopper};
use futures::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::arena::Arena;
use crate::beside::Beside;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 2] = [
    Row {
        number: 39,
        title: "JSON 10,000 deep, names that come twice, bytes behind the end, no UTF-8, a byte order mark",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| no_json(arena).boxed_local(),
    },
    Row {
        number: 40,
        title: "numbers at the edges, in bodies and in queries",
        quick: false,
        setup: Setup::USUAL,
        run: |arena| numbers(arena).boxed_local(),
    },
];

/// What is refused, and a page of any size of this catalogue, is answered by then.
const SOON: Duration = Duration::from_secs(2);
/// Lists with pages, but for the product that they are about.
const LISTS: [&str; 4] =
    ["/products?", "/reviews?product_id=2&", "/qa/questions?product_id=2&", "/qa/questions/39/answers?"];
/// Ids that nothing has, and texts that are no id: 404 or 422 wherever an id stands in a path.
const NO_IDS: [&str; 9] = [
    "0",
    "-1",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "1e400",
    "NaN",
    "2.0",
    "%D9%A3",
];
const WITH_AN_ID: [&str; 5] = [
    "/products/ID",
    "/products/ID/styles",
    "/products/ID/related",
    "/reviews?product_id=ID&",
    "/qa/questions/ID/answers",
];

async fn no_json(arena: &mut Arena) -> Result<Seen, Stop> {
    let beside = Beside::start(arena).await;
    let (shopper, product) = (arena.system.shopper(), arena.product().id);
    let posts = bodies::posts(product);
    let waits = beside
        .unharmed(arena, async || {
            for post in &posts {
                let spoilt = NO_TEXT.iter().flat_map(|text| post.with_text(text));
                let refused = bodies::no_json().into_iter().map(String::into_bytes).chain(spoilt);
                for body in refused {
                    expect(&shopper, post.path, body, 400).await?;
                }
                expect(&shopper, post.path, post.with(br#""unknown":"\ud83d\udc55""#), 201).await?;
            }
            // Of a name that comes twice the last one counts.
            for (ratings, status) in [("\"rating\":9,\"rating\":4", 201), ("\"rating\":4,\"rating\":9", 422)]
            {
                expect(&shopper, "/reviews", posts[0].with(ratings.as_bytes()), status).await?;
            }
            Ok(())
        })
        .await?;
    beside.end(arena).await?;
    let each = bodies::no_json().len() + 3 * NO_TEXT.len();
    let note = format!(
        "some {each} bodies for each of {} routes, each judged within {SOON:?}; {waits}",
        posts.len()
    );
    arena.judge(Seen::default().note(note)).await
}

async fn expect(shopper: &Shopper, path: &str, body: Vec<u8>, status: u16) -> Result<(), Stop> {
    let started = Instant::now();
    let beginning: String = String::from_utf8_lossy(&body).chars().take(200).collect();
    let request = shopper.request(Method::POST, path).header("prefer", "respond-async").body(body);
    let answer = shopper.try_send(request).await?;
    is(&format!("POST {path} {beginning}"), &answer, status, started)
}

fn is(what: &str, answer: &Answer, status: u16, since: Instant) -> Result<(), Stop> {
    if answer.status == status && since.elapsed() < SOON {
        return Ok(());
    }
    let took = since.elapsed();
    Err(Stop::from(format!("{what} was answered after {took:?}, and {status} was expected: {answer:?}")))
}

async fn numbers(arena: &mut Arena) -> Result<Seen, Stop> {
    let beside = Beside::start(arena).await;
    let shopper = arena.system.shopper();
    let waits = beside.unharmed(arena, async || in_bodies(&shopper).await).await?;
    let mut seen = Seen::default().note(format!("{} counts for a cart; {waits}", COUNTS.len()));
    let waits = beside.unharmed(arena, async || in_queries(&shopper).await).await?;
    let asked = LISTS.len() * PAGES.len() + NO_IDS.len() * WITH_AN_ID.len();
    seen = seen.note(format!("{asked} queries and paths, each answered within {SOON:?}; {waits}"));
    beside.end(arena).await?;
    arena.judge(seen).await
}

/// What is accepted is stored exactly, and shown by every reader.
async fn in_bodies(shopper: &Shopper) -> Result<(), Stop> {
    static ROUNDS: AtomicUsize = AtomicUsize::new(0);
    let session = format!("numbers-{}", ROUNDS.fetch_add(1, Ordering::Relaxed));
    let mut added = 0;
    for (count, status) in COUNTS {
        let started = Instant::now();
        let body = format!(r#"{{"sku_id":{SKU},"count":{count}}}"#);
        let request = shopper.request(Method::POST, "/cart").header("atelier-session", &session).body(body);
        let answer = shopper.try_send(request).await?;
        is(&format!("a count of {count}"), &answer, status, started)?;
        if status == 201 {
            added += pieces(count);
        }
    }
    let cart = shopper.cart(&session).await;
    if cart.status != 200 || cart.json() != json!([{ "sku_id": SKU, "count": added.to_string() }]) {
        return Err(Stop::from(format!("{added} pieces were put into a cart, which is {cart:?}")));
    }
    for id in NO_SKUS {
        expect(shopper, "/cart", format!(r#"{{"sku_id":{id}}}"#).into_bytes(), 422).await?;
    }
    Ok(())
}

async fn in_queries(shopper: &Shopper) -> Result<(), Stop> {
    for list in LISTS {
        for (query, status) in PAGES {
            let started = Instant::now();
            let path = format!("{list}{query}");
            let answer = shopper.try_send(shopper.request(Method::GET, &path)).await?;
            is(&path, &answer, status, started)?;
            if results(&answer).is_some_and(|results| results > LARGEST_PAGE) {
                return Err(Stop::from(format!("{path} is answered with more than {LARGEST_PAGE} results")));
            }
        }
    }
    for route in WITH_AN_ID {
        for id in NO_IDS {
            let started = Instant::now();
            let path = route.replace("ID", id);
            let answer = shopper.try_send(shopper.request(Method::GET, &path)).await?;
            // A list of something that is not there is an empty list.
            let empty = answer.status == 200 && results(&answer) == Some(0);
            if !(empty || [404, 422].contains(&answer.status)) || started.elapsed() > SOON {
                return Err(Stop::from(format!(
                    "{path} was answered after {:?}: {answer:?}",
                    started.elapsed()
                )));
            }
        }
    }
    Ok(())
}

/// How many results a page has, if it is one.
fn results(answer: &Answer) -> Option<usize> {
    let page: Value = serde_json::from_str(&answer.body).ok()?;
    page["results"].as_array().or(page.as_array()).map(Vec::len)
}
