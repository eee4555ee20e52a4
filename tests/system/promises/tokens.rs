//! A read that demands a position is never answered from older data, unless it says so.

use std::time::{Duration, Instant};

use contract::{Position, Token};
use futures::future::join_all;
use reqwest::Method;
use reqwest::header::COOKIE;
use tests::{Answer, Shopper, catalogue, eventually, review, shared, with_catalogue, within};

/// How long a reader waits for a position, when nobody configures it.
const WAIT: Duration = Duration::from_millis(100);
const PRODUCT: &str = "/products/1";

/// The same life of the stream, far beyond its head.
fn beyond(token: &Token) -> Token {
    Token { position: Position(token.position.0 + 1_000_000), ..token.clone() }
}

async fn store(shopper: &Shopper, product: i64) -> Answer {
    let request =
        shopper.request(Method::POST, "/reviews").header("prefer", "respond-async").json(&review(product));
    shopper.send(request).await.expect(201)
}

async fn with_cookie(shopper: &Shopper, path: &str, position: &str) -> Answer {
    let cookie = format!("other=1; atelier_position={position}");
    shopper.send(shopper.request(Method::GET, path).header(COOKIE, cookie)).await
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == 503 && answer.json()["type"] == "/problems/replica-behind"
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_the_position_of_a_write_sees_it_whichever_reader_answers() {
    let system = shared().await;
    let product = catalogue::spare_product().id;
    let (shopper, page) = (system.shopper(), format!("/reviews?product_id={product}&sort=newest&count=100"));
    let strict: Vec<Shopper> = system.reader_urls().into_iter().map(Shopper::at).collect();
    let lenient: Vec<Shopper> = system.lenient_urls().into_iter().map(Shopper::at).collect();
    let writes = (0..60).map(|_| {
        let (shopper, strict, lenient, page) =
            (shopper.clone(), strict.clone(), lenient.clone(), page.clone());
        tokio::spawn(async move {
            let written = store(&shopper, product).await;
            for reader in std::iter::once(&shopper).chain(&strict).chain(&lenient) {
                let read = reader.get_since(&page, &written.token()).await;
                if read.status == 503 {
                    assert!(
                        is_refused(&read) && strict.iter().any(|one| std::ptr::eq(one, reader)),
                        "{read:?}"
                    );
                } else if !read.stale() {
                    assert!(read.token().position >= written.token().position, "{read:?}");
                    assert!(read.ids().contains(&written.review_id()), "{read:?}");
                }
            }
        })
    });
    join_all(writes).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_one_of_two_projectors_stopped_no_read_with_a_token_is_older() {
    let system = with_catalogue("tokens-stopped", |options| options).await;
    let (shopper, product) = (system.shopper(), catalogue::spare_products().next().unwrap().id);
    let page = format!("/reviews?product_id={product}&count=10000");
    system.process("projector-b").pause();
    let strict = Shopper::at(&system.reader_urls()[1]);
    let lenient = Shopper::at(&system.lenient_urls()[1]);
    for _ in 0..100 {
        let written = store(&shopper, product).await;
        let token = written.token();
        let by_header = shopper.get_since(&page, &token).await.expect(200);
        let by_cookie = with_cookie(&shopper, &page, &token.to_string()).await.expect(200);
        for read in [by_header, by_cookie] {
            // The other reader has it in time, or says that it has not.
            assert!(read.stale() || read.token().position >= token.position, "{read:?}");
            assert!(read.stale() || read.ids().contains(&written.review_id()), "{read:?}");
        }
    }
    let written = store(&shopper, product).await;
    let token = written.token();
    eventually("the other replica has it", within(20), async || {
        let read = shopper.get_since(&page, &token).await.expect(200);
        if read.stale() { Err(format!("{read:?}")) } else { Ok(()) }
    })
    .await;
    for _ in 0..200 {
        let read = shopper.get_since(&page, &token).await.expect(200);
        assert!(!read.stale() && read.ids().contains(&written.review_id()), "{read:?}");
    }
    for (method, tag) in [(Method::GET, "x"), (Method::HEAD, "x"), (Method::GET, "*")] {
        let request = |reader: &Shopper| {
            let request = reader.request(method.clone(), &page).header("if-none-match", tag);
            request.header("atelier-min-position", token.to_string())
        };
        let refused = strict.send(request(&strict)).await;
        assert_eq!(refused.status, 503, "{method} {tag}: {refused:?}");
        let old = lenient.send(request(&lenient)).await.expect(if tag == "*" { 304 } else { 200 });
        assert!(old.stale() && old.token().position < token.position, "{method} {tag}: {old:?}");
        assert!(old.staleness() > Duration::ZERO, "{old:?}");
    }
    system.process("projector-b").resume();
    eventually("it is there again", within(20), async || {
        let read = strict.get_since(&page, &token).await;
        if read.status == 200 { Ok(read) } else { Err(format!("{read:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_reached_is_refused_by_the_strict_and_marked_by_the_lenient_listener() {
    let system = shared().await;
    let shopper = system.shopper();
    let token = beyond(&shopper.get(PRODUCT).await.token());
    for path in [PRODUCT, "/products/99999"] {
        let status = if path == PRODUCT { 200 } else { 404 };
        for url in system.reader_urls() {
            let started = Instant::now();
            let refused = Shopper::at(url).get_since(path, &token).await.expect_problem(503);
            assert!(is_refused(&refused) && refused.header("retry-after").is_some(), "{refused:?}");
            assert!(started.elapsed() >= WAIT, "it waits for its replica: {:?}", started.elapsed());
        }
        for url in system.lenient_urls().into_iter().chain([system.url()]) {
            let old = Shopper::at(url).get_since(path, &token).await.expect(status);
            assert!(old.stale() && old.token().position < token.position, "{old:?}");
            let _age = old.staleness();
        }
    }
    // What shows no data has no position.
    let _document = shopper.get_since("/openapi.json", &token).await.expect(200);
    let _problem = shopper.get_since("/reviews?product_id=undefined", &token).await.expect_problem(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_epoch_is_ignored_and_the_answer_marked() {
    let system = shared().await;
    for url in system.reader_urls().into_iter().chain(system.lenient_urls()).chain([system.url()]) {
        let reader = Shopper::at(url);
        let elsewhere = Token { epoch: "zzzzzzzzzzzz".parse().unwrap(), position: Position::FIRST };
        assert!(reader.get_since(PRODUCT, &elsewhere).await.expect(200).stale());
        let read = with_cookie(&reader, PRODUCT, &elsewhere.to_string()).await.expect(200);
        assert!(read.stale() && read.header("set-cookie").is_none(), "{read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_token_is_422_in_the_header_and_expired_in_the_cookie() {
    let system = shared().await;
    for url in system.reader_urls().into_iter().chain(system.lenient_urls()).chain([system.url()]) {
        let reader = Shopper::at(url);
        for junk in ["x", "1000000001", "abcdefgh2345-x", "abcdefgh2345-99999999999999999999"] {
            let request = reader.request(Method::GET, PRODUCT).header("atelier-min-position", junk);
            let problem = reader.send(request).await.expect_problem(422);
            assert_eq!(problem.json()["type"], "/problems/invalid-header", "{junk}");
            let read = with_cookie(&reader, PRODUCT, junk).await.expect(200);
            assert!(!read.stale(), "{read:?}");
            let expired = read.cookie("atelier_position").unwrap_or_else(|| panic!("{read:?}"));
            assert!(expired.starts_with(';') && expired.ends_with("; Max-Age=0"), "{expired}");
        }
        let asked = reader.request(Method::GET, PRODUCT).header("if-none-match", "*");
        let unchanged = reader.send(asked.header(COOKIE, "atelier_position=x")).await.expect(304);
        assert!(unchanged.cookie("atelier_position").is_some(), "{unchanged:?}");
        let plain = reader.get(PRODUCT).await.expect(200);
        assert_eq!((plain.header("set-cookie"), plain.stale()), (None, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn header_and_cookie_both_hold() {
    let system = shared().await;
    let reader = Shopper::at(&system.lenient_urls()[0]);
    let there = reader.get(PRODUCT).await.token();
    let (low, high) = (there.to_string(), beyond(&there).to_string());
    for (header, cookie, stale) in
        [(&low, &low, false), (&low, &high, true), (&high, &low, true), (&high, &high, true)]
    {
        let request = reader.request(Method::GET, PRODUCT).header("atelier-min-position", header);
        let request = request.header(COOKIE, format!("atelier_position={cookie}"));
        assert_eq!(reader.send(request).await.expect(200).stale(), stale, "{header} {cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_sets_the_cookie_by_which_its_browser_sees_it() {
    let system = shared().await;
    let (shopper, product) = (system.shopper(), catalogue::spare_product().id);
    let position = |answer: &Answer| {
        let cookie = answer.cookie("atelier_position").unwrap_or_else(|| panic!("{answer:?}"));
        cookie.split(';').next().unwrap().to_owned()
    };
    let written = store(&shopper, product).await;
    assert_eq!(position(&written), written.token().to_string());
    let cookie = written.cookie("atelier_position").unwrap();
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "it goes with the browser's session: {cookie}"
    );
    let page = format!("/reviews?product_id={product}&count=10000");
    let read = with_cookie(&shopper, &page, &position(&written)).await.expect(200);
    assert!(read.stale() || read.ids().contains(&written.review_id()), "{read:?}");

    let vote = |cookie: String| {
        let path = format!("/reviews/{}/helpful", written.review_id());
        let request = shopper.request(Method::PUT, &path).header(COOKIE, cookie);
        async { shopper.send(request).await.expect(204) }
    };
    let higher = beyond(&written.token()).to_string();
    let elsewhere = format!("zzzzzzzzzzzz-{}", Position::LIMIT - 1);
    for (got, kept) in [(higher.as_str(), true), (&elsewhere, false), ("x", false)] {
        let voted = vote(format!("atelier_position={got}")).await;
        let expected = if kept { got.to_owned() } else { voted.token().to_string() };
        assert_eq!(position(&voted), expected, "{got}");
    }
    let secure = shopper.request(Method::PUT, "/reviews/9/helpful").header("x-forwarded-proto", "https");
    let secure = shopper.send(secure).await.expect(204);
    assert!(secure.cookie("atelier_position").unwrap().ends_with("SameSite=Lax; Secure"), "{secure:?}");
    let stranger = shopper.request(Method::PUT, "/reviews/9/helpful").header("sec-fetch-site", "cross-site");
    assert_eq!(shopper.send(stranger).await.expect(204).header("set-cookie"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_reads_wait_in_a_reader_and_others_are_refused_at_once() {
    let system = with_catalogue("tokens-crowded", |options| {
        options.with_environment("reader", "ATELIER_READER_WAITING", "5").with_environment(
            "reader",
            "ATELIER_READER_TOKEN_WAIT_MS",
            "400",
        )
    })
    .await;
    let reader = Shopper::at(&system.reader_urls()[0]);
    let token = beyond(&reader.get(PRODUCT).await.token());
    let answers = join_all((0..100).map(|_| reader.get_since(PRODUCT, &token))).await;
    let (waited, crowded): (Vec<_>, Vec<_>) = answers.into_iter().partition(is_refused);
    assert!(!waited.is_empty() && crowded.len() > 50, "{} waited", waited.len());
    for answer in crowded {
        assert_eq!(answer.expect_problem(503).json()["type"], "/problems/overloaded");
    }
    let shopper = system.shopper();
    for answer in join_all((0..50).map(|_| shopper.get_since(PRODUCT, &token))).await {
        assert!(answer.expect(200).stale(), "a lenient listener answers");
    }
}
