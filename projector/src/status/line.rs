//! One replica's line: what was heard of it and what its database tells, put together.

use std::time::Duration;

use contract::Position;
use contract::announcement::{ImportProgress, Progress, State};
use serde::Serialize;

use super::heard::Rates;
use super::known::{Audit, Known, Rebuild};
use super::words;

/// A replica whose oldest event that it lacks is older than this, and that does not move, stands still.
const STANDS_STILL: f64 = 3.0;
/// A projector that connected within this time may not have said anything yet, in milliseconds.
const STARTING: i64 = 10_000;

/// Everything that was seen of a replica.
pub(super) struct Seen<'a> {
    pub(super) name: &'a str,
    /// What it says of itself; none when it is silent.
    pub(super) progress: Option<&'a Progress>,
    pub(super) rates: Option<Rates>,
    /// How long it has said nothing, as far as this process can know.
    pub(super) silent: Option<Duration>,
    pub(super) known: Result<Known, String>,
    pub(super) head: Option<Position>,
    /// Why nothing could be heard.
    pub(super) away: Option<&'a str>,
}

/// As in the JSON: what is not known is null.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Line {
    pub(super) name: String,
    /// What it says of itself, or `starting`, or `unknown`.
    pub(super) state: String,
    pub(super) position: Option<u64>,
    pub(super) behind_events: Option<u64>,
    /// The age of the oldest event that is not applied.
    pub(super) behind_seconds: Option<f64>,
    pub(super) why: String,
    /// What to do about it: a command, or a sentence with one.
    pub(super) mend: Option<String>,
    /// It lacks events and applies none, and does not say why.
    pub(super) stalled: bool,
    /// Whether it is at the head and read from.
    pub(super) serving: bool,
    pub(super) generation: Option<i64>,
    pub(super) generation_source: Option<String>,
    pub(super) projection_version: Option<i32>,
    pub(super) events_per_second: Option<f64>,
    /// That come into the stream.
    pub(super) arriving_per_second: Option<f64>,
    /// Until it is at the head; null when it is there, or does not come nearer.
    pub(super) seconds_left: Option<f64>,
    /// How long it has said nothing; null while it speaks.
    pub(super) silent_seconds: Option<f64>,
    pub(super) last_audit: Option<Audit>,
    /// Of the serving generation's tables and indexes.
    pub(super) bytes: Option<i64>,
    pub(super) rebuild: Option<Rebuild>,
    /// While it is importing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<ImportProgress>,
}

impl Seen<'_> {
    /// Where it stands.
    pub(super) fn position(&self) -> Option<Position> {
        let asked = self.known.as_ref().ok().and_then(|known| known.position);
        self.progress.map(|progress| progress.position).or(asked)
    }

    /// How many events it lacks.
    pub(super) fn behind(&self) -> Option<u64> {
        let position = self.position()?;
        Some(self.head?.max(position).0 - position.0)
    }

    /// `behind_seconds`: the age of the oldest event that it lacks.
    pub(super) fn line(self, behind_seconds: Option<f64>) -> Line {
        let (position, behind) = (self.position(), self.behind());
        let behind_known = behind.filter(|behind| *behind > 0);
        let left = behind_known.and_then(|behind| self.rates.and_then(|rates| rates.seconds_left(behind)));
        let stalled = self.stalls(behind, behind_seconds);
        let (state, mut why, mut mend) = match self.progress {
            Some(progress) => spoken(progress),
            None => self.unspoken(),
        };
        if stalled {
            if why.is_empty() {
                why = "it lacks events and applies none".to_owned();
            }
            mend.get_or_insert_with(|| {
                "projector doctor; then its projector's log, and whether its Postgres is overloaded"
                    .to_owned()
            });
        }
        let speaks = self.progress.is_some();
        let known = self.known.unwrap_or_default();
        if let Some(rebuild) = &known.rebuild {
            why = [why, rebuild.words()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        Line {
            name: self.name.to_owned(),
            serving: state == State::Serving.word() && !stalled,
            state,
            position: position.map(|position| position.0),
            behind_events: behind,
            behind_seconds,
            why,
            mend,
            stalled,
            generation: known.generation,
            generation_source: known.source,
            projection_version: self.progress.map(|progress| progress.version).or(known.version),
            events_per_second: self.rates.map(|rates| tenths(rates.applied)),
            arriving_per_second: self.rates.map(|rates| tenths(rates.arriving)),
            seconds_left: left.map(tenths),
            silent_seconds: self.silent.filter(|_| !speaks).map(|silent| tenths(silent.as_secs_f64())),
            last_audit: known.audit,
            bytes: known.bytes,
            rebuild: known.rebuild,
            import: self.progress.and_then(|progress| progress.import.clone()),
        }
    }

    /// A quiet stream brings nothing to apply; a replica that stands still has something.
    fn stalls(&self, behind: Option<u64>, behind_seconds: Option<f64>) -> bool {
        let Some(progress) = self.progress else { return false };
        let lacks =
            behind.is_some_and(|behind| behind > 0) && behind_seconds.is_some_and(|age| age > STANDS_STILL);
        let moves = self.rates.is_none_or(|rates| rates.applied > 0.0);
        // Those that say what they wait for do not stall.
        let told = progress.state == State::Stopped || progress.import.is_some();
        let waits = !progress.why.is_empty() && progress.why != STANDS;
        lacks && !moves && !told && !waits
    }

    /// Nobody announces the replica.
    fn unspoken(&self) -> (String, String, Option<String>) {
        let unknown = "unknown".to_owned();
        if let Some(away) = self.away {
            let postgres = self.known.as_ref().err().map(|error| format!("; its Postgres: {error}"));
            return (
                unknown,
                format!("{away}{}", postgres.unwrap_or_default()),
                Some("projector doctor".into()),
            );
        }
        let start =
            format!("projector run --replica {} (a local system: cargo xtask up --detach)", self.name);
        match &self.known {
            Err(error) => {
                let why = format!("its projector is silent; its Postgres: {error}");
                (unknown, why, Some("projector doctor".to_owned()))
            }
            Ok(Known { owned: Some(since), .. }) if service::time::now().0 - since.0 < STARTING => {
                ("starting".to_owned(), "its projector has just connected to its Postgres".to_owned(), None)
            }
            Ok(Known { owned: Some(_), .. }) => {
                let why = "its projector is silent, and connected to its Postgres: it hangs, or is cut off from \
                           nats-server";
                (unknown, why.to_owned(), Some("see its projector's log, then start it again".to_owned()))
            }
            Ok(_) => (unknown, "its projector is silent: none runs".to_owned(), Some(start)),
        }
    }
}

/// What a projector says when it does not know what it hangs on.
const STANDS: &str = "applying stands still";

/// State, why, and what to do, in a replica's own words.
fn spoken(progress: &Progress) -> (String, String, Option<String>) {
    let mend = Some(progress.mend.clone()).filter(|mend| !mend.is_empty());
    if progress.state == State::CatchingUp && progress.why == "starting" {
        return ("starting".to_owned(), String::new(), mend);
    }
    let why = match (&progress.import, progress.state) {
        (_, State::Stopped) if progress.why.is_empty() => "see its projector's log".to_owned(),
        (Some(import), _) => words::import(import),
        _ => progress.why.clone(),
    };
    (progress.state.word().to_owned(), why, mend)
}

#[cfg(test)]
mod tests {
    use contract::Millis;

    use super::*;

    fn said(state: State, position: u64) -> Progress {
        Progress {
            epoch: "abcdefgh2345".parse().unwrap(),
            position: Position(position),
            previous: Position(position),
            head: Position(position),
            head_age_ms: 0,
            state,
            why: String::new(),
            mend: String::new(),
            refuses_stream: false,
            generation: "live".into(),
            version: 4,
            events_version: 2,
            exceptions: None,
            import: None,
        }
    }

    fn seen(progress: Option<&Progress>, applied: f64, arriving: f64) -> Seen<'_> {
        Seen {
            name: "a",
            progress,
            rates: Some(Rates { applied, arriving }),
            silent: Some(Duration::from_secs(5)),
            known: Ok(Known { position: Some(Position(90)), ..Known::default() }),
            head: Some(Position(100)),
            away: None,
        }
    }

    #[test]
    fn a_replica_that_stands_still_and_a_quiet_stream_look_different() {
        let behind = said(State::Serving, 90);
        let line = seen(Some(&behind), 0.0, 4.0).line(Some(8.0));
        assert!(line.stalled && !line.serving && !line.why.is_empty() && line.mend.is_some(), "{line:?}");
        let at_the_head = said(State::Serving, 100);
        let line = seen(Some(&at_the_head), 0.0, 0.0).line(Some(0.0));
        assert!(!line.stalled && line.serving && line.why.is_empty() && line.mend.is_none(), "{line:?}");
        assert!(!seen(Some(&behind), 3.0, 4.0).line(Some(8.0)).stalled, "it moves");
        assert!(!seen(Some(&behind), 0.0, 4.0).line(Some(0.2)).stalled, "the event has just come");
        let mut waits = said(State::CatchingUp, 90);
        waits.why = "it waits at the mark of a comparison".into();
        assert!(!seen(Some(&waits), 0.0, 4.0).line(Some(8.0)).stalled, "it says what it waits for");
        waits.why = STANDS.into();
        assert!(seen(Some(&waits), 0.0, 4.0).line(Some(8.0)).stalled);
    }

    #[test]
    fn a_stopped_replica_says_why_and_what_to_type() {
        let mut stopped = said(State::Stopped, 90);
        let line = seen(Some(&stopped), 0.0, 0.0).line(Some(60.0));
        assert_eq!((line.why.as_str(), line.mend), ("see its projector's log", None), "an older projector's");
        (stopped.why, stopped.mend) = ("event 91 …".into(), "projector parked skip 91 …".into());
        let line = seen(Some(&stopped), 0.0, 0.0).line(Some(60.0));
        assert_eq!(line.mend.as_deref(), Some("projector parked skip 91 …"));
        assert_eq!((line.stalled, line.seconds_left, line.state.as_str()), (false, None, "stopped"));
    }

    #[test]
    fn a_silent_replica_is_asked_in_its_database() {
        let line = seen(None, 0.0, 0.0).line(Some(1.0));
        assert_eq!(
            (line.state.as_str(), line.position, line.silent_seconds),
            ("unknown", Some(90), Some(5.0))
        );
        assert!(line.mend.unwrap().starts_with("projector run --replica a"));
        let mut young = seen(None, 0.0, 0.0);
        let owned = |ago: i64| Some(Millis(service::time::now().0 - ago));
        young.known = Ok(Known { owned: owned(1_000), ..Known::default() });
        assert_eq!(young.line(None).state, "starting");
        let mut hangs = seen(None, 0.0, 0.0);
        hangs.known = Ok(Known { owned: owned(60_000), ..Known::default() });
        let line = hangs.line(None);
        assert!(line.state == "unknown" && line.why.contains("it hangs"), "{line:?}");
        let mut gone = seen(None, 0.0, 0.0);
        gone.known = Err("connection refused".into());
        let line = gone.line(None);
        assert!(line.position.is_none() && line.why.contains("connection refused"), "{line:?}");
    }

    #[test]
    fn what_is_left_is_told_only_when_it_comes_nearer() {
        let behind = said(State::CatchingUp, 90);
        assert_eq!(seen(Some(&behind), 6.0, 4.0).line(Some(1.0)).seconds_left, Some(5.0));
        assert_eq!(seen(Some(&behind), 4.0, 4.0).line(Some(1.0)).seconds_left, None);
        let rebuild = Rebuild { generation: Some(2), source: Some("stream".into()), position: None };
        let mut rebuilt = seen(Some(&behind), 6.0, 4.0);
        rebuilt.known = Ok(Known { rebuild: Some(rebuild), ..Known::default() });
        assert!(rebuilt.line(Some(1.0)).why.starts_with("generation 2 is being built beside it"));
    }
}
