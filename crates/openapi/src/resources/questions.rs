//! `GET /qa/questions`, `POST /qa/questions`, `PUT /qa/questions/:question_id/helpful`, `/report`.

use contract::fields::Fields;
use contract::resources::questions::NewQuestion;
use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;

use super::Resource;
use crate::operation::{self, Named, REFERS, create, linked, read};
use crate::parameter::{self, path_id};
use crate::schema::{
    Described, ID_TEXT, about, boolean, date, form, id, list, map_by, named, natural, object, text,
};
use crate::{answer, body};

const TAG: &str = "questions";

pub(super) fn resource() -> Resource {
    let about = [
        ("product_id", "The product that the question is about"),
        ("name", "The asker's public name"),
        ("email", "Sealed before it is stored, and shown to nobody"),
    ];
    Resource {
        tag: TAG,
        description: "Questions about products. A reported question is hidden for good.",
        operations: vec![
            ("GET", "/qa/questions", questions()),
            ("POST", "/qa/questions", new_question()),
            ("PUT", "/qa/questions/{question_id}/helpful", helpful()),
            ("PUT", "/qa/questions/{question_id}/report", report()),
        ],
        schemas: vec![
            ("NewQuestion", body::schema(&Fields::describe(NewQuestion::read), about)),
            ("Questions", page()),
            ("QuestionCreated", Schema::Object(object([("question_id", id().into())])).into()),
        ],
    }
}

fn questions() -> Operation {
    let named_as = Named {
        tag: TAG,
        id: "listQuestions",
        summary: "A page of a product's questions with their answers",
    };
    let parameters = ["product_id", "page", "count"].map(parameter::named).into();
    let shows = ("Questions that nobody reported, the most helpful first", named("Questions"));
    read(named_as, parameters, shows, &[422]).build()
}

fn new_question() -> Operation {
    let named_as = Named { tag: TAG, id: "createQuestion", summary: "Ask a question" };
    let example =
        json!({"product_id": 1, "body": "Does it fit?", "name": "jo", "email": "jo@shopper.example"});
    let created = answer::created("The question is stored", named("QuestionCreated"));
    let next = ["listAnswers", "createAnswer", "voteForQuestion", "reportQuestion"];
    let created = linked(created, "question_id", next);
    create(named_as, vec![], body::body("NewQuestion", example), created, &REFERS).build()
}

fn helpful() -> Operation {
    let named_as = Named { tag: TAG, id: "voteForQuestion", summary: "Vote for a question" };
    operation::vote(
        named_as,
        path_id("question_id", "The question"),
        "The vote is stored, also for a hidden question",
    )
}

fn report() -> Operation {
    let named_as = Named { tag: TAG, id: "reportQuestion", summary: "Report a question" };
    let done = "The question is hidden; a second report changes nothing";
    operation::vote(named_as, path_id("question_id", "The question"), done)
}

fn page() -> Described {
    let answer = object([
        ("id", id().into()),
        ("body", text().into()),
        ("date", date().into()),
        ("answerer_name", text().into()),
        ("helpfulness", about(natural(), "Votes").into()),
        ("photos", about_list("Addresses")),
    ]);
    let question = object([
        ("question_id", id().into()),
        ("question_body", text().into()),
        ("question_date", date().into()),
        ("asker_name", text().into()),
        ("question_helpfulness", about(natural(), "Votes").into()),
        ("reported", boolean().into()),
        ("answers", about(map_by(ID_TEXT, answer), "All answers that nobody reported, by id").into()),
    ]);
    Schema::Object(object([
        ("product_id", about(form(ID_TEXT), "The product's id as a text").into()),
        ("results", list(question).into()),
    ]))
    .into()
}

fn about_list(description: &str) -> Described {
    let mut addresses = list(text());
    addresses.description = Some(description.to_owned());
    addresses.into()
}
