//! What a comparison holds: given back whatever happens to it, and a pause ends with whoever asked for it.

use contract::control::Audit;
use contract::{Event, Millis};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tests::stream_access::{link, publish};
use tests::{Private, eventually, interaction, tables, with_catalogue, within};

use super::{SOON, audit, is_equal, number, sql};

const KEPT: &str = "select count(*) from control.snapshots";
const IN_TRANSACTION: &str =
    "select count(*) from pg_stat_activity where usename = 'atelier_projector' and xact_start is not null
    and state like 'idle in transaction%'";

/// Locks that are waited for.
const WAITING: &str = "select count(*) from pg_locks where not granted";

async fn nothing_is_held(system: &Private) {
    for replica in ["a", "b"] {
        eventually("nothing is held", SOON, async || {
            let held = (number(system, replica, KEPT).await, number(system, replica, IN_TRANSACTION).await);
            if held == (0, 0) { Ok(()) } else { Err(format!("{replica}: {held:?}")) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_killed_leaves_nothing_held() {
    let system = with_catalogue("audit-killed", |options| options).await;
    // A comparison that takes long: it waits for a table that nobody else asks for.
    let mut lock = tables::connect(&system, "a").await.unwrap();
    sqlx::raw_sql("begin; lock table features in access exclusive mode").execute(&mut lock).await.unwrap();
    let mut comparing = system.operator().command("projector", ["audit"]).spawn().unwrap();
    for replica in ["a", "b"] {
        eventually("a snapshot is kept", within(20), async || match number(&system, replica, KEPT).await {
            1 => Ok(()),
            kept => Err(format!("{replica} keeps {kept}")),
        })
        .await;
    }
    // Meanwhile everything is applied.
    let answer = system.shopper().post_interaction(&interaction()).await.expect(201);
    assert!(answer.applied(), "{answer:?}");
    comparing.kill().await.unwrap();
    drop(lock);
    nothing_is_held(&system).await;
    is_equal(&system, &[]).await;
    nothing_is_held(&system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_pauses_at_a_mark_and_goes_on_when_whoever_asked_is_gone() {
    let system = with_catalogue("audit-pause", |options| options).await;
    let options: PgConnectOptions = system.postgres_url("b").unwrap().parse().unwrap();
    let password = std::fs::read_to_string(system.data().passwords("b").join("atelier_projector")).unwrap();
    let options = options.username("atelier_projector").password(password.trim());
    let session = PgConnection::connect_with(&options.application_name("atelier audit pause")).await.unwrap();
    let mark = Audit { audit: "pause".into(), sender: "a test".into(), pausing: Some("b".into()) };
    let placed =
        publish(&link(&system).await, "pause", Millis(1_795_449_000_000), &Event::ControlAudit(mark)).await;
    eventually("a snapshot is kept", within(20), async || match number(&system, "b", KEPT).await {
        1 => Ok(()),
        kept => Err(format!("{kept}")),
    })
    .await;
    let written =
        system.shopper().post_interaction(&interaction()).await.expect(201).token().position.as_i64();
    eventually("replica a goes on", within(20), async || {
        let position = tables::position(&system, "a").await?;
        if position >= written { Ok(()) } else { Err(position.to_string()) }
    })
    .await;
    let status = system.operator().status().await.unwrap();
    assert_eq!(status["replicas"][1]["state"], "catching up", "{status:#}");
    assert_eq!(
        tables::position(&system, "b").await.unwrap(),
        placed.position.as_i64(),
        "it waits at the mark"
    );
    assert_eq!(number(&system, "a", KEPT).await, 0, "nobody asked for a snapshot there");
    drop(session);
    system.ready().await;
    nothing_is_held(&system).await;
    let _tables = tables::equal(&system, written).await;
}

/// As a swap does it: names change places while a comparison reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_is_exchanged_during_a_comparison_is_noticed() {
    let system = with_catalogue("audit-exchanged", |options| options).await;
    let mut lock = tables::connect(&system, "b").await.unwrap();
    sqlx::raw_sql("begin; lock table features in access exclusive mode").execute(&mut lock).await.unwrap();
    let comparing = audit(&system, &[]);
    let exchanging = async {
        eventually("the comparison reads", within(20), async || match number(&system, "b", WAITING).await {
            0 => Err("it does not wait for the locked table".to_owned()),
            _ => Ok(()),
        })
        .await;
        let exchange = "alter schema live rename to aside; create schema live;
            create table live.features (like aside.features including all);
            grant usage on schema live to atelier_projector; grant select on live.features to atelier_projector; commit";
        sqlx::raw_sql(exchange).execute(&mut lock).await.unwrap();
    };
    let (seen, ()) = tokio::join!(comparing, exchanging);
    sql(&system, "b", "drop schema live cascade; alter schema aside rename to live").await;
    assert_eq!(
        (seen.said.code, &seen.replica("b")["compared"]),
        (Some(2), &Value::from(false)),
        "{:?}",
        seen.said
    );
    assert!(seen.replica("b")["why"].as_str().unwrap().contains("exchanged"), "{:#}", seen.report);
    system.ready().await;
    is_equal(&system, &[]).await;
}
