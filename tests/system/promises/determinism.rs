//! Invariant 2: the same events give the same rows, however the stream is cut into batches.

use contract::Position;
use tests::{Random, Story, eventually, stream_access, tables, within};

const EVENTS: usize = 1_500;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_applies_event_by_event_and_one_that_applies_in_large_batches_are_equal() {
    let system = tests::with_catalogue("determinism", |options| {
        options.with_environment("projector-a", "ATELIER_PROJECTOR_BATCH_EVENTS", "1").with_environment(
            "projector-b",
            "ATELIER_PROJECTOR_BATCH_EVENTS",
            "500",
        )
    })
    .await;
    let link = stream_access::link(&system).await;
    let mut random = Random::announced("determinism");
    // Stopped while half of the events are stored, so that the large batches are large.
    system.process("projector-b").stop().await;
    let mut story = Story::new(&mut random);
    let mut last = Position::FIRST;
    for number in 0..EVENTS {
        if number == EVENTS / 2 {
            system.process("projector-b").start().await.unwrap();
        }
        let (envelope, event) = story.next(number);
        let placed = stream_access::publish_enveloped(&link, &envelope, &event).await;
        last = last.max(placed.position);
        story.remember(placed.position.as_i64(), &event);
    }
    let tables = tables::equal(&system, last.as_i64()).await;
    for table in ["questions", "answers", "answer_photos", "cart_lines", "interactions"] {
        // A cart's line is one however often it grows.
        let least = if table == "cart_lines" { 3 } else { 20 };
        assert!(tables.of(table).len() > least, "the story has too little of {table}");
    }
    for reason in ["unknown_product", "unknown_review", "unknown_question", "unknown_answer", "unknown_sku"] {
        let rejected = tables.of("rejections").iter().any(|row| row.contains(reason));
        assert!(rejected, "nothing in the story was rejected for {reason}");
    }
    let rejected = tables.of("rejections").len();
    let keys = tables.of("idempotency_keys").len();
    assert!(rejected > 20 && keys > 5, "the story is too dull: {rejected} rejections, {keys} keys");
    totals_are_what_the_rows_add_up_to(&system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_applies_everything_anew_comes_to_the_same_rows() {
    let system = tests::with_catalogue("anew", |options| options).await;
    let link = stream_access::link(&system).await;
    let mut random = Random::announced("anew");
    let mut story = Story::new(&mut random);
    let mut last = Position::FIRST;
    for number in 0..300 {
        let (envelope, event) = story.next(number);
        let placed = stream_access::publish_enveloped(&link, &envelope, &event).await;
        last = last.max(placed.position);
        story.remember(placed.position.as_i64(), &event);
    }
    let before = tables::equal(&system, last.as_i64()).await;
    // Replica b loses everything and starts from the stream's first event.
    system.process("projector-b").stop().await;
    system.process("reader-b").stop().await;
    let admin = system.postgres_url("b").unwrap();
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&admin).await.unwrap();
    sqlx::raw_sql("drop schema live cascade; create schema live authorization atelier_owner")
        .execute(&mut connection)
        .await
        .unwrap();
    let _initialised = system.operator().run("projector", ["init"]).await.expect_success();
    system.process("projector-b").start().await.unwrap();
    system.process("reader-b").start().await.unwrap();
    eventually("replica b has applied everything again", within(60), async || {
        let position = tables::position(&system, "b").await?;
        if position >= before.position { Ok(()) } else { Err(format!("it is at {position}")) }
    })
    .await;
    let after = tables::equal(&system, before.position).await;
    assert_eq!(before.difference(&after), None);

    // The comparison would see one changed value.
    sqlx::raw_sql(
        "update live.review_photos set url = url || ' ' where id = (select max(id) from live.review_photos)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let changed = tables::read(&system, "b").await.unwrap();
    assert!(
        after.difference(&changed).is_some_and(|difference| difference.starts_with("review_photos differs"))
    );
}

/// What is derived at apply time is what the rows say, counted anew.
async fn totals_are_what_the_rows_add_up_to(system: &local::System) {
    let mut connection = tables::connect(system, "b").await.unwrap();
    for (what, counted, kept) in [
        (
            "review_totals",
            "select product_id, count(*) filter (where rating = 1), count(*) filter (where rating = 2), \
             count(*) filter (where rating = 3), count(*) filter (where rating = 4), count(*) filter (where rating = 5), \
             count(*) filter (where recommend), count(*) filter (where not recommend) \
             from reviews where not reported group by product_id",
            "select * from review_totals where rating_1 + rating_2 + rating_3 + rating_4 + rating_5 > 0",
        ),
        (
            "characteristic_totals",
            "select c.product_id, c.id, c.name, count(r.id), coalesce(sum(r.value) filter (where r.id is not null), 0) \
             from characteristics c left join (select cr.* from characteristic_ratings cr \
             join reviews on reviews.id = cr.review_id where not reported) r on r.characteristic_id = c.id \
             group by c.product_id, c.id, c.name",
            "select product_id, characteristic_id, name, ratings, total from characteristic_totals",
        ),
        (
            "the photos in a review's row, byte for byte",
            "select review_id, string_agg(concat('{\"id\":', id, ',\"url\":', to_json(url), '}'), ',' order by id) \
             from review_photos group by review_id",
            "select id, photos from reviews where photos is not null",
        ),
    ] {
        let difference = format!(
            "select count(*) from (({counted} except {kept}) union all ({kept} except {counted})) as d"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(difference)).fetch_one(&mut connection).await.unwrap();
        assert_eq!(sqlx::Row::get::<i64, _>(&row, 0), 0, "{what}");
    }
}
