//! `projector rollback`: the generation that served before serves again, with everything that came since.

use std::error::Error;

use contract::PROJECTION_VERSION;
use replica::{SCHEMA_LIVE, SCHEMA_PREVIOUS};
use service::Config;
use tokio_util::sync::CancellationToken;

use crate::generation;
use crate::rebuild::building::{self, Guard};
use crate::rebuild::pace::Pace;
use crate::rebuild::progress::{Phase, Progress};
use crate::rebuild::replay::Replay;
use crate::rebuild::{self, swap};
use crate::record::Record;

/// Fewer events are applied at once: watching what reads feel takes longer than they do.
const FEW: u64 = 5_000;

/// Catches the previous generation up, and swaps it in.
pub(crate) async fn rollback(
    config: &Config,
    name: &str,
    dry_run: bool,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let replica = config.replica(name)?;
    let known = building::find(replica, SCHEMA_PREVIOUS).await?;
    let no_previous = || rebuild::Error::NoPrevious { replica: name.to_owned() };
    let known = known.filter(|known| known.complete).ok_or_else(no_previous)?;
    let checkpoint = known.checkpoint.ok_or_else(no_previous)?;
    let (found, ours) = (checkpoint.version, PROJECTION_VERSION);
    if found != ours {
        return Err(rebuild::Error::PreviousVersion { replica: name.to_owned(), found, ours }.into());
    }
    let stop = CancellationToken::new();
    let _stops_at_the_end = stop.clone().drop_guard();
    let link = rebuild::connect(config, "atelier projector rollback", stop).await?;
    if checkpoint.epoch != *link.epoch() {
        let (replica, ended) = (name.to_owned(), checkpoint.epoch);
        return Err(rebuild::Error::PreviousEpoch { replica, ended }.into());
    }
    let head = link.head().await?;
    let behind = head.0.saturating_sub(checkpoint.position.0);
    if !json {
        println!(
            "replica {name} goes back to generation {} (made from {}), which first applies {behind} events",
            known.number, known.source
        );
    }
    if dry_run {
        return Ok(());
    }
    let record = Record::begin(replica, "rollback").await?;
    let work = async {
        let mut guard = Guard::take(replica).await?;
        let progress = Progress::start(name, json);
        progress.phase(Phase::CatchUp);
        let mut pace = Pace::new(replica, None, behind > FEW).await;
        let (connection, checkpoint) = building::own(replica, SCHEMA_PREVIOUS).await?;
        let database = generation::applying(replica, SCHEMA_PREVIOUS)?;
        let mut replay = Replay::start(&link, database, connection, checkpoint).await?;
        progress.replaying(replay.position(), head);
        replay.run_to(head, &mut pace, &progress).await?;
        progress.phase(Phase::Swap);
        let swapped = swap::swap(replica, &mut guard, &link, SCHEMA_PREVIOUS, &mut replay, &progress).await?;
        progress.finish();
        Ok::<_, rebuild::Error>(swapped)
    };
    let done = work.await;
    record.end(&done.as_ref().map_or_else(ToString::to_string, |_| "done".to_owned())).await;
    let swapped = done?;
    let number = building::find(replica, SCHEMA_LIVE).await?.map_or(known.number, |known| known.number);
    let swap_ms = (swapped.held.as_secs_f64() * 10_000.0).round() / 10.0;
    if json {
        let report = serde_json::json!({
            "schema_version": 1, "kind": "done", "replica": name, "generation": number,
            "position": swapped.position.0, "swap_ms": swap_ms,
        });
        println!("{report}");
    } else {
        let position = swapped.position;
        println!(
            "replica {name}: generation {number} serves again, swapped in at {position} within {swap_ms} ms"
        );
        println!("the one that served until now is `previous`: the same command goes forward to it again");
    }
    Ok(())
}
