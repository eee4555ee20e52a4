//! `POST /qa/questions/{question_id}/answers`, `PUT /qa/answers/{answer_id}/helpful`, `PUT /qa/answers/{answer_id}/report`

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{post, put};
use contract::Event;
use contract::event::types::ANSWER_CREATED;
use contract::resources::answers::{AnswerCreated, AnswerHelpful, AnswerReported, NewAnswer};
use service::extract::{PathId, json};
use service::problem::Problem;

use crate::answer;
use crate::app::App;
use crate::references::Kind;
use crate::write::Write;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/qa/questions/{question_id}/answers", post(create))
        .route("/qa/answers/{answer_id}/helpful", put(helpful))
        .route("/qa/answers/{answer_id}/report", put(report))
}

async fn create(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let question_id = id.of("question")?;
    let write = Write::extract(&app, request).await?;
    let new = NewAnswer::parse(&json(&write.body)?).map_err(Problem::fields)?;
    app.references.exists(Kind::Question, question_id).await?;
    let done = app.submit(&write, &into_event(new, question_id, &write, &app)).await?;
    Ok(answer::created("answer_id", &write, &done))
}

async fn helpful(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let answer_id = id.of("answer")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Answer, answer_id).await?;
    let done = app.submit(&write, &Event::AnswerHelpful(AnswerHelpful { answer_id })).await?;
    Ok(answer::no_content(&write, &done))
}

async fn report(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let answer_id = id.of("answer")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Answer, answer_id).await?;
    let done = app.submit(&write, &Event::AnswerReported(AnswerReported { answer_id })).await?;
    Ok(answer::no_content(&write, &done))
}

fn into_event(new: NewAnswer, question_id: i64, write: &Write, app: &App) -> Event {
    Event::AnswerCreated(AnswerCreated {
        question_id,
        body: new.body,
        answerer_name: new.name,
        answerer_email: app.sealer.seal(&new.email, ANSWER_CREATED, &write.identity.message_id),
        photos: new.photos,
    })
}
