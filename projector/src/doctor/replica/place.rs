//! Where a replica stands in the stream: checkpoint, projection version, epoch, position, event, projector, distance.

use std::collections::HashMap;

use contract::announcement::{Progress, State};
use contract::{PROJECTION_VERSION, Position};
use replica::{Checkpoint, read_checkpoint};
use service::config::Replica;
use sqlx::PgConnection;
use stream::{Error, Link, Remembered};

use super::{Checks, anew};
use crate::doctor::examination::Finding;
use crate::status;

/// A replica this far behind is told to be behind, in seconds: readers step out at the same.
const BEHIND_WARN: f64 = 5.0;
const RECREATED: &str = "put the old stream's store_dir back, or begin anew with what the replicas hold: projector recover; see docs/errors/stream-recreated.md";
const DAMAGED: &str = "stop nats-server and restore its store_dir from a copy, or begin anew with what the replicas hold: projector recover; see docs/errors/stream-damaged.md";

/// Compares the replica with the stream.
pub(super) async fn examine(
    checks: &mut Checks<'_>,
    replica: &Replica,
    database: Option<&mut PgConnection>,
    link: Option<&Link>,
    heard: Option<&HashMap<String, Progress>>,
) {
    let checkpoint =
        checks.check("checkpoint", &["tables"], database, async |database| read(database).await).await;
    let _projection = checks
        .check("projection", &["checkpoint"], checkpoint.as_ref(), async |checkpoint| {
            match checkpoint.version == PROJECTION_VERSION {
                true => Finding::pass(format!("version {PROJECTION_VERSION}")),
                false => Finding::fail(
                    format!(
                        "its rows are of version {}, this binary has {PROJECTION_VERSION}",
                        checkpoint.version
                    ),
                    format!("run the projector of version {}, or {}", checkpoint.version, anew(replica)),
                ),
            }
        })
        .await;
    // Asked once; each check judges its own part.
    let identity = match (link, &checkpoint) {
        (Some(link), Some(checkpoint)) => Some(link.verify_identity(&remembered(checkpoint)).await),
        _ => None,
    };
    let (identity, checkpoint) = (identity.as_ref(), checkpoint.as_ref());
    let _epoch = checks
        .check(
            "epoch",
            &["checkpoint", "stream.epoch"],
            identity.zip(checkpoint),
            async |(identity, checkpoint)| match identity {
                Err(error @ Error::OtherEpoch { .. }) => Finding::fail(error.to_string(), RECREATED),
                _ => Finding::pass(checkpoint.epoch.as_str()),
            },
        )
        .await;
    let _position =
        checks
            .check("position", &["epoch"], identity.zip(checkpoint), async |(identity, checkpoint)| {
                match identity {
                    Ok(_) if checkpoint.position.next() < link.map_or(Position::FIRST, Link::first) => {
                        Finding::fail(
                            format!("{}: it lacks what the stream begins with", checkpoint.position),
                            format!("projector rebuild --replica {}", replica.name),
                        )
                    }
                    Ok(_) | Err(Error::Rewritten { .. } | Error::Incomplete { .. }) => {
                        Finding::pass(checkpoint.position.to_string())
                    }
                    Err(error) if error.is_damage() => Finding::fail(error.to_string(), DAMAGED),
                    Err(error) => Finding::fail(error.to_string(), "projector doctor, once more"),
                }
            })
            .await;
    let _event = checks
        .check("event", &["position"], identity, async |identity| match identity {
            Ok(_) => Finding::pass("the stream has the event that the checkpoint remembers"),
            Err(error) if error.is_damage() => Finding::fail(error.to_string(), DAMAGED),
            Err(error) => Finding::fail(error.to_string(), "projector doctor, once more"),
        })
        .await;
    let _projector = checks
        .check("projector", &["projection", "event"], heard, async |heard| judge_projector(replica, heard))
        .await;
    let _distance = checks
        .check("distance", &["event"], checkpoint.zip(link), async |(checkpoint, link)| {
            judge_distance(checkpoint, link).await
        })
        .await;
}

async fn read(database: &mut PgConnection) -> Finding<Checkpoint> {
    match read_checkpoint(database).await {
        Ok(checkpoint) => {
            let importing = if checkpoint.importing { "; a catalogue is being imported" } else { "" };
            let found = format!("there, fence {}{importing}", checkpoint.fence);
            Finding::known(checkpoint, found)
        }
        Err(error) => Finding::fail(error.to_string(), "projector init"),
    }
}

fn remembered(checkpoint: &Checkpoint) -> Remembered {
    Remembered {
        epoch: checkpoint.epoch.clone(),
        position: checkpoint.position,
        event_hash: checkpoint.event_hash.clone(),
        heard: None,
    }
}

fn judge_projector(replica: &Replica, heard: &HashMap<String, Progress>) -> Finding {
    let name = &replica.name;
    let start = format!("projector run --replica {name} (a local system: cargo xtask up --detach)");
    let Some(progress) = heard.get(name) else {
        return Finding::fail("silent: nothing is applied", start);
    };
    let found = format!("says that it is {}, at {}", progress.state.word(), progress.position);
    match progress.state {
        State::Serving => Finding::pass(found),
        State::Stopped if progress.mend.is_empty() => {
            Finding::fail(found, "see its log for what it needs, then start it again")
        }
        State::Stopped => Finding::fail(format!("{found}: {}", progress.why), progress.mend.clone()),
        State::Importing | State::CatchingUp | State::Joining | State::Rebuilding => {
            Finding::warn((), found, "projector status, until it serves; its log says what holds it up")
        }
    }
}

async fn judge_distance(checkpoint: &Checkpoint, link: &Link) -> Finding {
    let position = checkpoint.position;
    let head = match link.head().await {
        Ok(head) => head.max(position),
        Err(error) => return Finding::fail(error.to_string(), "projector doctor, once more"),
    };
    let events = head.0 - position.0;
    if events == 0 {
        return Finding::pass("at the head");
    }
    let mend = "projector status, until it is at the head; its projector's log says what holds it up";
    match status::seconds_behind(link, position).await {
        Some(seconds) if seconds <= BEHIND_WARN => {
            Finding::pass(format!("{events} events, {seconds:.1} s behind the head"))
        }
        Some(seconds) => Finding::warn((), format!("{events} events, {seconds:.1} s behind the head"), mend),
        None => Finding::warn((), format!("{events} events behind the head"), mend),
    }
}
