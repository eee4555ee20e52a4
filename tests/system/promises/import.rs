//! The legacy catalogue enters through the stream once, whole, and every row of it is accounted for.

use std::collections::BTreeMap;
use std::path::Path;

use contract::catalogue::CatalogueOpened;
use contract::resources::reviews::ReviewHelpful;
use contract::{Event, Millis};
use sample::{Dirt, Summary};
use tests::{catalogue, empty, eventually, review, stream_access, tables, within};

const PRODUCTS: u64 = 300;
const FILES: [(&str, &str); 10] = [
    ("product.csv", "products"),
    ("features.csv", "features"),
    ("styles.csv", "styles"),
    ("skus.csv", "skus"),
    ("photos.csv", "style_photos"),
    ("related.csv", "related_products"),
    ("reviews.csv", "reviews"),
    ("reviews_photos.csv", "review_photos"),
    ("characteristics.csv", "characteristics"),
    ("characteristic_reviews.csv", "characteristic_ratings"),
];

fn sample(folder: &Path, seed: u64) -> Summary {
    sample::generate(&sample::Options { products: PRODUCTS, seed }, folder, &mut |_| ()).unwrap()
}

/// The numbers behind each file's name in the importer's table: lines, other lines, rows, imported, repaired, dropped,
/// quarantined.
fn table(said: &str) -> BTreeMap<String, Vec<u64>> {
    let numbers = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        (numbers.len() == 7).then_some((name, numbers))
    };
    said.lines().filter_map(numbers).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_imported_dropped_or_quarantined_and_both_replicas_hold_the_same() {
    let system = empty("import", |options| options).await;
    let folder = system.place("sample");
    let made = sample(&folder, 7);
    let said = system.operator().import(&folder).await.expect_success();
    let told = table(&said.out);
    for (file, _) in FILES {
        let expected = made.file(file).unwrap();
        let Some([lines, other, rows, imported, repaired, dropped, quarantined]) =
            told.get(file).map(|all| &all[..])
        else {
            panic!("{said:?}")
        };
        assert_eq!((imported + dropped + quarantined, other + rows), (*rows, *lines), "{file}: {said:?}");
        assert_eq!(
            (*imported, *dropped, *quarantined),
            (expected.imported(), expected.dropped(), expected.quarantined()),
            "{file}"
        );
        assert!(lines > rows && repaired <= imported, "{file}: {said:?}");
    }
    for later in ["cart.csv", "questions.csv", "answers.csv", "answers_photos.csv"] {
        assert!(said.out.contains(later), "{later} is left for later and not named: {said:?}");
    }

    let quarantine = csv::Reader::from_path(system.place("quarantine").join("quarantine.csv")).unwrap();
    let mut set_aside: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for record in quarantine.into_byte_records() {
        let record = record.unwrap();
        let text = |column: usize| String::from_utf8_lossy(&record[column]).into_owned();
        let (missing, twice) = set_aside.entry(text(0)).or_default();
        assert!(text(1).parse::<u64>().unwrap() > 1, "the line's number: {record:?}");
        let reason = text(2);
        *missing += u64::from(reason.contains("refers to"));
        *twice += u64::from(reason.contains("occurred before"));
    }
    for (file, _) in FILES {
        let expected = made.file(file).unwrap();
        let (missing, twice) = set_aside.get(file).copied().unwrap_or_default();
        assert_eq!(
            (missing, twice),
            (expected.dirty(Dirt::MissingParent), expected.dirty(Dirt::DuplicateId)),
            "{file}"
        );
    }

    system.ready().await;
    let tables = tables::equal(&system, 1_000_000_001).await;
    for (file, name) in FILES {
        let rows = tables.of(name).len() as u64;
        assert_eq!(rows, made.file(file).unwrap().imported(), "{name}");
    }
    assert_eq!(tables.of("product_documents").len() as u64, PRODUCTS);
    assert!(tables.of("rejections").is_empty());
    let answer = system.shopper().post_review(&review(1)).await.expect(201);
    assert!(answer.applied(), "{answer:?}");

    // A stream takes one catalogue.
    let again = system.operator().import(&folder).await.expect_refusal(&["already has a catalogue"]);
    assert_eq!(again.out, "");
    let other = system.place("other");
    let _made = sample(&other, 8);
    let _refusal = system.operator().import(&other).await.expect_refusal(&["already has a catalogue"]);
    tables::equal(&system, answer.review_id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_after_a_shopper_s_event_is_refused_by_name_and_changes_nothing() {
    let system = empty("late", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let folder = system.place("catalogue");
    catalogue::write(&folder).unwrap();
    // Markers of operators do not count.
    let _probe = system.operator().probe().await.expect_success();
    let link = stream_access::link(&system).await;
    let vote = Event::ReviewHelpful(ReviewHelpful { review_id: 5 });
    let placed = stream_access::publish(&link, "early", Millis(1_795_449_000_000), &vote).await;
    let position = placed.position.to_string();
    let _refusal = system.operator().import(&folder).await.expect_refusal(&["review.helpful", &position]);
    assert_eq!(link.head().await.unwrap(), placed.position);
    tables::equal(&system, placed.position.as_i64()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_no_catalogue_is_refused_before_anything_is_stored_and_can_be_mended() {
    let system = empty("no-catalogue", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let folder = system.place("catalogue");
    catalogue::write(&folder).unwrap();
    let styles = std::fs::read_to_string(folder.join("styles.csv")).unwrap();
    std::fs::write(folder.join("styles.csv"), styles.replace("sale_price", "price")).unwrap();
    let _refusal = system.operator().import(&folder).await.expect_refusal(&["styles.csv", "sale_price"]);
    std::fs::remove_file(folder.join("styles.csv")).unwrap();
    let _refusal = system.operator().import(&folder).await.expect_refusal(&["styles.csv"]);
    std::fs::write(folder.join("styles.csv"), styles).unwrap();
    let _done = system.operator().import(&folder).await.expect_success();
    system.ready().await;
    assert_eq!(system.shopper().products("").await.ids(), [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_catalogue_is_being_imported_products_are_unknown_and_writes_are_503_with_retry_after() {
    let system = empty("importing", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let folder = system.place("catalogue");
    catalogue::write(&folder).unwrap();
    // As a killed importer leaves the stream.
    let link = stream_access::link(&system).await;
    let opened = Event::CatalogueOpened(CatalogueOpened { files: vec![], sealing_key: "none".into() });
    let _placed = stream_access::publish(&link, "opened", Millis(1_795_449_000_000), &opened).await;
    let operator = system.operator();
    eventually("the replica is importing", within(30), async || {
        let status = operator.status().await?;
        if status["replicas"][0]["state"] == "importing" { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    let shopper = system.shopper();
    for write in [shopper.post_review(&review(1)).await, shopper.vote(5).await, shopper.report(5).await] {
        let problem = write.expect_problem(503);
        assert!(problem.header("retry-after").is_some(), "{problem:?}");
        assert!(problem.json()["detail"].as_str().unwrap().contains("nothing was stored"), "{problem:?}");
    }
    assert_eq!(shopper.products("").await.expect(200).body, "[]");
    let _unknown = shopper.product(1).await.expect_problem(404);
    // Until an import can be resumed it must start again on an empty system, and says so.
    let _refusal = operator.import(&folder).await.expect_refusal(&["already has a catalogue", "reset"]);
}
