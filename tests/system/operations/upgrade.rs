//! The projection's logic changes: what was written by the version before goes on serving until its rows are built anew
//! beside it.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tests::{Private, catalogue, eventually, tables, with_catalogue};

use crate::faults::load::Load;

/// What the version before left: its tables and its mark. Whoever applies is killed in the same moment.
const AS_BEFORE: &str = "begin; \
     drop table live.event_counts; \
     delete from live._sqlx_migrations where version = 8; \
     update live.checkpoint set projection_version = 3, fence = fence + 1; \
     drop table control.generations, control.operations, control.snapshots, control.audits; \
     commit;";
const SERVES: Duration = Duration::from_secs(60);

async fn set_back(system: &Private, replica: &str) {
    let mut connection = tables::connect(system, replica).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(AS_BEFORE)).execute(&mut connection).await.unwrap();
    system.process(&format!("projector-{replica}")).kill9().await;
    is(system, replica, "stopped").await;
}

async fn is(system: &Private, replica: &str, state: &str) {
    eventually(&format!("replica {replica} is {state}"), SERVES, async || {
        let status = system.operator().status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let found = replicas.iter().any(|one| one["name"] == replica && one["state"] == state);
        if found { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_the_version_before_are_built_anew_one_after_another_while_everything_serves() {
    let system = with_catalogue("upgrade", |options| options).await;
    let operator = system.operator();
    let product = catalogue::spare_products().next().unwrap().id;
    let load = Load::start(system.shopper(), product, 3, 4);
    load.goes_on("before the upgrade", 20, 100).await;

    // One replica is of the version before; the other one serves what is written meanwhile.
    set_back(&system, "b").await;
    load.goes_on("with a replica of the version before", 20, 100).await;
    let _said = operator.run("projector", ["rebuild", "--replica", "b"]).await.expect_refusal(&[
        "replica b's database was prepared by an earlier version: run `projector init` first",
    ]);
    let said = operator.run("projector", ["init"]).await.expect_success();
    assert!(said.out.contains("replica b: its rows are of projection version 3"), "{said:?}");
    assert!(said.out.contains("projector rebuild --replica b"), "{said:?}");
    let said =
        operator.run("projector", ["rebuild", "--replica", "b", "--from", "stream"]).await.expect_success();
    assert!(said.error.contains("equal to replica a"), "{said:?}");
    is(&system, "b", "serving").await;
    load.goes_on("after the upgrade", 20, 100).await;
    let _said = operator
        .run("projector", ["rollback", "--replica", "b"])
        .await
        .expect_refusal(&["projection version 3", "run the rollback by the projector of version 3"]);
    let outcome = load.stop().await;
    assert_eq!(outcome.failed_reads, Vec::<String>::new());
    system.ready().await;
    tables::equal(&system, *outcome.acknowledged.values().max().unwrap()).await;

    // When none is of this version yet there is nothing to compare with but the answers, which are shown when they differ.
    set_back(&system, "a").await;
    set_back(&system, "b").await;
    let _said = operator.run("projector", ["init"]).await.expect_success();
    let _said = operator
        .run("projector", ["rebuild", "--replica", "a"])
        .await
        .expect_refusal(&["no replica serves at this projection version"]);
    let _said = operator
        .run("projector", ["rebuild", "--replica", "a", "--accept-differences"])
        .await
        .expect_success();
    is(&system, "a", "serving").await;
    let _said = operator
        .run("projector", ["rebuild", "--replica", "b", "--from", "replica:a"])
        .await
        .expect_success();
    system.ready().await;
    tables::equal(&system, *outcome.acknowledged.values().max().unwrap()).await;
}
