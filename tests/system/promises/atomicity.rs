//! Invariant 3: rows and checkpoint commit together, so a crash leaves a prefix of the stream and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Event, Position};
use sqlx::Row;
use stream::Link;
use tests::{Load, catalogue, stream_access, tables, with_catalogue, within};

/// A replica at one moment: its checkpoint, the reviews written here, and what was counted.
struct Look {
    position: i64,
    reviews: BTreeSet<i64>,
    votes: i64,
    counted: i64,
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
        let created: BTreeSet<i64> = prefix()
            .filter(|(_, event)| matches!(event, Event::ReviewCreated(_)))
            .map(|(position, _)| *position)
            .collect();
        // The catalogue's reported review 9 is voted for by nobody here.
        let votes = prefix().filter(|(_, event)| matches!(event, Event::ReviewHelpful(_))).count() as i64;
        assert_eq!(look.reviews, created, "the reviews are those of the prefix up to {}", look.position);
        assert_eq!(look.votes, votes, "the votes are those of the prefix up to {}", look.position);
        assert_eq!(
            look.counted,
            created.len() as i64,
            "the totals are those of the prefix up to {}",
            look.position
        );
    }
}

async fn look(system: &local::System, replica: &str) -> Look {
    tests::eventually(&format!("replica {replica} can be looked at"), within(60), async || {
        let read = async {
            let mut connection = tables::connect(system, replica).await?;
            // One statement, so one snapshot.
            sqlx::query(
                "select position, \
                 (select coalesce(array_agg(id), '{}') from reviews where id >= 1000000000), \
                 (select coalesce(sum(helpfulness), 0)::bigint from reviews where id >= 1000000000), \
                 (select coalesce(sum(rating_1 + rating_2 + rating_3 + rating_4 + rating_5), 0)::bigint \
                  from review_totals where product_id > 100) \
                 from checkpoint",
            )
            .fetch_one(&mut connection)
            .await
        };
        let row = read.await.map_err(|error| error.to_string())?;
        let reviews: Vec<i64> = row.get(1);
        Ok(Look {
            position: row.get(0),
            reviews: reviews.into_iter().collect(),
            votes: row.get(2),
            counted: row.get(3),
        })
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
