//! Events to rows: one place for each resource, no arm that takes the rest.

mod answers;
mod cart;
pub(crate) mod catalogue;
mod interactions;
mod questions;
mod reviews;

use contract::Event;
use contract::fold::{Occurrence, Outcome};
use sqlx::PgConnection;

use crate::batch::Ready;
use crate::failure::Failure;
use crate::parking;

/// Writes the rows of accepted events, set-based: first what is made, then what changes it.
pub(crate) async fn apply(connection: &mut PgConnection, accepted: &[&Occurrence]) -> Result<(), Failure> {
    let mut reviews = reviews::Changes::default();
    let mut questions = questions::Changes::default();
    let mut answers = answers::Changes::default();
    let mut cart = cart::Changes::default();
    let mut interactions = interactions::Changes::default();
    for occurrence in accepted {
        match &occurrence.event {
            Event::ReviewCreated(event) => reviews.created(occurrence, event),
            Event::ReviewHelpful(event) => reviews.helpful(event),
            Event::ReviewReported(event) => reviews.reported(event),
            Event::QuestionCreated(event) => questions.created(occurrence, event),
            Event::QuestionHelpful(event) => questions.helpful(event),
            Event::QuestionReported(event) => questions.reported(event),
            Event::AnswerCreated(event) => answers.created(occurrence, event),
            Event::AnswerHelpful(event) => answers.helpful(event),
            Event::AnswerReported(event) => answers.reported(event),
            Event::CartAdded(event) => cart.added(occurrence, event),
            Event::InteractionRecorded(event) => interactions.recorded(occurrence, event),
            Event::CatalogueOpened(_)
            | Event::CatalogueChunk(_)
            | Event::CatalogueClosed(_)
            | Event::ControlProbe(_)
            | Event::ControlAudit(_)
            | Event::ControlParked(_)
            | Event::EpochOpened(_) => {
                unreachable!("barriers are applied alone")
            }
        }
    }
    reviews.write(connection).await?;
    questions.write(connection).await?;
    answers.write(connection).await?;
    cart.write(connection).await?;
    interactions.write(connection).await
}

/// Applies an event that goes alone. `importing` becomes what the replica's state says after it.
pub(crate) async fn apply_barrier(
    connection: &mut PgConnection,
    ready: &Ready,
    importing: &mut bool,
) -> Result<Outcome, Failure> {
    let position = ready.occurrence.position;
    match &ready.occurrence.event {
        Event::CatalogueOpened(_) => catalogue::opened(connection, position, importing).await,
        Event::CatalogueChunk(event) => catalogue::chunk(connection, event, *importing).await,
        Event::CatalogueClosed(_) => catalogue::closed(connection, position, importing).await,
        // What it says was done to the replica before anything of the new life was applied.
        Event::ControlProbe(_) | Event::ControlAudit(_) | Event::EpochOpened(_) => Ok(Outcome::Applied),
        Event::ControlParked(event) => {
            parking::at_decision(connection, position, event).await.map(|()| Outcome::Applied)
        }
        Event::ReviewCreated(_)
        | Event::ReviewHelpful(_)
        | Event::ReviewReported(_)
        | Event::QuestionCreated(_)
        | Event::QuestionHelpful(_)
        | Event::QuestionReported(_)
        | Event::AnswerCreated(_)
        | Event::AnswerHelpful(_)
        | Event::AnswerReported(_)
        | Event::CartAdded(_)
        | Event::InteractionRecorded(_) => {
            unreachable!("only barriers are applied alone")
        }
    }
}
