//! How old an answer may be, and who leaves answers to others: replicas that are silent, stopped, joining, taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::announcement::State;
use contract::{Position, Token};
use tests::{
    Answer, Private, Shopper, catalogue, eventually, review, stream_access, tables, with_catalogue, within,
};
use tokio::time::timeout;

const PRODUCT: &str = "/products/1";
/// Heads are asked for four times a second and announced as often; the rest is a busy machine's.
const YOUNG: Duration = Duration::from_secs(1);
/// How long a replica says that it is joining, at the least, less what an announcement may be late.
const JOINING: Duration = Duration::from_millis(400);

/// Between two reads of somebody who was refused.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// The strict listeners of replicas a and b.
fn strict(system: &Private) -> [Shopper; 2] {
    let urls = system.reader_urls();
    [0, 1].map(|index: usize| Shopper::at(&urls[index]))
}

async fn steps_out(reader: &Shopper) -> Answer {
    eventually("it leaves reads to the other one", within(20), async || {
        let answer = reader.get(PRODUCT).await;
        if answer.status == 503 { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
    .expect_problem(503)
}

async fn serves(reader: &Shopper) -> Answer {
    eventually("it serves", within(20), async || {
        let answer = reader.get(PRODUCT).await;
        if answer.status == 200 { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
}

/// Waits until an answer's age is as asked for.
async fn aged(reader: &Shopper, what: &str, fits: impl Fn(Duration) -> bool) -> Answer {
    eventually(&format!("{what} is told"), within(30), async || {
        let answer = reader.get(PRODUCT).await.expect(200);
        if fits(answer.staleness()) { Ok(answer) } else { Err(format!("{answer:?}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_an_idle_stream_every_reader_s_data_stays_young() {
    let system = with_catalogue("idle", |options| options).await;
    let urls = system.reader_urls().into_iter().chain(system.lenient_urls()).chain([system.url()]);
    for reader in urls.map(Shopper::at) {
        aged(&reader, "youth", |age| age < YOUNG).await;
        let (started, mut young, mut all) = (Instant::now(), 0, 0);
        while started.elapsed() < 2 * YOUNG {
            let answer = reader.get(PRODUCT).await.expect(200);
            all += 1;
            young += usize::from(answer.staleness() < YOUNG);
            let unchanged = reader.request(reqwest::Method::GET, PRODUCT).header("if-none-match", "*");
            let _age = reader.send(unchanged).await.expect(304).staleness();
        }
        assert!(young * 10 >= all * 9, "{young} of {all} were young");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_stream_all_readers_go_on_serving_and_their_data_ages_also_from_the_start() {
    let system = with_catalogue("fresh-streamless", |options| options).await;
    let readers = strict(&system);
    system.process("nats").stop().await;
    let before = Instant::now();
    system.process("reader-b").restart().await.unwrap();
    for reader in readers.iter().chain([&system.shopper()]) {
        let old = aged(reader, "great age", |age| age > 4 * YOUNG).await;
        assert!(!old.stale(), "nothing was demanded: {old:?}");
        let older = aged(reader, "greater age", |age| age > old.staleness()).await;
        // Nothing more is there, and whether there is more nobody knows.
        let same = reader.get_since(PRODUCT, &older.token()).await.expect(200);
        assert!(!same.stale(), "{same:?}");
    }
    assert!(before.elapsed() > 4 * YOUNG);
    let token = readers[0].get(PRODUCT).await.token();
    let beyond = Token { position: Position(token.position.0 + 10), ..token };
    let asked = Instant::now();
    let _refused = readers[0].get_since(PRODUCT, &beyond).await.expect_problem(503);
    assert!(system.shopper().get_since(PRODUCT, &beyond).await.expect(200).stale());
    assert!(asked.elapsed() < 5 * YOUNG);
    system.process("nats").start().await.unwrap();
    for reader in &readers {
        // Whose projector is the later one to find the stream again leaves reads to the other one for a moment.
        eventually("it is young again", within(30), async || {
            let answer = reader.get(PRODUCT).await;
            let young = answer.status == 200 && answer.staleness() < YOUNG;
            if young { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_projector_is_silent_or_gone_steps_out_and_never_all_of_them() {
    let system = with_catalogue("stepping-out", |options| options).await;
    let [a, b] = strict(&system);
    let lenient_b = Shopper::at(&system.lenient_urls()[1]);
    let product = catalogue::spare_products().next().unwrap().id;
    for gone in [false, true] {
        match gone {
            false => system.process("projector-b").pause(),
            true => system.process("projector-b").stop().await,
        }
        let refused = steps_out(&b).await;
        assert_eq!(refused.json()["type"], "/problems/replica-behind");
        // Every reader but this one shows what is written from now on.
        let written = system.shopper().post_review(&review(product)).await.expect(201);
        for _ in 0..20 {
            let page =
                system.shopper().reviews(&format!("product_id={product}&count=10000")).await.expect(200);
            assert!(page.token().position >= written.token().position, "{page:?}");
        }
        let old = lenient_b.get(PRODUCT).await.expect(200);
        assert!(old.token().position < written.token().position, "{old:?}");
        system.process("projector-a").pause();
        for reader in [&a, &b] {
            let _nobody_is_better = serves(reader).await;
        }
        let older = aged(&b, "great age", |age| age > 2 * YOUNG).await;
        assert_eq!(older.token(), old.token());
        system.process("projector-a").resume();
        match gone {
            false => system.process("projector-b").resume(),
            true => system.process("projector-b").start().await.unwrap(),
        }
        for reader in [&a, &b] {
            eventually("it is well again", within(20), async || {
                let read = reader.get_since(PRODUCT, &written.token()).await;
                if read.status == 200 { Ok(()) } else { Err(format!("{read:?}")) }
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_comes_back_says_that_it_is_joining_before_it_serves() {
    let system = with_catalogue("joining", |options| options).await;
    let [_, b] = strict(&system);
    let product = catalogue::spare_products().next().unwrap().id;
    let link = stream_access::link(&system).await;
    for gone in [true, false] {
        match gone {
            true => system.process("projector-b").stop().await,
            false => system.process("projector-b").pause(),
        }
        let mut last = None;
        for _ in 0..30 {
            last = Some(system.shopper().post_review(&review(product)).await.expect(201).token());
        }
        steps_out(&b).await;
        let mut announcements = link.listen().await.unwrap();
        match gone {
            true => system.process("projector-b").start().await.unwrap(),
            false => system.process("projector-b").resume(),
        }
        let mut joining: Option<Instant> = None;
        let served = timeout(within(20), async {
            loop {
                let (replica, progress) = announcements.next().await.expect("the stream is there");
                match progress.state {
                    _ if replica != "b" => {}
                    State::Joining => {
                        joining.get_or_insert_with(Instant::now);
                    }
                    State::Serving => return progress,
                    _ => {}
                }
            }
        });
        let served = served.await.expect("it serves at last");
        let joining = joining.expect("it says so before");
        assert!(joining.elapsed() >= JOINING, "{:?}", joining.elapsed());
        assert!(served.position >= last.unwrap().position, "{served:?}");
        let _back = serves(&b).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_that_takes_a_replica_back_is_made_good_without_a_further_event() {
    let system = with_catalogue("taken-back-idle", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    // A commit is on disk some 200 ms later: most of these crashes take the last one back.
    for _ in 0..5 {
        let written = system.shopper().post_review(&review(product)).await.expect(201);
        assert!(written.applied(), "{written:?}");
        system.process("postgres-a").kill9().await;
        tables::equal(&system, written.review_id()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_that_takes_replicas_back_is_not_seen_by_anyone_at_a_strict_listener() {
    let system = Arc::new(with_catalogue("taken-back", |options| options).await);
    let product = catalogue::spare_products().next().unwrap().id;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..4).map(|_| {
        let (shopper, stop) = (system.shopper(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let request = shopper.request(reqwest::Method::POST, "/reviews");
                let answer =
                    shopper.send(request.header("prefer", "respond-async").json(&review(product))).await;
                assert!([201, 503].contains(&answer.status), "{answer:?}");
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // Two read a replica each without tokens, one reads with them through nginx.
    let urls = system.reader_urls().into_iter().map(|url| (url, false)).chain([(system.url(), true)]);
    let readers = urls.map(|(url, demands)| {
        let (reader, stop) = (Shopper::at(url), stop.clone());
        tokio::spawn(async move {
            let (mut highest, mut answered): (Option<Token>, u32) = (None, 0);
            while !stop.load(Ordering::Relaxed) {
                let answer = match &highest {
                    Some(token) if demands => reader.get_since(PRODUCT, token).await,
                    _ => reader.get(PRODUCT).await,
                };
                if answer.status != 200 || answer.stale() {
                    // Whoever were faster would only take the processors from what heals.
                    tokio::time::sleep(BETWEEN_TRIES).await;
                    continue;
                }
                let shown = answer.token();
                if let Some(highest) = &highest {
                    assert!(shown.position >= highest.position, "{highest} was shown, and now {answer:?}");
                }
                (highest, answered) = (Some(shown), answered + 1);
            }
            answered
        })
    });
    let readers: Vec<_> = readers.collect();
    for victims in [&["postgres-a"][..], &["postgres-b"], &["postgres-a", "postgres-b"]] {
        let restarts = || victims.iter().map(|victim| system.process(victim).restarts()).sum::<u32>();
        let before = restarts();
        for victim in victims {
            system.process(victim).kill9().await;
        }
        eventually("it is started again", within(60), async || {
            if restarts() >= before + victims.len() as u32 { Ok(()) } else { Err(format!("{victims:?}")) }
        })
        .await;
        eventually("all replicas serve", within(60), async || {
            let status = system.operator().status().await?;
            let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
            let well = replicas.len() == 2 && replicas.iter().all(|replica| replica["state"] == "serving");
            if well { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
        for reader in &strict(&system) {
            let _back = serves(reader).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    for reader in readers {
        assert!(reader.await.unwrap() > 50, "it was answered all the time");
    }
}
