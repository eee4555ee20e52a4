//! `projector rebuild`, `rollback` and `prune`, as an operator types them while shoppers write and read.

use std::process::Stdio;

use sqlx::{Connection as _, Row as _};
use tests::{Private, Said, catalogue, eventually, tables, with_catalogue, within};

use crate::faults::load::Load;

async fn run(system: &Private, arguments: &[&str]) -> Said {
    system.operator().run("projector", arguments).await
}

/// The last line of what a verb says to programs.
async fn schemas(system: &Private, replica: &str) -> Vec<String> {
    let mut connection = tables::connect(system, replica).await.unwrap();
    let rows = sqlx::query(
        "select nspname::text from pg_namespace where nspname in ('live', 'building', 'previous') order by nspname",
    );
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_rebuilt_both_ways_and_goes_back_while_shoppers_write_and_read() {
    let system = with_catalogue("rebuild", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let load = Load::start(system.shopper(), product, 4, 4);
    load.goes_on("before", 40, 100).await;
    for (source, generation) in [("stream", 2), ("replica:b", 3)] {
        let said =
            run(&system, &["rebuild", "--replica", "a", "--from", source, "--json"]).await.expect_success();
        let report = said.last_json();
        assert_eq!(report["kind"], "done");
        assert_eq!(report["generation"], generation);
        assert!(report["compared"].as_str().unwrap().starts_with("equal to replica b at 1"), "{report}");
        assert_eq!(schemas(&system, "a").await, ["live", "previous"]);
        load.goes_on(&format!("after a rebuild from {source}"), 40, 100).await;
    }
    // Goes back to the one before, and forward again, each with everything that came meanwhile.
    for generation in [2, 3] {
        let said = run(&system, &["rollback", "--replica", "a", "--json"]).await.expect_success();
        assert_eq!(said.last_json()["generation"], generation);
        load.goes_on("after going back", 40, 100).await;
    }
    let said = run(&system, &["prune", "--replica", "a", "--json"]).await.expect_success();
    assert_eq!(said.last_json()["generations"], serde_json::json!([2]));
    assert_eq!(schemas(&system, "a").await, ["live"]);
    let outcome = load.stop().await;
    assert_eq!(outcome.failed_reads, Vec::<String>::new());
    let highest = *outcome.acknowledged.values().max().unwrap();
    system.ready().await;
    tables::equal(&system, highest).await;
    let page =
        system.shopper().reviews(&format!("product_id={product}&count=10000")).await.expect(200).json();
    let stored: Vec<i64> = page["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|review| review["review_id"].as_i64().unwrap())
        .collect();
    for (body, id) in &outcome.acknowledged {
        assert_eq!(stored.iter().filter(|stored| *stored == id).count(), 1, "{body:?} was acknowledged");
    }

    // Who did what stays on record.
    let mut connection = tables::connect(&system, "a").await.unwrap();
    let rows = sqlx::query("select verb, outcome, arguments from control.operations order by id");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    let verbs: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(verbs, ["rebuild", "rebuild", "rollback", "rollback", "prune"]);
    assert!(rows.iter().all(|row| row.get::<String, _>(1) == "done"));
    assert!(rows[1].get::<String, _>(2).contains("--from replica:b"));
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_shown_and_not_swapped_in_unless_it_is_accepted() {
    let system = with_catalogue("rebuild-differs", |options| options).await;
    let product = catalogue::spare_products().next().unwrap().id;
    let written = system.shopper().post_review(&tests::review(product)).await.expect(201).review_id();
    tables::equal(&system, written).await;
    // What serves in both replicas is not what the stream makes.
    for replica in ["a", "b"] {
        let mut connection = tables::connect(&system, replica).await.unwrap();
        let changed =
            sqlx::query("update reviews set summary = 'nobody wrote this' where id = $1").bind(written);
        assert_eq!(changed.execute(&mut connection).await.unwrap().rows_affected(), 1);
    }
    let rebuild = ["rebuild", "--replica", "a", "--from", "stream"];
    let said = run(&system, &rebuild).await;
    let said = said.expect_refusal(&[
        "table reviews differs from replica b's in 1 of 256 buckets",
        "--accept-differences",
    ]);
    let read = format!("GET /reviews?product_id={product}&sort=newest is answered differently");
    assert!(said.error.contains(&read), "{said:?}");
    assert_eq!(schemas(&system, "a").await, ["building", "live"]);
    let summary = async |replica: &str| -> String {
        let mut connection = tables::connect(&system, replica).await.unwrap();
        let row = sqlx::query("select summary from reviews where id = $1").bind(written);
        row.fetch_one(&mut connection).await.unwrap().get(0)
    };
    assert_eq!(summary("a").await, "nobody wrote this", "what serves is as it was");
    let said = run(&system, &[&rebuild[..], &["--accept-differences"]].concat()).await.expect_success();
    assert!(said.out.contains("going on behind"), "what was built is not built again: {said:?}");
    assert_ne!(summary("a").await, "nobody wrote this");
    assert_eq!(summary("b").await, "nobody wrote this");
    // The other one is mended from it.
    let _said = run(&system, &["rebuild", "--replica", "b", "--from", "replica:a", "--accept-differences"])
        .await
        .expect_success();
    tables::equal(&system, written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_by_name_and_a_plan_changes_nothing() {
    let system = with_catalogue("rebuild-refused", |options| options).await;
    let refused = [
        (&["rebuild", "--replica", "z"][..], "z"),
        (&["rebuild", "--replica", "a", "--from", "replica:a"], "replica a cannot be made from itself"),
        (&["rebuild", "--replica", "a", "--from", "replica:z"], "z"),
        (&["rebuild", "--replica", "a", "--from", "thin air"], "say stream, or replica:NAME"),
        (&["rebuild", "--replica", "a", "--max-rate", "0"], "0 is not in 1.."),
        (&["rollback", "--replica", "a"], "replica a has no generation to go back to"),
    ];
    for (arguments, naming) in refused {
        let _said = run(&system, arguments).await.expect_refusal(&[naming]);
    }
    let said = run(&system, &["rebuild", "--replica", "a", "--dry-run", "--json"]).await.expect_success();
    let plan = said.last_json();
    assert_eq!(plan["kind"], "plan");
    assert_eq!(plan["ways"].as_array().unwrap().len(), 2, "{plan}");
    let said = run(&system, &["prune", "--replica", "a"]).await.expect_success();
    assert_eq!(said.out, "replica a: nothing to remove\n");
    assert_eq!(schemas(&system, "a").await, ["live"]);

    // One at a time: the second is told, the first is not disturbed.
    let slow = ["rebuild", "--replica", "a", "--from", "stream", "--max-rate", "5"];
    let mut first = system.operator().command("projector", slow);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the first rebuild has begun", within(30), async || {
        match schemas(&system, "a").await.as_slice() {
            [building, _live] if building == "building" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let another = "another rebuild, rollback or restore of replica a is under way";
    let _said = run(&system, &["rebuild", "--replica", "a"]).await.expect_refusal(&[another]);
    let _said = run(&system, &["prune", "--replica", "a"]).await.expect_refusal(&[another]);
    first.kill().await.unwrap();
    eventually("what it left is removed", within(30), async || {
        let said = run(&system, &["prune", "--replica", "a"]).await;
        if said.code == Some(0) { Ok(()) } else { Err(said.error) }
    })
    .await;
    assert_eq!(schemas(&system, "a").await, ["live"]);
}
