//! What Postgres would refuse never gets into the stream: every write route is sent what has broken something somewhere.

use std::collections::BTreeMap;

use futures::FutureExt;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Random, SKU, Shopper, answer, interaction, question};

use crate::arena::Arena;
use crate::row::{Row, Seen, Setup, Stop};

pub(crate) const ROWS: [Row; 1] = [Row {
    number: 24,
    title: "writes that Postgres could not store: NUL, lone surrogates, numbers of any size",
    quick: false,
    setup: Setup::USUAL,
    run: |arena| refused(arena).boxed_local(),
}];

/// Values as they stand in a body.
const VALUES: &[&str] = &[
    r#""a\u0000b""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\udfff\ud800""#,
    r#""\ud83d\udc55""#,
    r#""\uffff\ufffe\ufdd0""#,
    r#""\u202e\u2066\u0007\u001b[31m""#,
    r#""{NULL}\\.\\N""#,
    r#""""#,
    r#""https://x.example/\u0000""#,
    "9007199254740993",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890123456789012345678901234567890",
    "1e400",
    "-1e400",
    "1e-400",
    "1e308",
    "1E+99999999999999999999",
    "0.1",
    "-0",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    r#"["\u0000"]"#,
    r#"["https://x.example/a\u0000.jpg"]"#,
    r#"{"\u0000":1}"#,
    r#"{"99999999999999999999":5}"#,
    r#"{"1":1e400}"#,
    "[[[[[[[[]]]]]]]]",
];
/// Ids as they stand in a path.
const IDS: &[&str] = &[
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "1e400",
    "%00",
    "%ED%A0%80",
    "NaN",
    "5.0",
    "٣",
];
/// Sent at a time.
const AT_ONCE: usize = 16;

async fn refused(arena: &mut Arena) -> Result<Seen, Stop> {
    let shopper = arena.system.shopper();
    let bodies = bodies(arena);
    let mut requests: Vec<(Method, String, Vec<u8>)> = Vec::new();
    for (path, body) in &bodies {
        for field in body.as_object().into_iter().flat_map(|object| object.keys()) {
            for value in VALUES {
                requests.push((Method::POST, (*path).to_owned(), with(body, field, value).into_bytes()));
            }
        }
        for _ in 0..arena.rounds(100, 1_000) {
            let spoiled = spoiled(&mut arena.random, body);
            requests.push((Method::POST, (*path).to_owned(), spoiled));
        }
    }
    for id in IDS {
        for of in
            ["/reviews/ID/helpful", "/reviews/ID/report", "/qa/questions/ID/helpful", "/qa/answers/ID/report"]
        {
            requests.push((Method::PUT, of.replace("ID", id), Vec::new()));
        }
        requests.push((
            Method::POST,
            format!("/qa/questions/{id}/answers"),
            answer().to_string().into_bytes(),
        ));
    }
    let mut told: BTreeMap<u16, usize> = BTreeMap::new();
    for group in requests.chunks(AT_ONCE) {
        for (answer, (method, path, body)) in
            join_all(group.iter().map(|request| send(&shopper, request))).await
        {
            let body = String::from_utf8_lossy(body).chars().take(300).collect::<String>();
            let answer = answer.map_err(|error| Stop::from(format!("{method} {path} {body}: {error}")))?;
            if answer.status >= 500 || answer.status < 200 {
                return Err(Stop::from(format!("{method} {path} {body} was answered {answer:?}")));
            }
            *told.entry(answer.status).or_default() += 1;
        }
    }
    if !told.contains_key(&201) || !told.contains_key(&400) || !told.contains_key(&422) {
        return Err(Stop::from(format!("not everything was tried: {told:?}")));
    }
    let told: Vec<String> = told.iter().map(|(status, count)| format!("{count} times {status}")).collect();
    let note = format!("{} requests: {}; everything accepted is applied", requests.len(), told.join(", "));
    arena.judge(Seen::default().note(note)).await
}

/// Every route that takes a body, with one that it accepts.
fn bodies(arena: &Arena) -> Vec<(&'static str, Value)> {
    let product = arena.product().id;
    vec![
        ("/reviews", arena.review("corpus").body().unwrap_or_default()),
        ("/qa/questions", question(product)),
        ("/qa/questions/39/answers", answer_with_photos()),
        ("/cart", json!({ "sku_id": SKU, "count": 2 })),
        ("/interactions", interaction()),
    ]
}

fn answer_with_photos() -> Value {
    let mut answer = answer();
    answer["photos"] = json!(["https://img.example/a.jpg"]);
    answer
}

/// A body with one field's value replaced by a text that may be no JSON.
fn with(body: &Value, field: &str, value: &str) -> String {
    const PLACE: &str = "THE-PLACE";
    let mut body = body.clone();
    body[field] = Value::from(PLACE);
    body.to_string().replace(&format!("\"{PLACE}\""), value)
}

/// A body with some bytes changed, put in, or taken out.
fn spoiled(random: &mut Random, body: &Value) -> Vec<u8> {
    let mut bytes = body.to_string().into_bytes();
    for _ in 0..=random.below(3) {
        let place = random.below(bytes.len());
        let byte = *random.pick(b"\0\x01\x7f\x80\xff\xed\xa0\"\\{}[],:0-9eE.+u");
        match random.below(3) {
            0 => bytes[place] = byte,
            1 => bytes.insert(place, byte),
            _ => {
                bytes.remove(place);
            }
        }
    }
    bytes
}

async fn send<'a>(
    shopper: &Shopper,
    request: &'a (Method, String, Vec<u8>),
) -> (Result<Answer, String>, &'a (Method, String, Vec<u8>)) {
    let (method, path, body) = request;
    let sent = shopper.request(method.clone(), path).header("prefer", "respond-async").body(body.clone());
    (shopper.try_send(sent).await, request)
}
