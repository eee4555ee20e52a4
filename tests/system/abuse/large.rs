//! What is too large is refused soon, and takes no memory.

use std::time::{Duration, Instant};

use futures::future::join_all;
use local::kernel::memory_bytes;
use serde_json::json;
use tests::{Private, catalogue, review, with_catalogue};

use super::{raw, statuses};

const TEN_MEGABYTES: usize = 10 << 20;
const SOON: Duration = Duration::from_secs(5);
/// Of all large bodies together nothing like their size is kept.
const GROWTH: u64 = 48 << 20;

fn memory(system: &Private) -> Vec<(String, u64)> {
    let processes = system
        .processes()
        .iter()
        .filter(|process| ["nginx", "writer", "reader"].iter().any(|kind| process.name().starts_with(kind)));
    processes
        .map(|process| (process.name().to_owned(), memory_bytes(process.pid().unwrap()).unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_are_413_at_once_however_they_are_sent_and_memory_stays_as_it_was() {
    let system = with_catalogue("large", |options| options).await;
    let content = vec![b'x'; TEN_MEGABYTES];
    let string = [&b"{\"body\":\""[..], &content[..1 << 20], b"\"}"].concat();
    let head = |more: &str| {
        format!("POST /reviews HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n\r\n").into_bytes()
    };
    let announced = [head(&format!("Content-Length: {TEN_MEGABYTES}")), content.clone()].concat();
    let text = [head(&format!("Content-Length: {}", string.len())), string].concat();
    let mut chunked = head("Transfer-Encoding: chunked");
    for chunk in content.chunks(1 << 16) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let before = memory(&system);
    let (nginx, writer) = (system.url(), system.writer_url());
    for bytes in [&announced, &chunked, &text] {
        for _ in 0..2 {
            for (answer, took) in join_all((0..8).map(|_| raw(&nginx, bytes))).await {
                assert_eq!(statuses(&answer), [413], "{answer}");
                assert!(answer.contains("/problems/body-too-large"), "{answer}");
                assert!(took < SOON, "it took {took:?}");
            }
            for (answer, took) in join_all((0..8).map(|_| raw(&writer, bytes))).await {
                // A connection that is reset while it is written to may take the answer with it.
                assert!(matches!(statuses(&answer)[..], [413] | []), "{answer}");
                assert!(took < SOON, "it took {took:?}");
            }
        }
    }
    for ((name, before), (_, after)) in before.into_iter().zip(memory(&system)) {
        assert!(after < before + GROWTH, "{name}: {} MB before, {} MB after", before >> 20, after >> 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_elements_and_repeated_names_are_judged_soon_and_in_few_words() {
    let system = tests::shared().await;
    let shopper = system.shopper();
    let product = catalogue::spare_product();
    let ones = vec!["1"; 100_000].join(",");
    let many = (0..15_000).map(|id| format!("\"{id}\":9")).collect::<Vec<_>>().join(",");
    let whole = review(product.id).to_string();
    let with = |member: String| format!("{},{member}}}", &whole[..whole.len() - 1]);
    for (body, status) in [
        (format!("[{ones}]"), 422),
        (with(format!("\"photos\":[{ones}]")), 422),
        (with(format!("\"characteristics\":{{{many}}}")), 422),
        (with(format!("\"name\":[{ones}]")), 422),
        // What nobody reads may be anything.
        (with(format!("\"unknown\":[{ones}]")), 201),
        // Of a name that comes twice the last one counts, as in every browser.
        (with("\"rating\":9,\"rating\":4".to_owned()), 201),
        (with("\"rating\":4,\"rating\":9".to_owned()), 422),
    ] {
        let started = Instant::now();
        let answer = shopper.post_raw(body).await.expect(status);
        assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
        assert!(answer.body.len() < 16 << 10, "{} bytes say what is wrong", answer.body.len());
    }
    let pages = [
        ("page=-1", 422),
        ("count=-1", 422),
        ("page=1e3", 422),
        ("count=1000000000", 200),
        ("page=99999999999999999999&count=10000", 200),
    ];
    for (query, status) in pages {
        let started = Instant::now();
        let page = shopper.reviews(&format!("product_id={}&{query}", product.id)).await.expect(status);
        assert!(started.elapsed() < SOON, "{query} took {:?}", started.elapsed());
        if status == 200 {
            assert!(page.json()["count"].as_i64() <= json!(10_000).as_i64(), "{page:?}");
        }
    }
}
