//! Invariant 3: rows and checkpoint commit together, so a crash leaves a prefix of the stream and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Event, Position};
use sqlx::Row;
use stream::Link;
use tests::{Load, catalogue, stream_access, tables, with_catalogue, within};

/// A replica at one moment: its checkpoint, what was written here, and what was counted.
struct Look {
    position: i64,
    /// Ids of reviews, questions, answers and interactions.
    made: [BTreeSet<i64>; 4],
    /// Votes for all of them.
    votes: i64,
    /// Reviews in their products' totals.
    counted: i64,
    /// Pieces put into carts.
    pieces: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_and_a_postgres_that_are_killed_leave_the_rows_of_exactly_their_prefix() {
    let system = with_catalogue("atomicity", |options| options).await;
    let products: Vec<_> = catalogue::spare_products().take(4).collect();
    let load = Load::start(&system.shopper(), &products, 8);
    let mut looks = Vec::new();
    for victim in ["projector-a", "postgres-b", "projector-b", "postgres-a"] {
        load.more(40, within(60)).await;
        system.process(victim).kill9().await;
        system.process(victim).wait_ready(within(60)).await.unwrap();
        for replica in system.replicas() {
            // What a crash has left, before and while the projector goes on.
            looks.push(look(&system, replica).await);
        }
    }
    load.more(40, within(60)).await;
    let tally = load.stop().await;
    let tables = tally.is_all_there(&system).await;

    let events = events(&stream_access::link(&system).await, tables.position).await;
    let end = look(&system, "a").await;
    looks.push(end);
    for look in looks {
        let prefix = || events.range(..=look.position);
        let made = |kind: fn(&Event) -> bool| -> BTreeSet<i64> {
            prefix().filter(|(_, event)| kind(event)).map(|(position, _)| *position).collect()
        };
        let expected = [
            made(|event| matches!(event, Event::ReviewCreated(_))),
            made(|event| matches!(event, Event::QuestionCreated(_))),
            made(|event| matches!(event, Event::AnswerCreated(_))),
            made(|event| matches!(event, Event::InteractionRecorded(_))),
        ];
        assert_eq!(look.made, expected, "the rows are those of the prefix up to {}", look.position);
        // The catalogue's reported review 9 is voted for by nobody here.
        let votes =
            made(|event| matches!(event, Event::ReviewHelpful(_) | Event::AnswerHelpful(_))).len() as i64;
        let pieces =
            prefix().map(|(_, event)| if let Event::CartAdded(line) = event { line.count } else { 0 });
        let reviews = expected[0].len() as i64;
        assert_eq!(
            (look.votes, look.counted, look.pieces),
            (votes, reviews, pieces.sum()),
            "votes, totals and carts are those of the prefix up to {}",
            look.position
        );
    }
    assert!(events.values().any(|event| matches!(event, Event::CartAdded(_))), "the load has every kind");
}

async fn look(system: &local::System, replica: &str) -> Look {
    tests::eventually(&format!("replica {replica} can be looked at"), within(60), async || {
        let read = async {
            let mut connection = tables::connect(system, replica).await?;
            // One statement, so one snapshot.
            sqlx::query(
                "select position, \
                 (select coalesce(array_agg(id), '{}') from reviews where id >= 1000000000), \
                 (select coalesce(array_agg(id), '{}') from questions where id >= 1000000000), \
                 (select coalesce(array_agg(id), '{}') from answers where id >= 1000000000), \
                 (select coalesce(array_agg(id), '{}') from interactions), \
                 (select coalesce(sum(helpfulness), 0)::bigint from \
                  (select id, helpfulness from reviews union all select id, helpfulness from answers) as voted \
                  where id >= 1000000000), \
                 (select coalesce(sum(rating_1 + rating_2 + rating_3 + rating_4 + rating_5), 0)::bigint \
                  from review_totals where product_id > 100), \
                 (select coalesce(sum(count), 0)::bigint from cart_lines where added >= 1000000000) \
                 from checkpoint",
            )
            .fetch_one(&mut connection)
            .await
        };
        let row = read.await.map_err(|error| error.to_string())?;
        let made = [1, 2, 3, 4].map(|column| row.get::<Vec<i64>, _>(column).into_iter().collect());
        Ok(Look { position: row.get(0), made, votes: row.get(5), counted: row.get(6), pieces: row.get(7) })
    })
    .await
}

async fn events(link: &Link, last: i64) -> BTreeMap<i64, Event> {
    let mut events = BTreeMap::new();
    for position in Position::FIRST.0..=last as u64 {
        let (_, event) = link.read(Position(position)).await.unwrap().decode().unwrap();
        events.insert(position as i64, event);
    }
    events
}
