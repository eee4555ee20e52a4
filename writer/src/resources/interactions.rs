//! `POST /interactions`

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use contract::Event;
use contract::resources::interactions::{InteractionRecorded, NewInteraction};
use service::extract::json;
use service::problem::Problem;

use crate::answer;
use crate::app::App;
use crate::write::Write;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/interactions", post(record))
}

async fn record(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let write = Write::extract(&app, request).await?;
    let interaction = NewInteraction::parse(&json(&write.body)?).map_err(Problem::fields)?;
    let done = app.submit(&write, &into_event(interaction)).await?;
    Ok(answer::recorded(&write, &done))
}

fn into_event(interaction: NewInteraction) -> Event {
    Event::InteractionRecorded(InteractionRecorded {
        element: interaction.element,
        widget: interaction.widget,
        time: interaction.time,
    })
}
