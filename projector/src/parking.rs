//! Parking: an operator's decision that an event is not to be applied, by any replica. Decisions lie in the stream behind
//! what they are about, so they are read in full before anything is applied, and looked for again while it is.
//!
//! In the place of the event then stands the decision: nobody reads the event itself, so it does not matter whether this
//! build could, and every replica comes to the same, whenever it is made.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use contract::control::Parked;
use contract::event::types::CONTROL_PARKED;
use contract::fold::Occurrence;
use contract::{Event, Millis, Position, subject};
use sqlx::{PgConnection, Row};
use stream::{Link, StoredEvent};

use crate::batch::Ready;
use crate::failure::Failure;

/// Whether an event was parked here.
const IS_PARKED: &str = include_str!("parking/is_parked.sql");
/// How often it is looked for new decisions while events are applied. A replica that an event has stopped looks whenever it
/// tries again; this is for one that would apply an event that others cannot.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A decision with its place in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// Where it lies.
    pub(crate) at: Position,
    /// When the broker stored it.
    pub(crate) stored: Millis,
    /// What was decided.
    pub(crate) parked: Parked,
}

/// All decisions that are known of. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decisions(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// By the event that is parked: the first decision about it.
    by_event: BTreeMap<Position, Decision>,
    /// Up to where they were read.
    read: Option<Position>,
}

impl Decisions {
    /// Reads all that there are.
    ///
    /// # Errors
    /// When the server does not answer, or does not give all of them.
    pub(crate) async fn read(link: &Link) -> stream::Result<Decisions> {
        let decisions = Decisions::default();
        decisions.read_on(link).await?;
        Ok(decisions)
    }

    /// Reads those that have come since.
    ///
    /// # Errors
    /// As [`Decisions::read`].
    pub(crate) async fn read_on(&self, link: &Link) -> stream::Result<()> {
        let from = self.known().read.map_or(link.first(), Position::next);
        let events = link.all_on(&subject::of_event(CONTROL_PARKED), from).await?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            known.read = Some(event.position);
            if let Some(decision) = decision(&event) {
                known.by_event.entry(decision.parked.position).or_insert(decision);
            }
        }
        Ok(())
    }

    /// Looks for new ones, for ever. A server that does not answer is noticed by whoever follows the stream.
    pub(crate) async fn keep_reading(&self, link: &Link) -> Infallible {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.read_on(link).await {
                tracing::debug!(%error, "new decisions to park an event could not be looked for");
            }
        }
    }

    /// The decision that parks the event at a position.
    pub(crate) fn about(&self, position: Position) -> Option<Decision> {
        let known = self.known();
        // Nearly always there is none at all.
        if known.by_event.is_empty() { None } else { known.by_event.get(&position).cloned() }
    }

    /// All of them, in the order of their events.
    pub(crate) fn all(&self) -> Vec<Decision> {
        self.known().by_event.values().cloned().collect()
    }

    /// Where the last message on their subject lies, whatever it is.
    pub(crate) fn last(&self) -> Option<Position> {
        self.known().read
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message on the decisions' subject decides; nothing when it cannot be read as one, or is about what was not there.
fn decision(event: &StoredEvent) -> Option<Decision> {
    let Ok((_, Event::ControlParked(parked))) = event.decode() else { return None };
    let (at, stored) = (event.position, event.stored);
    parked.counts_at(at).then_some(Decision { at, stored, parked })
}

/// A parked event, as it is applied: the decision in its place, and of itself only what can be told without reading it.
pub(crate) fn in_place(event: &StoredEvent, decision: Decision) -> Ready {
    Ready {
        hash: event.hash(),
        head: Position(event.position.0 + event.pending),
        occurrence: Occurrence {
            position: event.position,
            stored: event.stored,
            time: event.stored,
            idempotency: event.idempotency(),
            event: Event::ControlParked(decision.parked),
        },
        parked: Some(subject::event_type(&event.subject)),
    }
}

/// A decision is applied at its own place: there its event was passed by as parked. In a replica that had applied that
/// before there was a decision it was not, and never will be.
///
/// # Errors
/// [`Failure::Applied`] then.
pub(crate) async fn at_decision(
    connection: &mut PgConnection,
    position: Position,
    parked: &Parked,
) -> Result<(), Failure> {
    if !parked.counts_at(position) {
        return Ok(());
    }
    let row = sqlx::query(IS_PARKED).bind(parked.position.as_i64()).fetch_one(connection).await?;
    if row.try_get("parked")? {
        return Ok(());
    }
    Err(Failure::Applied { position: parked.position, decision: position })
}
