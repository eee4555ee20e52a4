//! An event that no replica can apply: all stop before it, and one decision lets all go on.

use std::time::Instant;

use contract::Event;
use contract::event::types::REVIEW_CREATED;
use contract::resources::reviews::ReviewHelpful;
use futures::FutureExt;
use serde_json::Value;
use tests::{eventually, stream_access, wire, within};

use super::projector::caught_up;
use super::{no_read_failed, summary};
use crate::arena::Arena;
use crate::drive::Plan;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 23,
    title: "an event that no replica can apply, until an operator parks it",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| parked(arena).boxed_local(),
}];

async fn parked(arena: &mut Arena) -> Result<Seen, Stop> {
    let drive = arena.drive(Plan::USUAL);
    let rounds = arena.rounds(1, 3);
    let link = stream_access::link(&arena.system).await;
    let mut longest = std::time::Duration::ZERO;
    for round in 0..rounds {
        drive.more(50, within(60)).await;
        let (id, key, product) = (format!("poison{round}"), format!("poisonskey{round}"), arena.product().id);
        let payload = wire::poison(product);
        let nats = arena.system.nats_url();
        let position =
            wire::publish(&nats, REVIEW_CREATED, &id, Some((key.as_str(), "body")), &payload).await;
        // What refers to it comes before the decision does.
        let vote = Event::ReviewHelpful(ReviewHelpful { review_id: position });
        let time = contract::Millis(1_795_449_000_007);
        let _vote = stream_access::publish(&link, &format!("vote{round}"), time, &vote).await;
        stopped(arena, position).await;
        // Everything else serves: writes are stored, reads are answered.
        drive.more(30, within(60)).await;
        for replica in ["a", "b"] {
            arena.look(replica).await;
        }
        let decided = Instant::now();
        let position = position.to_string();
        let arguments = ["parked", "skip", &position, "--because", "its body has a NUL"];
        let said = arena.system.operator().run("projector", arguments).await;
        if said.code != Some(0) {
            return Err(Stop::from(format!("it was not parked: {said:?}")));
        }
        for replica in ["a", "b"] {
            longest = longest.max(caught_up(arena, replica, decided).await);
        }
    }
    drive.more(30, within(60)).await;
    drive.stop().await;
    no_read_failed(arena)?;
    let note = format!("{rounds} parked; {}", summary(arena));
    arena.judge(Seen::recovered(longest).note("from the operator's decision").note(note)).await
}

/// Waits until both replicas have stopped just before the event, and say which one and what to type.
async fn stopped(arena: &Arena, position: i64) {
    let operator = arena.system.operator();
    eventually("both replicas have stopped before the event", within(30), async || {
        let status = operator.status().await?;
        let replicas = status["replicas"].as_array().cloned().unwrap_or_default();
        let there = |replica: &Value| {
            let says = |field: &str, words: String| {
                replica[field].as_str().is_some_and(|said| said.contains(&words))
            };
            replica["state"] == "stopped"
                && replica["position"] == position - 1
                && says("why", format!("event {position} cannot be applied"))
                && says("mend", format!("projector parked skip {position} --because"))
        };
        if replicas.len() == 2 && replicas.iter().all(there) { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}
