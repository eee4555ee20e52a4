//! The HTTP contract, one file a resource, one test a sentence.

mod answer_list;
mod answers;
mod caching;
mod cart;
mod contract;
mod cors;
mod every_body;
mod every_route;
mod interactions;
mod product_list;
mod products;
mod question_list;
mod questions;
mod review_list;
mod review_meta;
mod review_votes;
mod reviews;

/// A read of every route that has one.
const READS: [&str; 9] = [
    "/products",
    "/products/1",
    "/products/1/styles",
    "/products/1/related",
    "/reviews?product_id=2",
    "/reviews/meta?product_id=2",
    "/qa/questions?product_id=2",
    "/qa/questions/37/answers",
    "/cart",
];

/// What explains the rest, and shows no data.
const MANUAL: [&str; 5] =
    ["/openapi.json", "/docs", "/docs/swagger-ui.css", "/docs/favicon-32x32.png", "/problems/invalid-fields"];
