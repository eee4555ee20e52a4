//! The stream: is it there, as needed, whole, under our key, and with room?

use std::path::{Path, PathBuf};

use service::Config;
use stream::{Description, Error, Inspection, Link, ServerState};

use super::examination::{Examination, Finding};
use super::{machine, server};

/// Share of `max_bytes` from which on somebody should act, in per cent.
const ROOM_WARN: u64 = 80;
/// And from which on writes are about to be refused.
const ROOM_FAIL: u64 = 97;

/// Looks at the stream; gives a link to it, when it is as needed.
pub(super) async fn examine(
    examination: &mut Examination,
    config: &Config,
    server: &server::Server,
    hashing_key: Option<&String>,
) -> Option<Link> {
    let description = examination
        .check("stream.present", &["server.connection"], server.inspection.as_ref(), present)
        .await;
    let description = description.as_ref();
    let as_needed = examination
        .check("stream.settings", &["stream.present"], description, async |description| {
            match description.differences.as_slice() {
                _ if description.closed => {
                    Finding::fail("closed by a recovery that did not end", "projector recover --yes, which goes on")
                }
                [] => Finding::pass(format!(
                    "as needed; ids are remembered for {} s",
                    description.duplicate_window.as_secs_f64()
                )),
                differences => Finding::fail(
                    differences.join("; "),
                    "nats stream edit ATELIER (as docs/doctor.md lists the settings); what cannot be edited: projector init on an empty server",
                ),
            }
        })
        .await;
    let link = examination
        .check(
            "stream.epoch",
            &["stream.present", "stream.settings"],
            description.zip(server.inspection.as_ref()).zip(as_needed),
            async |((description, inspection), ())| match inspection.link(description) {
                Some(link) => {
                    let found = format!("{}, the last position is {}", link.epoch(), description.last);
                    Finding::known(link, found)
                }
                None => Finding::fail(
                    "its metadata names no epoch: it was not made by `projector init`",
                    "nats stream rm ATELIER if nothing in it is needed, then projector init",
                ),
            },
        )
        .await;
    let _key = examination
        .check(
            "stream.hashing-key",
            &["stream.present", "machine.hashing-key"],
            description.zip(hashing_key),
            async |(description, ours)| judge_key(description.hashing_key.as_ref(), ours),
        )
        .await;
    let _gaps =
        examination.check("stream.gaps", &["stream.present"], description, async |it| judge_gaps(it)).await;
    let _room =
        examination.check("stream.room", &["stream.present"], description, async |it| judge_room(it)).await;
    let _disk = examination
        .check("stream.disk", &["stream.present"], description, async |description| {
            match store_folder(config, server.state.as_ref()) {
                Some(folder) => {
                    let most = u64::try_from(description.max_bytes).ok();
                    machine::disk(&folder, most.map(|most| most.saturating_sub(description.bytes)))
                }
                None => Finding::unknown("nats-server's folder is not on this machine"),
            }
        })
        .await;
    link
}

async fn present(inspection: &Inspection) -> Finding<Description> {
    match inspection.describe().await {
        Ok(description) => {
            let found = format!("events: {}, {}", description.events, machine::bytes(description.bytes));
            Finding::known(description, found)
        }
        Err(error @ Error::NoStream) => Finding::fail(
            error.to_string(),
            "on a new system projector init; else put its files back, or begin anew with what the replicas hold: projector recover",
        ),
        Err(error) => {
            Finding::fail(error.to_string(), "see nats-server's log: is JetStream on, is its disk full?")
        }
    }
}

fn judge_key(theirs: Option<&String>, ours: &str) -> Finding {
    match theirs {
        None => Finding::pass("it names none: it was made before keys were named"),
        Some(theirs) if theirs == ours => Finding::pass(format!("{ours}, as in the file of keys.hashing")),
        Some(theirs) => Finding::fail(
            format!("it was made under {theirs}, and the file of keys.hashing holds {ours}"),
            "restore the file of keys.hashing that belongs to this stream; see docs/keys.md",
        ),
    }
}

/// Nothing is ever deleted from the stream, so each position from the first to the last has its event.
fn judge_gaps(stream: &Description) -> Finding {
    let mend = "stop nats-server and restore its store_dir from a copy, or begin anew with what the replicas hold: projector recover; see docs/errors/stream-damaged.md";
    let (began, last) = (stream.configured_first, stream.last);
    if stream.missing == 0 && last < began {
        return Finding::pass("it is empty");
    }
    if stream.missing == 0 {
        return Finding::pass(format!("none between {began} and {last}"));
    }
    let range = stream.first_missing.as_ref();
    let range = range.map_or(String::new(), |range| format!(", {}..={} first", range.start(), range.end()));
    Finding::fail(format!("{} events are missing between {began} and {last}{range}", stream.missing), mend)
}

fn judge_room(stream: &Description) -> Finding {
    let Some(most) = u64::try_from(stream.max_bytes).ok().filter(|most| *most > 0) else {
        return Finding::warn(
            (),
            "it has no max_bytes: it grows until the disk is full, and then answers nothing",
            "nats stream edit ATELIER --max-bytes=BYTES, with 0.8 of the free space",
        );
    };
    let taken = stream.bytes.saturating_mul(100) / most;
    let found =
        format!("{taken} % of max_bytes: {} of {}", machine::bytes(stream.bytes), machine::bytes(most));
    let mend =
        format!("nats stream edit ATELIER --max-bytes={}, if its disk has that much", most.saturating_mul(2));
    if taken < ROOM_WARN {
        Finding::pass(found)
    } else if taken < ROOM_FAIL {
        Finding::warn((), found, mend)
    } else {
        Finding::fail(found, mend)
    }
}

/// Where nats-server stores, on this machine. Its own word counts when it runs here: the configured folder may be one above a
/// disk of its own.
pub(crate) fn store_folder(config: &Config, state: Option<&ServerState>) -> Option<PathBuf> {
    let host = config.stream.url.trim_start_matches("nats://");
    let theirs = state.and_then(|state| state.store_dir.clone()).filter(|_| machine::is_here(host));
    theirs.or_else(|| config.stream.store_dir.clone()).filter(|folder| Path::is_dir(folder))
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::time::Duration;

    use contract::Position;

    use super::super::examination::Outcome;
    use super::*;

    fn stream(last: u64, missing: u64, first_missing: Option<RangeInclusive<u64>>) -> Description {
        Description {
            differences: Vec::new(),
            closed: false,
            epoch: None,
            hashing_key: None,
            configured_first: Position::FIRST,
            first: Position::FIRST,
            last: Position((Position::FIRST.0 + last).wrapping_sub(1)),
            events: last - missing,
            missing,
            first_missing,
            bytes: 0,
            max_bytes: 100,
            servers: 1,
            duplicate_window: Duration::from_secs(120),
        }
    }

    async fn told(finding: Finding) -> (Outcome, String) {
        let mut examination = Examination::default();
        let _grounds = examination.check("a", &[], Some(finding), async |finding| finding).await;
        let check = &examination.checks()[0];
        (check.outcome, check.found.clone())
    }

    #[tokio::test]
    async fn missing_events_are_a_gap_and_the_first_are_named() {
        assert_eq!(told(judge_gaps(&stream(0, 0, None))).await.0, Outcome::Pass);
        assert_eq!(told(judge_gaps(&stream(10, 0, None))).await.0, Outcome::Pass);
        let (outcome, found) = told(judge_gaps(&stream(10, 3, Some(5..=6)))).await;
        assert!(
            outcome == Outcome::Fail && found.starts_with("3 events") && found.ends_with("5..=6 first"),
            "{found}"
        );
    }

    #[tokio::test]
    async fn room_is_told_before_it_is_gone() {
        for (bytes, max_bytes, outcome) in [
            (79, 100, Outcome::Pass),
            (80, 100, Outcome::Warn),
            (97, 100, Outcome::Fail),
            (1, -1, Outcome::Warn),
        ] {
            let stream = Description { bytes, max_bytes, ..stream(1, 0, None) };
            assert_eq!(told(judge_room(&stream)).await.0, outcome, "{bytes} of {max_bytes}");
        }
    }
}
