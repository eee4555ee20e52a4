//! Every damage ends with it: `projector recover`, typed once; then nothing that any replica held is lost, and the shop goes on.

use std::time::Instant;

use tests::{eventually, within};

use crate::arena::{Arena, equal_tables};
use crate::history::{Operation, Outcome};
use crate::model::State;
use crate::row::Stop;
use crate::rows::volley;

/// Writes that must be taken again afterwards, without a new start of anything.
const WRITES: usize = 40;

/// Types it, and compares what there is then with what there was before the damage. Answers what it came to, for people.
pub(super) async fn recover(arena: &Arena, before: &[(String, State)], name: &str) -> Result<String, Stop> {
    let began = Instant::now();
    let said = arena.system.operator().run("projector", ["recover", "--yes"]).await;
    if said.code != Some(0) {
        return Err(Stop::from(format!("projector recover did not do it: {said:?}")));
    }
    arena.system.ready().await;
    let took = began.elapsed();
    for ((replica, was), (_, is)) in before.iter().zip(arena.states().await?) {
        // What the new life itself brings: its first event, and its time.
        let (position, event_hash, clock) = (is.position, is.event_hash.clone(), is.clock);
        let differences = State { position, event_hash, clock, ..was.clone() }.differences(&is);
        if !differences.is_empty() {
            return Err(Stop::from(format!("replica {replica} lost something by it: {differences:?}")));
        }
    }
    let highest = before.iter().map(|(_, state)| state.position).max().unwrap_or_default();
    let writes: Vec<(Operation, String)> = (0..WRITES)
        .map(|number| format!("recovered-{name}-{number}"))
        .map(|mark| (Operation::Interaction { mark: mark.clone() }, mark))
        .collect();
    let told = volley(&arena.system.shopper(), &writes).await;
    let mut last = 0;
    for outcome in &told {
        match outcome {
            Outcome::Stored { token, .. } if token.position.as_i64() > highest + 1_000_000 => {
                last = last.max(token.position.as_i64());
            }
            other => return Err(Stop::from(format!("after the recovery a write was answered {other:?}"))),
        }
    }
    eventually("all replicas are equal behind the recovery", within(60), async || {
        equal_tables(&arena.system, last).await
    })
    .await;
    let verified = arena.system.operator().run("projector", ["verify"]).await;
    if verified.code != Some(0) {
        return Err(Stop::from(format!("projector verify after the recovery: {verified:?}")));
    }
    Ok(format!(
        "projector recover: nothing lost, all serve again within {:.1} s, {WRITES} writes stored",
        took.as_secs_f64()
    ))
}
