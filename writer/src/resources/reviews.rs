//! `POST /reviews`, `PUT /reviews/{review_id}/helpful`, `PUT /reviews/{review_id}/report`

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{post, put};
use contract::Event;
use contract::event::types::REVIEW_CREATED;
use contract::resources::reviews::{NewReview, ReviewCreated, ReviewHelpful, ReviewReported};
use service::extract::{PathId, json};
use service::problem::Problem;

use crate::answer;
use crate::app::App;
use crate::references::Kind;
use crate::write::Write;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/reviews", post(create))
        .route("/reviews/{review_id}/helpful", put(helpful))
        .route("/reviews/{review_id}/report", put(report))
}

async fn create(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let write = Write::extract(&app, request).await?;
    let review = NewReview::parse(&json(&write.body)?).map_err(Problem::fields)?;
    app.references.new_review(&review).await?;
    let done = app.submit(&write, &into_event(review, &write, &app)).await?;
    Ok(answer::created("review_id", &write, &done))
}

async fn helpful(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let review_id = id.of("review")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Review, review_id).await?;
    let done = app.submit(&write, &Event::ReviewHelpful(ReviewHelpful { review_id })).await?;
    Ok(answer::no_content(&write, &done))
}

async fn report(State(app): State<Arc<App>>, id: PathId, request: Request) -> Result<Response, Problem> {
    let review_id = id.of("review")?;
    let write = Write::extract(&app, request).await?;
    app.references.exists(Kind::Review, review_id).await?;
    let done = app.submit(&write, &Event::ReviewReported(ReviewReported { review_id })).await?;
    Ok(answer::no_content(&write, &done))
}

fn into_event(review: NewReview, write: &Write, app: &App) -> Event {
    Event::ReviewCreated(ReviewCreated {
        product_id: review.product_id,
        rating: review.rating,
        summary: review.summary,
        body: review.body,
        recommend: review.recommend,
        reviewer_name: review.name,
        reviewer_email: app.sealer.seal(&review.email, REVIEW_CREATED, &write.identity.message_id),
        photos: review.photos,
        characteristics: review.characteristics,
    })
}
