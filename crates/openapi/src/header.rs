//! Headers of answers.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::Object;
use utoipa::openapi::{Ref, RefOr};

use crate::schema::{about, form, integer, text, with_example};

/// `<epoch>-<position>`; positions stay below 2^49, which has 15 digits.
pub(crate) const TOKEN: &str = "^[a-z2-7]{12}-[0-9]{1,14}$";

/// All headers, by the names that [`named`] refers to.
pub(crate) fn all() -> Vec<(&'static str, Header)> {
    let token = || with_example(form(TOKEN), "q5zkd2jx7b3m-1000000042");
    let always = [
        ("Written-Position", about(token(), "`<epoch>-<position>` of the event that the write made")),
        ("Served-Position", about(token(), "`<epoch>-<position>` of the data that the answer shows")),
        (
            "Atelier-Applied",
            about(
                form("^(?:true|false)$"),
                "Whether every live replica had applied the event when this was sent",
            ),
        ),
        (
            "Atelier-Staleness-Ms",
            about(
                integer(0, None),
                "How old the data may be: milliseconds since the replica was last known to be at the stream's head",
            ),
        ),
        (
            "X-Request-Id",
            about(form("^[!-~]{1,128}$"), "The request's own, or a new one; it stands in every log line"),
        ),
        ("ETag", about(form(r#"^(?:W/)?"[!#-~]+"$"#), "Changes when what the answer shows does")),
        ("Cache-Control", about(text(), "Who may keep the answer, and that it must be asked for again")),
        ("Retry-After", about(integer(1, None), "Seconds after which to try again")),
        ("Allow", about(text(), "The methods that the path allows")),
        ("Access-Control-Allow-Origin", about(text(), "`*`, or the request's origin where it is listed")),
        ("Access-Control-Expose-Headers", about(text(), "The headers that a page's script may read")),
    ];
    let sometimes = [
        (
            "Preference-Applied",
            about(form("^respond-async$"), "There when the request asked for it by `Prefer`"),
        ),
        (
            "Atelier-Stale",
            about(
                form("^true$"),
                "There when the data is older than was demanded, or the demand is of another epoch",
            ),
        ),
        (
            "Set-Cookie",
            about(
                text(),
                "`atelier_position`, so that this browser's reads show the write; on `POST /cart` also \
                 `atelier_session`, when the request carried no session: it names the cart from now on",
            ),
        ),
    ];
    let always = always.into_iter().map(|(name, schema)| (name, header(schema, true)));
    always.chain(sometimes.into_iter().map(|(name, schema)| (name, header(schema, false)))).collect()
}

/// A header of the components.
pub(crate) fn named(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn header(mut schema: Object, required: bool) -> Header {
    let description = schema.description.take();
    let mut header = HeaderBuilder::new().schema(Some(schema)).description(description).build();
    if required {
        // A field of OpenAPI's that the builder does not know.
        header.extensions = Some(Extensions::from_iter([("required", true)]));
    }
    header
}
