//! What is too large is refused soon, and takes no memory.

use std::time::{Duration, Instant};

use futures::future::join_all;
use local::kernel::memory_bytes;
use tests::hostile::{bodies, large, raw, statuses};
use tests::{Private, catalogue, with_catalogue};

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
    let before = memory(&system);
    let (nginx, writer) = (system.url(), system.writer_url());
    for bytes in &large::posts() {
        for _ in 0..2 {
            for told in join_all((0..8).map(|_| raw(&nginx, bytes))).await {
                let (answer, took) = told.unwrap();
                assert_eq!(statuses(&answer), [413], "{answer}");
                assert!(answer.contains("/problems/body-too-large"), "{answer}");
                assert!(took < SOON, "it took {took:?}");
            }
            for told in join_all((0..8).map(|_| raw(&writer, bytes))).await {
                let (answer, took) = told.unwrap();
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
    for (body, status) in bodies::long_and_repeated(product.id) {
        let started = Instant::now();
        let answer = shopper.post_raw(body).await.expect(status);
        assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
        assert!(answer.body.len() < 16 << 10, "{} bytes say what is wrong", answer.body.len());
    }
    for (query, status) in bodies::PAGES {
        let started = Instant::now();
        let page = shopper.reviews(&format!("product_id={}&{query}", product.id)).await.expect(status);
        assert!(started.elapsed() < SOON, "{query} took {:?}", started.elapsed());
        if status == 200 {
            assert!(page.json()["count"].as_u64() <= Some(bodies::LARGEST_PAGE as u64), "{page:?}");
        }
    }
}
