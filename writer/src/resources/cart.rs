//! `POST /cart`: into the cart of the session that the request carries, else of one that its answer gives.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::post;
use contract::Event;
use contract::headers::IDEMPOTENCY_KEY;
use contract::resources::cart::{CartAdded, NewCartLine};
use service::extract::json;
use service::problem::Problem;
use service::session;

use crate::app::App;
use crate::references::Kind;
use crate::write::Write;
use crate::{answer, idempotency};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/cart", post(add))
}

/// Whose cart a request adds to.
#[derive(Debug)]
struct Cart {
    /// The session's name in events and tables.
    session: String,
    /// Gives the session to a shopper who had none. None to a stranger's page: its requests carry no cookie, and a new
    /// one would take the place of the cookie, and with it the cart, that its visitor has.
    cookie: Option<HeaderValue>,
}

async fn add(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let cart = Cart::of(&app, request.headers())?;
    let write = Write::extract(&app, request).await?;
    let line = NewCartLine::parse(&json(&write.body)?).map_err(Problem::fields)?;
    app.references.exists(Kind::Sku, line.sku_id).await?;
    let done = app.submit(&write, &into_event(line, cart.session)).await?;
    let mut answer = answer::recorded(&write, &done);
    if let Some(cookie) = cart.cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

impl Cart {
    /// # Errors
    /// 422 for an `Idempotency-Key` without a session: a retry of whoever keeps no cookie would carry none again, and
    /// every shopper's key would count in one and the same scope.
    fn of(app: &App, headers: &HeaderMap) -> Result<Cart, Problem> {
        if let Some(carried) = session::of_cart(headers) {
            return Ok(Cart { session: app.hashing.session(carried), cookie: None });
        }
        if headers.contains_key(IDEMPOTENCY_KEY) {
            return Err(Problem::header(
                "Idempotency-Key",
                "counts within a session here, and the request carries none: send Atelier-Session too",
            ));
        }
        let minted = idempotency::mint_session(&app.hashing, headers);
        let cookie =
            (!app.origins.is_stranger(headers)).then(|| session::set_cookie(&minted, headers, &app.origins));
        Ok(Cart { session: app.hashing.session(&minted), cookie })
    }
}

fn into_event(line: NewCartLine, session: String) -> Event {
    Event::CartAdded(CartAdded { session, sku_id: line.sku_id, count: line.count })
}
