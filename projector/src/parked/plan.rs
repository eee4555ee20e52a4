//! Whether an event may be parked, and what follows: decided from what was seen, before anything is done.

use contract::Position;
use contract::announcement::Progress;
use contract::control::Parked;
use contract::event::types::{CATALOGUE_CHUNK, CATALOGUE_CLOSED, CATALOGUE_OPENED, CONTROL_PARKED};
use contract::{Event, Millis, subject};

use crate::parking::Decision;

/// Longest reason.
const BECAUSE: usize = 1_000;

/// What was seen of a replica.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub(super) name: String,
    /// What it announces; none when it is silent.
    pub(super) heard: Option<Progress>,
    /// Where its database stands, and whether it has closed a catalogue; or why it could not be asked.
    pub(super) stands: Result<Stands, String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Stands {
    pub(super) position: Position,
    pub(super) catalogue_closed: bool,
}

/// Everything that was seen.
pub(super) struct Seen<'a> {
    pub(super) position: Position,
    pub(super) because: &'a str,
    pub(super) force: bool,
    pub(super) first: Position,
    pub(super) head: Position,
    /// The event's subject; none when the position is beyond the head.
    pub(super) subject: Option<&'a str>,
    /// What it reads as, if it reads as an event at all.
    pub(super) event: Option<&'a Event>,
    pub(super) decided: Option<&'a Decision>,
    pub(super) replicas: &'a [Replica],
}

/// What a decision would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) event_type: String,
    /// Replicas that stopped before the event, or have not come to it: they go on behind it.
    pub(super) go_on: Vec<String>,
    /// Replicas that have applied it: they stop at the decision until they are rebuilt.
    pub(super) rebuild: Vec<String>,
    /// Replicas that could not be asked, and why.
    pub(super) unknown: Vec<(String, String)>,
}

/// Why a decision is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("say why: --because takes up to {BECAUSE} letters of text in one line")]
    Because,
    #[error("event {position} is not there: the stream holds events {first} to {head}")]
    NotThere { position: Position, first: Position, head: Position },
    #[error("event {position} is parked already: decided by {sender} at {decided}, because {because}")]
    Already { position: Position, sender: String, decided: Millis, because: String },
    #[error(
        "event {position} is itself a decision to park event {about}, and cannot be parked: it would still count"
    )]
    Decision { position: Position, about: Position },
    #[error(
        "event {position} belongs to a catalogue, which comes in whole or not at all. While one is being imported nothing \
         else is in the stream: mend the files, make the stream anew and import them again (docs/operating.md)"
    )]
    Catalogue { position: Position },
    #[error(
        "replica {replica}'s projector does not know decisions (it knows event types up to {known}, they came with \
         {needed}) and would stop at one: upgrade it first"
    )]
    Unknown { replica: String, known: u32, needed: u32 },
    #[error(
        "replica {} applied event {position}: an event that a replica takes needs no parking. With --force it is parked all \
         the same; then that replica stops at the decision and must be rebuilt (projector rebuild --replica {} --from \
         stream)", .replicas.join(" and replica "), .replicas[0]
    )]
    Applied { position: Position, replicas: Vec<String> },
}

/// The decision.
///
/// # Errors
/// Why the event is not parked.
pub(super) fn plan(seen: &Seen<'_>) -> Result<Plan, Refusal> {
    let Seen { position, first, head, .. } = *seen;
    let because = seen.because.trim();
    if because.is_empty() || because.chars().count() > BECAUSE || because.chars().any(char::is_control) {
        return Err(Refusal::Because);
    }
    let Some(subject) = seen.subject.filter(|_| (first..=head).contains(&position)) else {
        return Err(Refusal::NotThere { position, first, head });
    };
    if let Some(Decision { stored, parked, .. }) = seen.decided {
        let (sender, because) = (parked.sender.clone(), parked.because.clone());
        return Err(Refusal::Already { position, sender, decided: *stored, because });
    }
    // One on that subject that reads as none can be parked like any other.
    if let Some(Event::ControlParked(decision)) =
        seen.event.filter(|_| subject == subject::of_event(CONTROL_PARKED))
    {
        return Err(Refusal::Decision { position, about: decision.position });
    }
    let event_type = subject::event_type(subject);
    let catalogue = [CATALOGUE_OPENED, CATALOGUE_CHUNK, CATALOGUE_CLOSED].contains(&event_type.as_str());
    // Before it only a catalogue's own events are there, so whoever has closed one says that this is none of it.
    let closed = |replica: &Replica| {
        replica.stands.as_ref().is_ok_and(|stands| stands.catalogue_closed && stands.position < position)
    };
    if catalogue && !seen.replicas.iter().any(closed) {
        return Err(Refusal::Catalogue { position });
    }
    let needed =
        Event::ControlParked(Parked { position, because: String::new(), sender: String::new() }).since();
    for replica in seen.replicas {
        if let Some(known) =
            replica.heard.as_ref().map(|heard| heard.events_version).filter(|known| *known < needed)
        {
            return Err(Refusal::Unknown { replica: replica.name.clone(), known, needed });
        }
    }
    let mut plan = Plan { event_type, ..Plan::default() };
    for replica in seen.replicas {
        let name = replica.name.clone();
        match (replica.position(), &replica.stands) {
            (Some(stands), _) if stands >= position => plan.rebuild.push(name),
            (Some(_), _) => plan.go_on.push(name),
            (None, Err(why)) => plan.unknown.push((name, why.clone())),
            (None, Ok(_)) => unreachable!("where it stands is known then"),
        }
    }
    if !plan.rebuild.is_empty() && !seen.force {
        return Err(Refusal::Applied { position, replicas: plan.rebuild });
    }
    Ok(plan)
}

impl Replica {
    /// The furthest that is known of it.
    pub(super) fn position(&self) -> Option<Position> {
        let heard = self.heard.as_ref().map(|heard| heard.position);
        let stands = self.stands.as_ref().ok().map(|stands| stands.position);
        heard.max(stands)
    }
}

#[cfg(test)]
mod tests {
    use contract::announcement::State;

    use super::*;

    const EVENT: Position = Position(1_000_000_100);

    fn heard(position: u64, events_version: u32) -> Progress {
        Progress {
            epoch: "abcdefgh2345".parse().unwrap(),
            position: Position(position),
            previous: Position(position),
            head: Position(position),
            head_age_ms: 0,
            state: State::Stopped,
            why: String::new(),
            mend: String::new(),
            refuses_stream: false,
            generation: "live".into(),
            version: 4,
            events_version,
            exceptions: None,
            import: None,
        }
    }

    fn replica(name: &str, position: u64) -> Replica {
        let stands = Stands { position: Position(position), catalogue_closed: true };
        Replica { name: name.into(), heard: Some(heard(position, 2)), stands: Ok(stands) }
    }

    fn seen<'a>(subject: &'a str, replicas: &'a [Replica]) -> Seen<'a> {
        Seen {
            position: EVENT,
            because: "its text has a NUL",
            force: false,
            first: Position::FIRST,
            head: Position(EVENT.0 + 50),
            subject: Some(subject),
            event: None,
            decided: None,
            replicas,
        }
    }

    const REVIEW: &str = "atelier.v1.review.created";

    #[test]
    fn an_event_that_stopped_every_replica_is_parked() {
        let before = EVENT.0 - 1;
        let mut away = replica("c", before);
        (away.heard, away.stands) = (None, Err("connection refused".into()));
        let replicas = [replica("a", before), replica("b", before - 5), away];
        let plan = plan(&seen(REVIEW, &replicas)).unwrap();
        assert_eq!(
            (plan.event_type.as_str(), plan.go_on),
            ("review.created", vec!["a".to_owned(), "b".into()])
        );
        assert_eq!(plan.unknown, [("c".to_owned(), "connection refused".to_owned())]);
        assert!(plan.rebuild.is_empty());
    }

    #[test]
    fn what_a_replica_has_applied_is_parked_by_force_only_also_when_that_replica_is_silent() {
        let mut silent = replica("b", EVENT.0);
        silent.heard = None;
        let replicas = [replica("a", EVENT.0 - 1), silent];
        let refused = plan(&seen(REVIEW, &replicas)).unwrap_err();
        assert_eq!(refused, Refusal::Applied { position: EVENT, replicas: vec!["b".into()] });
        assert!(refused.to_string().contains("projector rebuild --replica b --from stream"), "{refused}");
        let forced = plan(&Seen { force: true, ..seen(REVIEW, &replicas) }).unwrap();
        assert_eq!((forced.go_on, forced.rebuild), (vec!["a".to_owned()], vec!["b".to_owned()]));
        // Whoever was heard further than its database says was asked too early.
        let mut heard_further = replica("a", EVENT.0 - 1);
        heard_further.heard = Some(heard(EVENT.0, 2));
        assert!(plan(&seen(REVIEW, &[heard_further])).is_err());
    }

    #[test]
    fn a_decision_that_would_do_harm_or_nothing_is_refused() {
        let replicas = [replica("a", EVENT.0 - 1)];
        let usual = || seen(REVIEW, &replicas);
        for because in ["", "  ", "two\nlines", &"x".repeat(BECAUSE + 1)] {
            assert_eq!(plan(&Seen { because, ..usual() }), Err(Refusal::Because), "{because:?}");
        }
        for (position, head) in [(EVENT.0, EVENT.0 - 1), (999_999_999, EVENT.0)] {
            let beyond = Seen { position: Position(position), head: Position(head), ..usual() };
            assert!(matches!(plan(&beyond), Err(Refusal::NotThere { .. })), "{position}");
        }
        let parked = Parked { position: EVENT, because: "b".into(), sender: "s".into() };
        let decision = Decision { at: Position(EVENT.0 + 9), stored: Millis(0), parked: parked.clone() };
        let again = Seen { decided: Some(&decision), ..usual() };
        assert!(
            plan(&again)
                .unwrap_err()
                .to_string()
                .contains("decided by s at 1970-01-01T00:00:00.000Z, because b")
        );
        let event = Event::ControlParked(parked);
        let of_decision = Seen { event: Some(&event), ..seen("atelier.v1.control.parked", &replicas) };
        assert!(matches!(plan(&of_decision), Err(Refusal::Decision { .. })));
        assert!(plan(&seen("atelier.v1.control.parked", &replicas)).is_ok(), "one that nobody can read");
        let old = [Replica { heard: Some(heard(EVENT.0 - 1, 1)), ..replica("a", EVENT.0 - 1) }];
        assert_eq!(
            plan(&seen(REVIEW, &old)),
            Err(Refusal::Unknown { replica: "a".into(), known: 1, needed: 2 })
        );
    }

    #[test]
    fn a_catalogue_comes_in_whole_and_strays_behind_it_can_be_parked() {
        let chunk = "atelier.v1.catalogue.chunk";
        let replicas = [replica("a", EVENT.0 - 1)];
        assert!(plan(&seen(chunk, &replicas)).is_ok());
        let stands = Stands { position: Position(EVENT.0 - 1), catalogue_closed: false };
        let importing = [Replica { stands: Ok(stands), ..replica("a", EVENT.0 - 1) }];
        let forced = Seen { force: true, ..seen(chunk, &importing) };
        assert_eq!(plan(&forced), Err(Refusal::Catalogue { position: EVENT }));
        assert!(plan(&seen(REVIEW, &importing)).is_ok());
    }
}
