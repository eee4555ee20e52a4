//! The stream's counts and a replica's, side by side: what differs, and what follows.

use std::collections::{BTreeMap, BTreeSet};

use contract::event::types::{CONTROL_AUDIT, CONTROL_PARKED, CONTROL_PROBE, EPOCH_OPENED};
use contract::{Epoch, Position};
use serde::Serialize;

use super::counters::{Counted, Counters};
use crate::parking::Decision;

/// Types that change no data, by rule.
const IGNORED: [&str; 4] = [CONTROL_PROBE, CONTROL_AUDIT, CONTROL_PARKED, EPOCH_OPENED];

/// Events of one type, in the stream up to a replica's position and in the replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    #[serde(rename = "type")]
    pub(super) event_type: String,
    /// What the stream holds.
    pub(super) stream: u64,
    /// What the replica has counted; the rest of this row adds up to it.
    pub(super) events: u64,
    pub(super) applied: u64,
    pub(super) no_ops: u64,
    pub(super) rejected: u64,
    pub(super) parked: u64,
    pub(super) ignored: u64,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// None: it is the stream's.
    pub(super) replica: Option<String>,
    pub(super) what: String,
    /// What to do about it: a command, or a sentence with one.
    pub(super) mend: String,
}

/// What is known of the stream.
pub(super) struct Stream<'a> {
    pub(super) epoch: &'a Epoch,
    /// Its first position.
    pub(super) first: Position,
    pub(super) head: Position,
    pub(super) decisions: &'a [Decision],
    /// What the replica had counted by type from which this life goes on: the stream holds none of that.
    pub(super) counted: &'a BTreeMap<String, u64>,
}

impl Stream<'_> {
    /// All events by type, of this life and of those before it.
    pub(super) fn up_to(&self, tally: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let mut all = self.counted.clone();
        for (event_type, events) in tally {
            *all.entry(event_type.clone()).or_default() += events;
        }
        all
    }
}

/// A row for each type that either side knows.
pub(super) fn rows(stream: &BTreeMap<String, u64>, counters: &Counters) -> Vec<Row> {
    let types: BTreeSet<&String> = stream.keys().chain(counters.types.keys()).collect();
    let row = |event_type: &String| {
        let Counted { events, no_ops, rejected, parked } =
            counters.types.get(event_type).copied().unwrap_or_default();
        let rest = events.saturating_sub(no_ops + rejected + parked);
        let ignored = IGNORED.contains(&event_type.as_str());
        Row {
            event_type: event_type.clone(),
            stream: stream.get(event_type).copied().unwrap_or_default(),
            events,
            applied: if ignored { 0 } else { rest },
            no_ops,
            rejected,
            parked,
            ignored: if ignored { rest } else { 0 },
        }
    };
    types.into_iter().map(row).collect()
}

/// What keeps a replica from being compared at all.
pub(super) fn incomparable(stream: &Stream<'_>, counters: &Counters) -> Option<Difference> {
    let Counters { replica, position, epoch, .. } = counters;
    let difference = |what: String, mend: &str| {
        Some(Difference { replica: Some(replica.clone()), what, mend: mend.to_owned() })
    };
    if epoch != stream.epoch {
        let what = format!("it follows epoch {epoch}, and the stream is of epoch {}", stream.epoch);
        return difference(
            what,
            "projector doctor; then projector recover, see docs/errors/stream-recreated.md",
        );
    }
    if *position > stream.head {
        let what = format!("it stands at {position}, and the stream ends at {}", stream.head);
        return difference(
            what,
            "projector doctor; then projector recover, see docs/errors/stream-damaged.md",
        );
    }
    None
}

/// Where a replica's counters differ from the stream's counts up to where it stands.
pub(super) fn differences(stream: &Stream<'_>, rows: &[Row], counters: &Counters) -> Vec<Difference> {
    let Counters { replica, position, parked, .. } = counters;
    let anew = format!("projector rebuild --replica {replica} --from stream; find out first who changed it");
    let mut found = Vec::new();
    let mut differs = |what: String, mend: &str| {
        found.push(Difference { replica: Some(replica.clone()), what, mend: mend.to_owned() });
    };
    for row in rows {
        let Row { event_type, stream: there, events, no_ops, rejected, parked, .. } = row;
        if there != events {
            let what = format!(
                "it counts {events} events {event_type}, and the stream has {there} up to {position}"
            );
            differs(what, &anew);
        }
        if no_ops + rejected + parked > *events {
            let what = format!(
                "of {events} events {event_type} it counts {no_ops} as no-ops, {rejected} as rejected and {parked} as \
                 parked"
            );
            differs(what, &anew);
        }
    }
    let decided: BTreeSet<Position> = stream
        .decisions
        .iter()
        .map(|decision| decision.parked.position)
        .filter(|at| at <= position)
        .collect();
    for at in decided.difference(parked) {
        differs(
            format!("event {at} is parked, and it has applied it"),
            &format!("projector rebuild --replica {replica} --from stream"),
        );
    }
    // Decisions of an earlier life are not in this one's stream.
    for at in parked.difference(&decided).filter(|at| **at >= stream.first) {
        differs(format!("it has event {at} as parked, and the stream has no such decision"), &anew);
    }
    found
}

/// Where replicas at one position, written by one version, count differently.
pub(super) fn among(replicas: &[(Counters, Vec<Row>)]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (number, (one, ours)) in replicas.iter().enumerate() {
        let same = |other: &&(Counters, Vec<Row>)| {
            other.0.position == one.position && other.0.epoch == one.epoch && other.0.version == one.version
        };
        let Some((other, theirs)) = replicas[..number].iter().find(same) else { continue };
        for row in ours {
            let Some(their) = theirs.iter().find(|their| their.event_type == row.event_type) else {
                continue;
            };
            for (what, we, they) in
                [("no-ops", row.no_ops, their.no_ops), ("rejected", row.rejected, their.rejected)]
            {
                if we != they {
                    found.push(Difference {
                        replica: Some(one.replica.clone()),
                        what: format!(
                            "at {} it counts {we} events {} as {what}, and replica {} {they}",
                            one.position, row.event_type, other.replica
                        ),
                        mend: "projector audit, which tells what else differs".to_owned(),
                    });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use contract::Millis;
    use contract::control::Parked;

    use super::*;

    const REVIEW: &str = "review.created";

    fn counters(replica: &str, position: u64, events: u64, no_ops: u64) -> Counters {
        let counted = Counted { events, no_ops, rejected: 1, parked: 0 };
        let probes = Counted { events: 2, ..Counted::default() };
        Counters {
            replica: replica.into(),
            position: Position(position),
            epoch: "abcdefgh2345".parse().unwrap(),
            version: 4,
            types: BTreeMap::from([(REVIEW.into(), counted), (CONTROL_PROBE.into(), probes)]),
            parked: BTreeSet::new(),
        }
    }

    fn counts(reviews: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([(REVIEW.into(), reviews), (CONTROL_PROBE.into(), 2)])
    }

    fn decision(position: u64) -> Decision {
        let parked = Parked { position: Position(position), because: "b".into(), sender: "s".into() };
        Decision { at: Position(position + 9), stored: Millis(0), parked }
    }

    fn told(counters: &Counters, counts: &BTreeMap<String, u64>, decisions: &[Decision]) -> Vec<String> {
        let epoch = counters.epoch.clone();
        let (first, counted) = (Position(90), BTreeMap::new());
        let stream = Stream { epoch: &epoch, first, head: Position(5_000), decisions, counted: &counted };
        let found = differences(&stream, &rows(counts, counters), counters);
        assert!(found.iter().all(|difference| difference.mend.contains("projector ")), "{found:?}");
        found.into_iter().map(|difference| difference.what).collect()
    }

    #[test]
    fn what_a_replica_counts_adds_up_to_what_the_stream_holds() {
        let well = counters("a", 100, 10, 2);
        assert_eq!(told(&well, &counts(10), &[]), Vec::<String>::new());
        let all = rows(&counts(10), &well);
        let find = |event_type| all.iter().find(|row| row.event_type == event_type).unwrap();
        let review = find(REVIEW);
        assert_eq!((review.applied, review.no_ops, review.rejected, review.ignored), (7, 2, 1, 0));
        assert_eq!((find(CONTROL_PROBE).applied, find(CONTROL_PROBE).ignored), (0, 2));
    }

    #[test]
    fn one_event_too_few_and_one_too_many_are_told_and_so_is_a_type_that_only_one_side_has() {
        let well = counters("a", 100, 10, 2);
        assert_eq!(
            told(&well, &counts(11), &[]),
            ["it counts 10 events review.created, and the stream has 11 up to 100"]
        );
        assert_eq!(told(&well, &counts(9), &[]).len(), 1);
        assert_eq!(told(&well, &BTreeMap::from([(REVIEW.into(), 10)]), &[]).len(), 1);
        let mut odd = counters("a", 100, 10, 10);
        assert!(told(&odd, &counts(10), &[])[0].contains("10 as no-ops"));
        odd.types.clear();
        assert_eq!(told(&odd, &counts(10), &[]).len(), 2);
    }

    #[test]
    fn what_was_counted_and_parked_in_the_life_before_is_accounted_for() {
        let mut replica = counters("a", 100, 10, 2);
        replica.parked.insert(Position(7));
        let (epoch, counted) = (replica.epoch.clone(), BTreeMap::from([(REVIEW.into(), 6)]));
        let (first, head) = (Position(90), Position(5_000));
        let stream = Stream { epoch: &epoch, first, head, decisions: &[], counted: &counted };
        assert_eq!(stream.up_to(&counts(4)), counts(10));
        assert_eq!(differences(&stream, &rows(&stream.up_to(&counts(4)), &replica), &replica), []);
        replica.parked.insert(Position(95));
        assert_eq!(differences(&stream, &rows(&stream.up_to(&counts(4)), &replica), &replica).len(), 1);
    }

    #[test]
    fn decisions_and_what_is_parked_are_the_same() {
        let mut replica = counters("a", 100, 10, 2);
        assert_eq!(
            told(&replica, &counts(10), &[decision(101)]),
            Vec::<String>::new(),
            "it is not there yet"
        );
        let found = told(&replica, &counts(10), &[decision(100)]);
        assert_eq!(found, ["event 100 is parked, and it has applied it"]);
        replica.parked.insert(Position(100));
        assert_eq!(told(&replica, &counts(10), &[decision(100)]), Vec::<String>::new());
        assert_eq!(told(&replica, &counts(10), &[]).len(), 1);
    }

    #[test]
    fn replicas_are_compared_at_one_position_only() {
        let with = |counters: Counters| (counters.clone(), rows(&counts(10), &counters));
        let (a, b) = (with(counters("a", 100, 10, 2)), with(counters("b", 100, 10, 3)));
        let found = among(&[a.clone(), b.clone()]);
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("3 events review.created as no-ops, and replica a 2"), "{found:?}");
        assert!(among(&[a, with(counters("b", 101, 10, 3))]).is_empty());
    }

    #[test]
    fn a_replica_of_another_stream_is_not_compared() {
        let replica = counters("a", 100, 10, 2);
        let ours = replica.epoch.clone();
        let (other, decisions) = ("zzzzzzzzzzzz".parse().unwrap(), []);
        let (first, counted) = (Position(90), BTreeMap::new());
        let stream = |epoch, head| Stream {
            epoch,
            first,
            head: Position(head),
            decisions: &decisions,
            counted: &counted,
        };
        assert_eq!(incomparable(&stream(&ours, 100), &replica), None);
        assert!(incomparable(&stream(&ours, 99), &replica).is_some());
        assert!(incomparable(&stream(&other, 100), &replica).is_some());
    }
}
