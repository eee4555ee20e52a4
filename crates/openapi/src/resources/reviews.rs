//! `GET /reviews`, `GET /reviews/meta`, `POST /reviews`, `PUT /reviews/:review_id/helpful`, `/report`.

use contract::fields::Fields;
use contract::resources::reviews::NewReview;
use serde_json::json;
use service::page::COUNT_LIMIT;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;

use super::Resource;
use crate::operation::{self, Named, REFERS, create, linked, read};
use crate::parameter::{self, path_id, query};
use crate::schema::{
    COUNT_TEXT, Described, ID_TEXT, about, boolean, date, form, id, integer, list, map, map_by, named,
    natural, object, or_null, text, with_example,
};
use crate::{answer, body};

const TAG: &str = "reviews";

pub(super) fn resource() -> Resource {
    let about = [
        ("product_id", "The product reviewed"),
        ("rating", "Stars"),
        ("name", "The reviewer's public name"),
        ("email", "Sealed before it is stored, and shown to nobody"),
        ("photos", "Their addresses"),
        ("characteristics", "Ids of the product's own characteristics, each with its rating"),
    ];
    Resource {
        tag: TAG,
        description: "Reviews of products. A reported review is hidden for good.",
        operations: vec![
            ("GET", "/reviews", reviews()),
            ("GET", "/reviews/meta", meta()),
            ("POST", "/reviews", new_review()),
            ("PUT", "/reviews/{review_id}/helpful", helpful()),
            ("PUT", "/reviews/{review_id}/report", report()),
        ],
        schemas: vec![
            ("NewReview", body::schema(&Fields::describe(NewReview::read), about)),
            ("Reviews", page()),
            ("ReviewTotals", totals()),
            ("ReviewCreated", Schema::Object(object([("review_id", id().into())])).into()),
        ],
    }
}

fn reviews() -> Operation {
    let sort = "`newest`: the latest first. `helpful`: the most helpful first. `relevant`, and anything else: the most \
                helpful first, then the latest. The word may stand in quotes";
    let sort = query("sort", with_example(text(), "newest"), sort);
    let parameters =
        vec![parameter::named("product_id"), sort, parameter::named("page"), parameter::named("count")];
    let named_as = Named { tag: TAG, id: "listReviews", summary: "A page of a product's reviews" };
    read(named_as, parameters, ("Reviews that nobody reported", named("Reviews")), &[422]).build()
}

fn meta() -> Operation {
    let named_as = Named { tag: TAG, id: "getReviewTotals", summary: "What a product's reviews add up to" };
    let shows = ("Reported reviews do not count", named("ReviewTotals"));
    read(named_as, vec![parameter::named("product_id")], shows, &[422]).build()
}

fn new_review() -> Operation {
    let named_as = Named { tag: TAG, id: "createReview", summary: "Write a review" };
    let example = json!({
        "product_id": 1, "rating": 5, "summary": "Fits", "body": "It fits as it should", "recommend": true,
        "name": "jo", "email": "jo@shopper.example", "photos": ["https://photos.example/1.jpg"], "characteristics": {}
    });
    let created = answer::created("The review is stored", named("ReviewCreated"));
    let created = linked(created, "review_id", ["voteForReview", "reportReview"]);
    create(named_as, vec![], body::body("NewReview", example), created, &REFERS).build()
}

fn helpful() -> Operation {
    let named_as = Named { tag: TAG, id: "voteForReview", summary: "Vote for a review" };
    operation::vote(
        named_as,
        path_id("review_id", "The review"),
        "The vote is stored, also for a hidden review",
    )
}

fn report() -> Operation {
    let named_as = Named { tag: TAG, id: "reportReview", summary: "Report a review" };
    operation::vote(
        named_as,
        path_id("review_id", "The review"),
        "The review is hidden; a second report changes nothing",
    )
}

fn page() -> Described {
    let photo = object([("id", id().into()), ("url", text().into())]);
    let review = object([
        ("review_id", id().into()),
        ("rating", integer(1, Some(5)).into()),
        ("summary", text().into()),
        ("recommend", boolean().into()),
        ("response", about(or_null(text()), "The seller's, if there is one").into()),
        ("body", text().into()),
        ("date", date().into()),
        ("reviewer_name", text().into()),
        ("helpfulness", about(natural(), "Votes").into()),
        ("photos", list(photo).into()),
    ]);
    let count = integer(0, i64::try_from(COUNT_LIMIT).ok());
    Schema::Object(object([
        ("product", about(form(ID_TEXT), "The product's id as a text").into()),
        ("page", about(natural(), "Rows before the page: (page - 1) × count").into()),
        ("count", about(count, "The count that was applied: the one asked for, up to the maximum").into()),
        ("results", list(review).into()),
    ]))
    .into()
}

fn totals() -> Described {
    let count = || form(COUNT_TEXT);
    let ratings = about(
        map_by("^[1-5]$", count()),
        "How often each rating was given; those that were not are left out",
    );
    let mean = with_example(or_null(form(r"^[1-5]\.[0-9]+$")), "4.0000000000000000");
    let characteristic = object([
        ("id", id().into()),
        ("value", about(mean, "The mean of its ratings, null without any").into()),
    ]);
    Schema::Object(object([
        ("product_id", about(form(ID_TEXT), "The product's id as a text").into()),
        ("ratings", ratings.into()),
        ("recommended", object([("false", count().into()), ("true", count().into())]).into()),
        ("characteristics", about(map(characteristic), "By name").into()),
    ]))
    .into()
}
