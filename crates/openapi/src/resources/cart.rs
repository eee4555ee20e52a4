//! `GET /cart`, `POST /cart`: the cart of the caller's session.

use contract::fields::Fields;
use contract::resources::cart::NewCartLine;
use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::SecurityRequirement;

use super::Resource;
use crate::operation::{Named, REFERS, create, read};
use crate::schema::{Described, about, form, id, list, named, object, with_example};
use crate::{CART_AUTHORIZATION, CART_COOKIE, CART_HEADER, answer, body};

const TAG: &str = "cart";

pub(super) fn resource() -> Resource {
    let about = [("sku_id", "What is put into the cart"), ("count", "How many; 1 unless said otherwise")];
    Resource {
        tag: TAG,
        description: "Carts. A cart belongs to a session: the cookie's, else the header's, else whatever \
                      `Authorization` holds.",
        operations: vec![("GET", "/cart", cart()), ("POST", "/cart", add())],
        schemas: vec![
            ("NewCartLine", body::schema(&Fields::describe(NewCartLine::read), about)),
            ("Cart", lines()),
        ],
    }
}

fn cart() -> Operation {
    let named_as = Named { tag: TAG, id: "getCart", summary: "The cart of the caller's session" };
    let shows =
        ("Its lines, one a sku, in the order in which they came; none without a session", named("Cart"));
    read(named_as, vec![], shows, &[]).securities(Some(sessions())).build()
}

fn add() -> Operation {
    let named_as = Named { tag: TAG, id: "addToCart", summary: "Put something into the cart" };
    let created = answer::recorded("It is in the cart; counts of the same sku add up");
    create(named_as, vec![], body::body("NewCartLine", json!({"sku_id": 1, "count": 2})), created, &REFERS)
        .description(Some(
            "Without any session a new one begins, and the answer sets its cookie. With an `Idempotency-Key` and no \
             session at all it is 422: send `Atelier-Session`.",
        ))
        .securities(Some(sessions()))
        .build()
}

/// One of three, or none.
fn sessions() -> [SecurityRequirement; 4] {
    let named = |name| SecurityRequirement::new::<&str, [&str; 0], &str>(name, []);
    [named(CART_COOKIE), named(CART_HEADER), named(CART_AUTHORIZATION), SecurityRequirement::default()]
}

fn lines() -> Described {
    let count = with_example(form("^[1-9][0-9]*$"), "1");
    let line = object([("sku_id", id().into()), ("count", about(count, "The count as a text").into())]);
    Schema::Array(list(line)).into()
}
