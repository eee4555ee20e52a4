//! The HTTP contract, one file a resource, one test a sentence.

mod every_route;
mod product_list;
mod products;
mod review_list;
mod review_meta;
mod review_votes;
mod reviews;
