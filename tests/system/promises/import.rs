//! The legacy catalogue enters through the stream once, whole, and every row of it is accounted for.

use std::collections::BTreeMap;
use std::path::Path;

use contract::catalogue::CatalogueOpened;
use contract::resources::reviews::ReviewHelpful;
use contract::{Event, Millis};
use sample::{Dirt, Summary};
use tests::imported::{Counted, FILES, Quarantined, counted, quarantined};
use tests::{catalogue, empty, eventually, review, stream_access, tables, within};

const PRODUCTS: u64 = 300;

fn sample(folder: &Path, seed: u64) -> Summary {
    sample::generate(&sample::Options { products: PRODUCTS, seed }, folder, &mut |_| ()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_imported_dropped_or_quarantined_and_both_replicas_hold_the_same() {
    let system = empty("import", |options| options).await;
    let folder = system.place("sample");
    let made = sample(&folder, 7);
    let said = system.operator().import(&folder).await.expect_success();
    let told = counted(&said.out);
    for (file, _) in FILES {
        let expected = made.file(file).unwrap();
        let Counted { lines, other, rows, imported, repaired, dropped, quarantined } = told[file];
        assert_eq!((imported + dropped + quarantined, other + rows), (rows, lines), "{file}: {said:?}");
        assert_eq!(
            (imported, dropped, quarantined),
            (expected.imported(), expected.dropped(), expected.quarantined()),
            "{file}"
        );
        assert!(lines > rows && repaired <= imported, "{file}: {said:?}");
    }

    let mut set_aside: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for Quarantined { file, line, reason, .. } in quarantined(&system) {
        let (missing, twice) = set_aside.entry(file).or_default();
        assert!(line > 1, "the line's number: {line}");
        *missing += u64::from(reason.contains("is not among"));
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
    // A cart has one line for each sku, which counts the pieces.
    let pieces =
        |row: &String| row.trim_matches(['(', ')']).split(',').nth(2).unwrap().parse::<u64>().unwrap();
    let lines = tables.of("cart_lines");
    assert_eq!(lines.iter().map(pieces).sum::<u64>(), made.file("cart.csv").unwrap().imported());
    let answer = system.shopper().post_review(&review(1)).await.expect(201);
    assert!(answer.applied(), "{answer:?}");

    // A stream takes one catalogue; that it has it whole is told by a status of its own.
    let again =
        system.operator().import(&folder).await.expect_refusal(&["already has a catalogue, closed by"]);
    assert_eq!((again.out.as_str(), again.code), ("", Some(3)));
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
    let opened = CatalogueOpened { files: vec![], sealing_key: "none".into(), hashing_key: None };
    let opened = Event::CatalogueOpened(opened);
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
    let _refusal = operator
        .import(&folder)
        .await
        .expect_refusal(&["opened by event", "product.csv was not among its files"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_in_a_hundred_rows_broken_in_every_way_are_set_aside_and_the_others_land_once() {
    let system = empty("dirt", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let folder = system.place("sample");
    let made = sample(&folder, 11);
    let spoilt = sample::spoil(&folder, 5, 11).unwrap();
    assert!(spoilt.len() > 500, "{} lines", spoilt.len());
    let said = system.operator().import(&folder).await.expect_success();
    let told = counted(&said.out);
    let set_aside: BTreeMap<(String, u64), String> =
        quarantined(&system).into_iter().map(|row| ((row.file, row.line), row.reason)).collect();
    system.ready().await;
    let tables = tables::equal(&system, 1_000_000_001).await;
    let mut all = 0;
    for (file, name) in FILES {
        let expected = made.file(file).unwrap();
        let broken = spoilt.iter().filter(|line| line.file == file).count() as u64;
        let numbers = told[file];
        assert_eq!(numbers.rows, expected.rows + broken, "{file}: {said:?}");
        assert_eq!(
            (numbers.imported, numbers.dropped, numbers.quarantined),
            (expected.imported(), expected.dropped(), expected.quarantined() + broken),
            "{file}: {said:?}"
        );
        assert_eq!(tables.of(name).len() as u64, expected.imported(), "{name}");
        all += numbers.quarantined;
    }
    assert_eq!(set_aside.len() as u64, all, "each line is set aside once");
    for line in &spoilt {
        let reason = set_aside.get(&(line.file.to_owned(), line.line));
        assert!(reason.is_some_and(|reason| line.is_explained_by(reason)), "{line:?}: {reason:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_goes_on_with_the_same_files_and_keys_alone() {
    let system = empty("resume", |mut options| {
        options.replicas = vec!["a".into()];
        options
    })
    .await;
    let folder = system.place("sample");
    let made = sample::generate(&sample::Options { products: 3_000, seed: 3 }, &folder, &mut |_| ()).unwrap();
    let operator = system.operator();
    let link = stream_access::link(&system).await;
    let mut importer = operator.command("importer", [&folder]).spawn().unwrap();
    eventually("some chunks are stored", within(30), async || {
        let head = link.head().await.map_err(|error| error.to_string())?;
        if head.0 >= 1_000_000_004 { Ok(()) } else { Err(head.to_string()) }
    })
    .await;
    importer.kill().await.unwrap();
    let stopped = link.head().await.unwrap();
    // A projector says how far it is, for people and for programs, although the closing is far away.
    eventually("the replica tells its progress", within(30), async || {
        let status = operator.status().await?;
        let replica = &status["replicas"][0];
        let told =
            replica["import"]["percent"].as_f64().is_some_and(|percent| (0.0..55.0).contains(&percent))
                && replica["import"]["what"].as_str().is_some_and(|what| what.starts_with("loading "))
                && replica["why"].as_str().is_some_and(|why| why.contains("% of the import: loading "));
        if told { Ok(()) } else { Err(status.to_string()) }
    })
    .await;

    let reviews = std::fs::read(folder.join("reviews.csv")).unwrap();
    std::fs::write(folder.join("reviews.csv"), [&reviews[..], b"\n"].concat()).unwrap();
    let _refusal = operator.import(&folder).await.expect_refusal(&["reviews.csv had", "opened by event"]);
    std::fs::write(folder.join("reviews.csv"), &reviews).unwrap();
    let key = system.data().keys().join("sealing.key");
    let right = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "0a".repeat(32)).unwrap();
    let _refusal = operator.import(&folder).await.expect_refusal(&["addresses were sealed under key"]);
    std::fs::write(&key, right).unwrap();
    assert_eq!(link.head().await.unwrap(), stopped, "nothing was stored meanwhile");

    let said = operator.import(&folder).await.expect_success();
    assert!(said.error.contains("going on with the import that was begun"), "{said:?}");
    system.ready().await;
    let tables = tables::equal(&system, stopped.as_i64()).await;
    for (file, name) in FILES {
        let imported = made.file(file).unwrap().imported();
        assert_eq!(
            (counted(&said.out)[file].imported, tables.of(name).len() as u64),
            (imported, imported),
            "{name}"
        );
    }
}
