//! Invariant 4: two projectors never both apply to one replica.

use std::fs;
use std::net::TcpListener;

use sqlx::{Connection, Row};
use tests::{Operator, Shopper, catalogue, eventually, review, tables, with_catalogue, within};
use tokio::process::Child;
use tokio::time::timeout;

/// A second projector for a replica that has one.
struct Second {
    _process: Child,
    log: std::path::PathBuf,
    operations: Shopper,
}

impl Second {
    fn start(operator: &Operator, log: std::path::PathBuf) -> Second {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = port.to_string();
        let file = fs::File::create(&log).unwrap();
        let mut command = operator.command("projector", ["run", "--replica", "a", "--operations", &address]);
        let process = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Second { _process: process, log, operations: Shopper::at(format!("http://{address}")) }
    }

    async fn says(&self, words: &str) {
        eventually(&format!("the second projector says {words:?}"), within(30), async || {
            let log = fs::read_to_string(&self.log).map_err(|error| error.to_string())?;
            if log.contains(words) { Ok(()) } else { Err(log) }
        })
        .await;
    }

    async fn is_ready(&self) -> bool {
        let request = self.operations.request(reqwest::Method::GET, "/readyz");
        self.operations.try_send(request).await.is_ok_and(|answer| answer.status == 200)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_projector_stands_by_and_takes_over_when_the_first_goes() {
    let system = with_catalogue("ownership", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    let second = Second::start(&system.operator(), system.place("second.log"));
    second.says("standing by").await;
    assert!(!second.is_ready().await, "who stands by is not ready");
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, written.review_id()).await;

    system.process("projector-a").stop().await;
    eventually("the second projector has taken over", within(30), async || {
        if second.is_ready().await { Ok(()) } else { Err("it is not ready".to_owned()) }
    })
    .await;
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, written.review_id()).await;

    // The first comes back and stands by in its turn.
    let first = system.process("projector-a");
    let before = fs::read_to_string(first.log()).unwrap().matches("standing by").count();
    let coming = first.clone();
    let starting = tokio::spawn(async move { coming.start().await });
    eventually("the first projector stands by", within(30), async || {
        let log = fs::read_to_string(first.log()).unwrap();
        if log.matches("standing by").count() > before { Ok(()) } else { Err(log) }
    })
    .await;
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, written.review_id()).await;
    starting.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_was_stopped_and_lost_its_replica_applies_nothing_when_it_moves_again() {
    let system = with_catalogue("fence", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    let owner = system.process("projector-a");
    let mut connection = tables::connect(&system, "a").await.unwrap();

    // Somebody takes the replica over while its owner cannot move: raises the fence, and has the lock as soon as the
    // owner lets it go, because he waits for it before the owner can try again.
    owner.pause();
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    sqlx::raw_sql("update checkpoint set fence = fence + 1").execute(&mut connection).await.unwrap();
    let before = tables::read(&system, "a").await.unwrap();
    assert!(before.position < written.review_id());
    let fence = fence(&mut connection).await;
    let mut successor = tables::connect(&system, "a").await.unwrap();
    let taking = tokio::spawn(async move {
        sqlx::raw_sql("select pg_advisory_lock(hashtext('atelier projector live'))")
            .execute(&mut successor)
            .await
            .unwrap();
        successor
    });
    eventually("the successor waits for the lock", within(30), async || {
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
        let row = sqlx::query(waiting).fetch_one(&mut connection).await.unwrap();
        if row.get::<i64, _>(0) == 1 { Ok(()) } else { Err("it does not yet".to_owned()) }
    })
    .await;
    owner.resume();
    let successor = timeout(within(30), taking).await.expect("the owner loses its lock").unwrap();
    eventually("the owner stands by", within(30), async || {
        let log = fs::read_to_string(owner.log()).unwrap();
        if log.contains("standing by") { Ok(()) } else { Err(log) }
    })
    .await;
    let more = shopper.post_review(&review(product.id)).await.expect(201);
    eventually("replica b has applied the write", within(30), async || {
        let position = tables::position(&system, "b").await?;
        if position >= more.review_id() { Ok(()) } else { Err(format!("it is at {position}")) }
    })
    .await;
    let after = tables::read(&system, "a").await.unwrap();
    assert_eq!(
        (before.difference(&after), before.position),
        (None, after.position),
        "the fenced owner applied nothing"
    );
    assert_eq!(self::fence(&mut connection).await, fence);

    successor.close().await.unwrap();
    tables::equal(&system, more.review_id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_owner_whose_session_ended_is_succeeded_and_stands_by_when_it_moves_again() {
    let system = with_catalogue("succession", |options| options).await;
    let shopper = system.shopper();
    let product = catalogue::spare_products().next().unwrap();
    let owner = system.process("projector-a");
    let second = Second::start(&system.operator(), system.place("second.log"));
    second.says("standing by").await;
    owner.pause();
    let mut connection = tables::connect(&system, "a").await.unwrap();
    sqlx::raw_sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted")
        .execute(&mut connection)
        .await
        .unwrap();
    second.says("following the stream").await;
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, written.review_id()).await;
    owner.resume();
    eventually("the former owner stands by", within(30), async || {
        let log = fs::read_to_string(owner.log()).unwrap();
        if log.contains("standing by") { Ok(()) } else { Err(log) }
    })
    .await;
    let written = shopper.post_review(&review(product.id)).await.expect(201);
    tables::equal(&system, written.review_id()).await;
}

async fn fence(connection: &mut sqlx::PgConnection) -> i64 {
    sqlx::query("select fence from checkpoint").fetch_one(connection).await.unwrap().get(0)
}
