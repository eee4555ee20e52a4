//! `POST /qa/questions`, `PUT /qa/questions/{question_id}/helpful`, `PUT /qa/questions/{question_id}/report`

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{post, put};
use contract::Event;
use contract::event::types::QUESTION_CREATED;
use contract::resources::questions::{NewQuestion, QuestionCreated, QuestionHelpful, QuestionReported};
use service::extract::{PathId, json};
use service::problem::Problem;

use crate::answer;
use crate::app::App;
use crate::references::Kind;
use crate::write::Write;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/qa/questions", post(create))
        .route("/qa/questions/{question_id}/helpful", put(helpful))
        .route("/qa/questions/{question_id}/report", put(report))
}

async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let write = Write::extract(&app, request).await?;
    let question = NewQuestion::parse(&json(&write.body)?).map_err(Problem::fields)?;
    app.references.exists(Kind::Product, question.product_id).await?;
    let done = app.submit(&write, &into_event(question, &write, &app)).await?;
    Ok(answer::created("question_id", &write, &done))
}

async fn helpful(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let question_id = id.of("question")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Question, question_id).await?;
    let done = app.submit(&write, &Event::QuestionHelpful(QuestionHelpful { question_id })).await?;
    Ok(answer::no_content(&write, &done))
}

async fn report(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let question_id = id.of("question")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Question, question_id).await?;
    let done = app.submit(&write, &Event::QuestionReported(QuestionReported { question_id })).await?;
    Ok(answer::no_content(&write, &done))
}

fn into_event(question: NewQuestion, write: &Write, app: &App) -> Event {
    Event::QuestionCreated(QuestionCreated {
        product_id: question.product_id,
        body: question.body,
        asker_name: question.name,
        asker_email: app.sealer.seal(&question.email, QUESTION_CREATED, &write.identity.message_id),
    })
}
