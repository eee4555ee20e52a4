//! Group commit: what waits together is stored together, and each learns its own fate, not another's.

use std::collections::HashSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Private, Shopper, catalogue, eventually, review, tables, with_catalogue, within};

/// Writes that wait together.
const TOGETHER: usize = 60;

/// Sends writes to one writer while the stream stands still, so that they wait for it together, and lets it go on.
async fn together(system: &Private, writer: &str, requests: Vec<(String, Value)>) -> Vec<Answer> {
    let shopper = Shopper::at(url_of(system, writer));
    let entered = async || {
        // In this order none is counted twice.
        metric(system, writer, "atelier_write_commit_events_sum").await
            + metric(system, writer, "atelier_write_queue").await
    };
    let before = entered().await;
    system.process("nats").pause();
    let answers: Vec<_> = requests
        .into_iter()
        .map(|(attempt, body)| {
            let shopper = shopper.clone();
            let request = shopper.request(Method::POST, "/reviews").header("atelier-attempt", attempt);
            let request = request.header("prefer", "respond-async").json(&body);
            tokio::spawn(async move { shopper.send(request).await })
        })
        .collect();
    let all = answers.len() as f64;
    eventually("the writes are waiting", within(10), async || {
        let waiting = entered().await - before;
        if waiting >= all { Ok(()) } else { Err(format!("{waiting} wait")) }
    })
    .await;
    system.process("nats").resume();
    join_all(answers).await.into_iter().map(Result::unwrap).collect()
}

fn url_of(system: &Private, writer: &str) -> String {
    let index = system.processes().iter().filter(|process| process.name().starts_with("writer-"));
    let index = index.map(|process| process.name()).position(|name| name == writer);
    system.writer_urls().swap_remove(index.expect("the writer is there"))
}

/// A figure without labels of a process's metrics; 0 before the first.
async fn metric(system: &Private, process: &str, name: &str) -> f64 {
    let local::Ready::Http { address, .. } = &system.process(process).spec().ready else {
        panic!("{process} has no operations' address");
    };
    let metrics = Shopper::at(format!("http://{address}")).get("/metrics").await.expect(200).body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0.0, |figure| figure.parse().unwrap())
}

fn requests(product: i64, name: &str) -> Vec<(String, Value)> {
    let request = |number| {
        let mut body = review(product);
        body["body"] = json!(format!("{name} {number}"));
        (format!("{name}-{number}"), body)
    };
    (0..TOGETHER).map(request).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_wait_together_are_committed_together_and_each_learns_its_own_position() {
    let system = with_catalogue("commits", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let before = metric(&system, "writer-1", "atelier_write_commit_events_count").await;
    let requests = requests(product, "together");
    let answers = together(&system, "writer-1", requests.clone()).await;
    let commits = metric(&system, "writer-1", "atelier_write_commit_events_count").await - before;
    assert!(commits <= 10.0, "{TOGETHER} writes went in {commits} commits");
    let ids: Vec<i64> = answers.into_iter().map(|answer| answer.expect(201).review_id()).collect();
    tables::equal(&system, *ids.iter().max().unwrap()).await;
    let page = system.shopper().reviews(&format!("product_id={product}&count=100")).await.json();
    let stored = page["results"].as_array().unwrap();
    assert_eq!(stored.len(), TOGETHER);
    for (id, (_, body)) in ids.iter().zip(&requests) {
        let found =
            stored.iter().find(|review| review["review_id"] == *id).expect("it is stored under its id");
        assert_eq!(found["body"], body["body"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_among_those_that_wait_together_harms_none_of_the_others() {
    let system = with_catalogue("duplicate", |mut options| {
        options.writers = 2;
        options
    })
    .await;
    let product = catalogue::spare_products().next().unwrap().id;
    let requests = requests(product, "duplicate");
    let (attempt, body) = requests[TOGETHER - 1].clone();
    let first = Shopper::at(url_of(&system, "writer-1"));
    let request = first.request(Method::POST, "/reviews").header("atelier-attempt", attempt).json(&body);
    let first = first.send(request).await.expect(201).review_id();

    let answers = together(&system, "writer-2", requests).await;
    let ids: Vec<i64> = answers.into_iter().map(|answer| answer.expect(201).review_id()).collect();
    assert_eq!(ids[TOGETHER - 1], first, "the repeat gets the first answer");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), TOGETHER, "each has a position of its own");
    tables::equal(&system, *ids.iter().max().unwrap()).await;
    let mut stored = system.shopper().review_ids(product, "newest").await;
    stored.sort_unstable();
    let mut ids = ids;
    ids.sort_unstable();
    assert_eq!(stored, ids, "each is stored once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_under_one_key_through_two_writers_are_one_event_and_a_hundred_equal_answers() {
    let system = with_catalogue("one-key", |mut options| {
        options.writers = 2;
        options
    })
    .await;
    let product = catalogue::spare_products().next().unwrap().id;
    let writers: Vec<Shopper> = system.writer_urls().into_iter().map(Shopper::at).collect();
    let requests = (0..100).map(|number| {
        let writer = writers[number % 2].clone();
        let request = writer.request(Method::POST, "/reviews").header("idempotency-key", "one");
        let request = request.header("prefer", "respond-async").json(&review(product));
        tokio::spawn(async move { writer.send(request).await.expect(201) })
    });
    let answers: Vec<Answer> = join_all(requests).await.into_iter().map(Result::unwrap).collect();
    let told: HashSet<_> =
        answers.iter().map(|answer| (answer.body.clone(), answer.header("atelier-position"))).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let id = answers[0].review_id();
    tables::equal(&system, id).await;
    assert_eq!(system.shopper().review_ids(product, "newest").await, [id]);
}
