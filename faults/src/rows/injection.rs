//! What means something elsewhere is text here: stored as it came, or refused; and a log line stays one line.

use std::collections::BTreeMap;

use ::tests::hostile::{INJECTIONS, percent_encoded};
use ::tests::{Answer, Shopper, answer, interaction, question};
use contract::Event;
use contract::envelope::{event_hash, subject_of};
use futures::FutureExt;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::arena::Arena;
use crate::beside::Beside;
use crate::log::Logged;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 41,
    title: "SQL, NATS protocol, lines of headers and logs, formulas, in every field, header and path",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| injections(arena).boxed_local(),
}];

/// A question of the catalogue, to be answered.
const QUESTION: i64 = 39;
/// Headers that somebody reads, or passes on, or logs.
const HEADERS: [&str; 11] = [
    "atelier-session",
    "idempotency-key",
    "atelier-min-position",
    "traceparent",
    "cookie",
    "origin",
    "prefer",
    "user-agent",
    "referer",
    "x-request-id",
    "x-forwarded-for",
];
const PATHS: [&str; 6] = [
    "/reviews?product_id=",
    "/products/",
    "/qa/questions?product_id=",
    "/reviews/meta?product_id=",
    "/",
    "/shop/",
];
/// Processes of which each line of the log is an object of its own.
const OURS: [&str; 3] = ["writer", "projector", "reader"];

async fn injections(arena: &mut Arena) -> Result<Seen, Stop> {
    let beside = Beside::start(arena).await;
    let shopper = arena.system.shopper();
    let product = arena.product().id;
    let written = std::cell::RefCell::new(BTreeMap::new());
    let waits = beside
        .unharmed(arena, async || {
            for text in INJECTIONS {
                let stored = in_texts(arena, &shopper, text).await?;
                written.borrow_mut().extend(stored.into_iter().map(|position| (position, text)));
                in_other_fields(arena, &shopper, text).await?;
                in_headers(&shopper, product, text).await?;
                in_paths(&shopper, text).await?;
            }
            Ok(())
        })
        .await?;
    beside.end(arena).await?;
    let written = written.into_inner();
    as_they_came(&arena.log().await?, &written)?;
    are_shown(arena).await?;
    let lines = each_line_is_whole(arena)?;
    let note = format!(
        "{} texts in every field, {} headers and {} paths; {} events hold them as they came; {lines} lines of logs are whole; {waits}",
        INJECTIONS.len(),
        HEADERS.len(),
        PATHS.len(),
        written.len()
    );
    arena.judge(Seen::default().note(note)).await
}

fn with(mut body: Value, fields: &[&str], text: &str) -> Value {
    fields.iter().for_each(|field| body[*field] = json!(text));
    body
}

async fn send(shopper: &Shopper, path: &str, body: &Value) -> Result<Answer, Stop> {
    let request = shopper.request(Method::POST, path).header("prefer", "respond-async").json(body);
    let answer = shopper.try_send(request).await?;
    is_clean(path, &answer)?;
    Ok(answer)
}

/// Nothing that was sent became a header of the answer, and nothing of ours broke.
fn is_clean(what: &str, answer: &Answer) -> Result<(), Stop> {
    let injected = answer.headers.iter().any(|(name, value)| {
        name.as_str().contains("injected") || String::from_utf8_lossy(value.as_bytes()).contains("stolen")
    });
    if injected || answer.status >= 500 {
        return Err(Stop::from(format!("{what} was answered {answer:?}")));
    }
    Ok(())
}

/// In every text that is stored; the positions of the events.
async fn in_texts(arena: &Arena, shopper: &Shopper, text: &str) -> Result<Vec<i64>, Stop> {
    let product = arena.product().id;
    let review = arena.review(text).body().unwrap_or_default();
    let answers = format!("/qa/questions/{QUESTION}/answers");
    let mut positions = Vec::new();
    for (path, body) in [
        ("/reviews", with(review, &["summary", "body", "name"], text)),
        ("/qa/questions", with(question(product), &["body", "name"], text)),
        (answers.as_str(), with(answer(), &["body", "name"], text)),
        ("/interactions", with(interaction(), &["element", "widget", "time"], text)),
    ] {
        let answer = send(shopper, path, &body).await?;
        if answer.status != 201 {
            return Err(Stop::from(format!("{text:?} to {path} was answered {answer:?}")));
        }
        positions.push(answer.token().position.as_i64());
    }
    Ok(positions)
}

/// An address and a photo are no texts: they are what they must be, or refused; so are ids and numbers.
async fn in_other_fields(arena: &Arena, shopper: &Shopper, text: &str) -> Result<(), Stop> {
    let review = arena.review("other fields").body().unwrap_or_default();
    for (field, value) in [
        ("email", json!(text)),
        ("photos", json!([text])),
        ("product_id", json!(text)),
        ("rating", json!(text)),
        ("recommend", json!(text)),
        ("characteristics", json!({ text: 5 })),
    ] {
        let mut body = review.clone();
        body[field] = value;
        let answer = send(shopper, "/reviews", &body).await?;
        let may_be = if ["email", "photos"].contains(&field) { &[201, 422][..] } else { &[404, 422][..] };
        if !may_be.contains(&answer.status) {
            return Err(Stop::from(format!("{text:?} as {field} was answered {answer:?}")));
        }
    }
    let cart = send(shopper, "/cart", &json!({ "sku_id": text })).await?;
    if cart.status != 422 {
        return Err(Stop::from(format!("{text:?} as a sku was answered {cart:?}")));
    }
    Ok(())
}

/// In headers it is refused, or means nothing. A text of several lines is no header: there each of its lines is one.
async fn in_headers(shopper: &Shopper, product: i64, text: &str) -> Result<(), Stop> {
    let lines = text.lines().filter(|line| !line.is_empty());
    for value in lines.filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok()) {
        for name in HEADERS {
            let read = shopper.request(Method::GET, &format!("/reviews?product_id={product}"));
            let write = shopper.request(Method::POST, "/interactions").json(&interaction());
            for request in [read, write] {
                let answer = shopper.try_send(request.header(name, value.clone())).await?;
                is_clean(name, &answer)?;
                if ![200, 201, 400, 422].contains(&answer.status) {
                    return Err(Stop::from(format!("{name}: {text:?} was answered {answer:?}")));
                }
            }
        }
    }
    Ok(())
}

async fn in_paths(shopper: &Shopper, text: &str) -> Result<(), Stop> {
    for path in PATHS {
        let target = format!("{path}{}", percent_encoded(text));
        let answer = shopper.try_send(shopper.request(Method::GET, &target)).await?;
        is_clean(path, &answer)?;
        // nginx itself refuses a path that leads out of everything; each path below the shop's is its page.
        let page = path == "/shop/" && answer.status == 200 && !answer.body.contains(text);
        if !page && ![400, 404, 422].contains(&answer.status) {
            return Err(Stop::from(format!("{path} with {text:?} was answered {answer:?}")));
        }
    }
    Ok(())
}

/// Each event has the text in all its fields, and lies on the subject of its type.
fn as_they_came(log: &[Logged], written: &BTreeMap<i64, &str>) -> Result<(), Stop> {
    let mut found = 0;
    for logged in log {
        let hash = event_hash(&subject_of(&logged.event), &logged.id, &logged.event.payload());
        if hash[..] != logged.hash {
            return Err(Stop::from(format!(
                "the event at {} is not what lies there, or not on its subject",
                logged.position
            )));
        }
        let Some(text) = written.get(&logged.position) else { continue };
        let texts: Vec<&String> = match &logged.event {
            Event::ReviewCreated(review) => vec![&review.summary, &review.body, &review.reviewer_name],
            Event::QuestionCreated(question) => vec![&question.body, &question.asker_name],
            Event::AnswerCreated(answer) => vec![&answer.body, &answer.answerer_name],
            Event::InteractionRecorded(seen) => vec![&seen.element, &seen.widget, &seen.time],
            other => return Err(Stop::from(format!("{} was not written", other.type_name()))),
        };
        if texts.iter().any(|stored| stored.as_str() != *text) {
            return Err(Stop::from(format!("{text:?} was written, and stored is {texts:?}")));
        }
        found += 1;
    }
    if found != written.len() {
        return Err(Stop::from(format!(
            "{} events were acknowledged, {found} are in the stream",
            written.len()
        )));
    }
    Ok(())
}

/// Every reader shows each text as it came: what the events say reaches the rows by the judgement of all rows.
async fn are_shown(arena: &Arena) -> Result<(), Stop> {
    arena.system.ready().await;
    let product = arena.product().id;
    for reader in arena.system.reader_urls().into_iter().map(Shopper::at) {
        let reviews = reader.reviews(&format!("product_id={product}&count=1000")).await.json();
        let questions = reader.questions(&format!("product_id={product}&count=1000")).await.json();
        let answers = reader.answers(QUESTION, "count=1000").await.json();
        for (page, fields) in [
            (&reviews, &["summary", "body", "reviewer_name"][..]),
            (&questions, &["question_body", "asker_name"][..]),
            (&answers, &["body", "answerer_name"][..]),
        ] {
            let results = page["results"].as_array().cloned().unwrap_or_default();
            for text in INJECTIONS {
                let shown = |one: &Value| fields.iter().all(|field| one[*field] == text);
                if !results.iter().any(shown) {
                    return Err(Stop::from(format!("{text:?} is not shown as it came in {fields:?}")));
                }
            }
        }
    }
    Ok(())
}

/// How many lines the logs of our processes and nginx's access log have; each is one JSON object.
fn each_line_is_whole(arena: &Arena) -> Result<usize, Stop> {
    let ours = arena
        .system
        .processes()
        .iter()
        .filter(|process| OURS.iter().any(|kind| process.name().starts_with(kind)));
    let logs = ours.map(|process| process.log().to_owned()).chain([arena.system.data().log("access")]);
    let mut lines = 0;
    for log in logs {
        let text = std::fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        for line in text.lines() {
            if !serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()) {
                return Err(Stop::from(format!("{} has a line that is no whole one: {line}", log.display())));
            }
            lines += 1;
        }
    }
    Ok(lines)
}
