//! `GET /qa/questions/:question_id/answers`, `POST` there, `PUT /qa/answers/:answer_id/helpful`, `/report`.

use contract::fields::Fields;
use contract::resources::answers::NewAnswer;
use serde_json::json;
use service::page::COUNT_LIMIT;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;

use super::Resource;
use crate::operation::{self, Named, REFERS, create, linked, read};
use crate::parameter::{self, path_id};
use crate::schema::{Described, ID_TEXT, about, date, form, id, integer, list, named, natural, object, text};
use crate::{answer, body};

const TAG: &str = "answers";

pub(super) fn resource() -> Resource {
    let about = [
        ("name", "The answerer's public name"),
        ("email", "Sealed before it is stored, and shown to nobody"),
        ("photos", "Their addresses"),
    ];
    Resource {
        tag: TAG,
        description: "Answers to questions. A reported answer is hidden for good.",
        operations: vec![
            ("GET", "/qa/questions/{question_id}/answers", answers()),
            ("POST", "/qa/questions/{question_id}/answers", new_answer()),
            ("PUT", "/qa/answers/{answer_id}/helpful", helpful()),
            ("PUT", "/qa/answers/{answer_id}/report", report()),
        ],
        schemas: vec![
            ("NewAnswer", body::schema(&Fields::describe(NewAnswer::read), about)),
            ("Answers", page()),
            ("AnswerCreated", Schema::Object(object([("answer_id", id().into())])).into()),
        ],
    }
}

fn answers() -> Operation {
    let named_as = Named { tag: TAG, id: "listAnswers", summary: "A page of a question's answers" };
    let parameters = vec![
        path_id("question_id", "The question. An unknown one has empty results"),
        parameter::named("page"),
        parameter::named("count"),
    ];
    let shows = ("Answers that nobody reported, the most helpful first", named("Answers"));
    read(named_as, parameters, shows, &[404, 422]).build()
}

fn new_answer() -> Operation {
    let named_as = Named { tag: TAG, id: "createAnswer", summary: "Answer a question, hidden or not" };
    let example = json!({
        "body": "Yes, it does", "name": "jo", "email": "jo@shopper.example", "photos": ["https://photos.example/1.jpg"]
    });
    let created = answer::created("The answer is stored", named("AnswerCreated"));
    let created = linked(created, "answer_id", ["voteForAnswer", "reportAnswer"]);
    create(
        named_as,
        vec![path_id("question_id", "The question")],
        body::body("NewAnswer", example),
        created,
        &REFERS,
    )
    .build()
}

fn helpful() -> Operation {
    let named_as = Named { tag: TAG, id: "voteForAnswer", summary: "Vote for an answer" };
    operation::vote(
        named_as,
        path_id("answer_id", "The answer"),
        "The vote is stored, also for a hidden answer",
    )
}

fn report() -> Operation {
    let named_as = Named { tag: TAG, id: "reportAnswer", summary: "Report an answer" };
    operation::vote(
        named_as,
        path_id("answer_id", "The answer"),
        "The answer is hidden; a second report changes nothing",
    )
}

fn page() -> Described {
    let photo = object([("id", id().into()), ("url", text().into())]);
    let answer = object([
        ("answer_id", id().into()),
        ("body", text().into()),
        ("date", date().into()),
        ("answerer_name", text().into()),
        ("helpfulness", about(natural(), "Votes").into()),
        ("photos", list(photo).into()),
    ]);
    let count = integer(0, i64::try_from(COUNT_LIMIT).ok());
    Schema::Object(object([
        ("question", about(form(ID_TEXT), "The question's id as a text").into()),
        ("page", about(integer(1, None), "The page that was asked for").into()),
        ("count", about(count, "The count that was applied: the one asked for, up to the maximum").into()),
        ("results", list(answer).into()),
    ]))
    .into()
}
