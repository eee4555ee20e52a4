//! What a shopper sends in private is seen nowhere: an address and a token are planted wherever one can be sent, and
//! looked for wherever something can be seen.

use std::fs;

use contract::Position;
use contract::headers::REQUEST_ID;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    Answer, SKU, Shopper, answer, catalogue, eventually, question, review, shared, stream_access, tables,
    within,
};

use super::privacy::files;

/// Every planted text has it, and nothing else that the tests send.
const CANARY: &str = "canary-";
/// An address that only occurs in the catalogue's files.
const IMPORTED: &str = "first.last";

/// What was seen, and where.
#[derive(Default)]
struct Seen {
    places: Vec<String>,
}

impl Seen {
    fn look(&mut self, place: &str, bytes: &[u8]) {
        for planted in [CANARY, IMPORTED] {
            if let Some(start) = bytes.windows(planted.len()).position(|part| part == planted.as_bytes()) {
                let around = &bytes[start.saturating_sub(80)..bytes.len().min(start + 80)];
                self.places.push(format!("{place}: …{}…", String::from_utf8_lossy(around)));
            }
        }
    }

    fn look_at(&mut self, what: &str, answer: &Answer) {
        self.look(&format!("the answer to {what}, {}", answer.status), answer.body.as_bytes());
        self.look(
            &format!("the headers of the answer to {what}"),
            format!("{:?}", answer.headers).as_bytes(),
        );
    }
}

fn address(place: &str) -> String {
    format!("{CANARY}{place}@secret.example")
}

fn token(place: &str) -> String {
    format!("{CANARY}{place}-token")
}

/// A body with an address in the field that takes one.
fn with_address(mut body: Value) -> Value {
    body["email"] = json!(address("field"));
    body
}

/// The same request with something planted in every header.
fn planted(request: RequestBuilder) -> RequestBuilder {
    let request = request
        .header("cookie", format!("atelier_session={}; other={}", token("cookie"), address("cookie")))
        .header("atelier-session", token("session"))
        .header("authorization", format!("Bearer {}", token("authorization")));
    ["user-agent", "referer", "from", "forwarded", "x-forwarded-for", "traceparent", "tracestate", "baggage"]
        .into_iter()
        .fold(request, |request, header| request.header(header, address(header)))
}

/// Every kind of request, accepted and refused, of a shopper with something to hide.
fn requests(shopper: &Shopper, product: i64) -> Vec<(String, RequestBuilder)> {
    let post = |path: &str, body: Value| {
        (format!("POST {path} {body:.60}"), shopper.request(Method::POST, path).body(body.to_string()))
    };
    let raw = |path: &str, body: String| {
        (format!("POST {path} {body:.60}"), shopper.request(Method::POST, path).body(body))
    };
    let get = |path: String| (format!("GET {path}"), shopper.request(Method::GET, &path));
    let put = |path: &str| {
        let body = json!({"email": address("put")}).to_string();
        (format!("PUT {path}"), shopper.request(Method::PUT, path).body(body))
    };
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    let mut all = vec![
        put("/reviews/9/helpful"),
        put("/qa/questions/39/report"),
        put("/qa/answers/57/helpful"),
        put("/qa/answers/999999999/helpful"),
        post("/cart", json!({"sku_id": SKU, "email": address("unknown-field")})),
        post("/cart", json!({"sku_id": 99_999, "email": address("unknown-field")})),
        post("/interactions", json!({"email": address("unknown-field")})),
        get("/cart".into()),
        get("/products".into()),
        get(format!("/products/{product}/related")),
        get("/reviews?product_id=2&count=10000".into()),
        get(format!("/reviews?product_id={product}")),
        get(format!("/reviews/meta?product_id={product}")),
        get("/qa/questions?product_id=2&count=10000".into()),
        get("/qa/questions/37/answers?count=10000".into()),
        get(format!("/reviews?product_id=2&email={}", address("query"))),
        get(format!("/reviews?product_id={}", address("query"))),
        get(format!("/products?count={}", address("query"))),
        get(format!("/products/{}", address("path"))),
        get(format!("/qa/questions/{}/answers?email={}", address("path"), address("query"))),
        get(format!("/{}", address("path"))),
        get(format!("/cart/{}?{}", token("path"), token("query"))),
        put(&format!("/reviews/{}/helpful", address("path"))),
    ];
    for (path, body) in [
        ("/reviews".to_owned(), review(product)),
        ("/qa/questions".into(), question(product)),
        ("/qa/questions/39/answers".into(), answer()),
    ] {
        let body = with_address(body);
        all.extend([
            post(&path, body.clone()),
            post(&path, with(body.clone(), "name", json!(""))),
            post(&path, with(body.clone(), "email", json!(format!("{}\0", address("field"))))),
            post(
                &path,
                with(body.clone(), "email", json!(format!("{}{}", address("field"), "x".repeat(300)))),
            ),
            post(&path, with(body.clone(), "email", json!([address("field")]))),
            post(&path, with(body.clone(), "photos", json!([address("photo")]))),
            post(&path, with(body.clone(), "characteristics", json!({"14": address("value")}))),
            post(&path, with(body.clone(), "product_id", json!(99_999))),
            post(&path, with(body.clone(), "unknown", json!(address("unknown-field").repeat(10_000)))),
            raw(&path, format!("{{\"email\": \"{}\"", address("cut"))),
            raw(&path, format!("{{\"email\": {}}}", address("unquoted"))),
            raw(&path, format!("\"{}\"", address("no-object"))),
            raw(&format!("{path}?email={}", address("query")), body.to_string()),
        ]);
        let keyed = shopper.request(Method::POST, &path).header("idempotency-key", token("key"));
        all.push((format!("POST {path} with a key"), keyed.body(body.to_string())));
        let other = with(body.clone(), "name", json!("another"));
        let again = shopper.request(Method::POST, &path).header("idempotency-key", token("key"));
        all.push((format!("POST {path} with a key again"), again.body(other.to_string())));
        let blank =
            shopper.request(Method::POST, &path).header("idempotency-key", format!("{} x", token("key")));
        all.push((format!("POST {path} with a malformed key"), blank.body(body.to_string())));
    }
    all.into_iter().map(|(what, request)| (what, planted(request))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_address_or_token_is_in_no_answer_log_metric_row_or_message_of_the_stream() {
    let system = shared().await;
    let mut seen = Seen::default();
    let product = catalogue::spare_product().id;
    let mut accepted = 0;
    for url in [system.url(), system.writer_url(), system.reader_urls()[0].clone()] {
        let shopper = Shopper::at(&url);
        let reads_alone = system.reader_urls().contains(&url);
        for (what, request) in requests(&shopper, product) {
            if reads_alone && !what.starts_with("GET") {
                continue;
            }
            // A service alone closes the connection on a body that it refuses, perhaps before its answer is read.
            let Ok(answer) = shopper.try_send(request).await else {
                assert!(what.starts_with("POST") && url != system.url(), "{what}");
                continue;
            };
            accepted += usize::from([201, 204].contains(&answer.status));
            assert!(answer.status < 500, "{what}: {answer:?}");
            seen.look_at(&what, &answer);
        }
    }
    assert!(accepted > 20, "{accepted} writes were accepted");
    // Sessions by each carrier alone, and what no server can parse.
    let shopper = system.shopper();
    for (name, value) in [
        ("cookie", format!("atelier_session={}", token("cookie"))),
        ("atelier-session", token("session")),
        ("authorization", token("authorization")),
    ] {
        let add = shopper.request(Method::POST, "/cart").header(name, &value).json(&json!({"sku_id": SKU}));
        seen.look_at(name, &shopper.send(add).await.expect(201));
        let cart = shopper.send(shopper.request(Method::GET, "/cart").header(name, &value)).await.expect(200);
        assert_ne!(cart.body, "[]", "{name} names a cart");
        seen.look_at(name, &cart);
    }
    seen.look_at("an imported cart", &shopper.cart(catalogue::SESSION).await.expect(200));
    let unparsable =
        format!("GET /reviews?<{}> HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", address("query"));
    seen.look(
        "the answer to what nobody can parse",
        shopper.send_bytes(unparsable.as_bytes()).await.as_bytes(),
    );
    // A session that we made is as secret: only its own cookie has it.
    let added = shopper.post("/cart", &json!({"sku_id": SKU})).await.expect(201);
    let made = added.new_session().unwrap();

    for process in system.processes() {
        if let local::Ready::Http { address, path } = &process.spec().ready
            && path == "/readyz"
        {
            let metrics = Shopper::at(format!("http://{address}")).get("/metrics").await.expect(200);
            assert!(metrics.body.contains("# TYPE"), "{metrics:?}");
            seen.look(&format!("the metrics of {}", process.name()), metrics.body.as_bytes());
        }
    }
    let link = stream_access::link(&system).await;
    for position in Position::FIRST.0..=link.head().await.unwrap().0 {
        let stored = link.read(Position(position)).await.unwrap();
        let place = format!("message {position}");
        seen.look(&place, format!("{stored:?}").as_bytes());
        seen.look(&place, &stored.payload);
        assert!(!contains(&stored.payload, &made), "message {position} has a session");
    }
    for replica in system.replicas() {
        for (table, rows) in tables::read(&system, replica).await.unwrap().rows {
            let rows = rows.join("\n");
            seen.look(&format!("table {table} of replica {replica}"), rows.as_bytes());
            assert!(!contains(rows.as_bytes(), &made), "table {table} has a session");
        }
    }
    // nginx writes its log a moment later; all of the requests above stand before this one.
    let last = "the-last-request-of-the-canary";
    let _asked = shopper.send(shopper.request(Method::GET, "/products").header(REQUEST_ID, last)).await;
    eventually("nginx has logged the requests", within(30), async || {
        let log = fs::read(system.data().log("access")).map_err(|error| error.to_string())?;
        if contains(&log, last) { Ok(()) } else { Err(format!("{} bytes", log.len())) }
    })
    .await;
    for folder in [system.data().logs(), system.data().nats(), system.data().nginx()] {
        let files = files(&folder);
        assert!(!files.is_empty());
        for file in files {
            // A file that was just replaced is none.
            let bytes = fs::read(&file).unwrap_or_default();
            seen.look(&file.display().to_string(), &bytes);
            assert!(!contains(&bytes, &made), "{} has a session", file.display());
        }
    }
    let source = system.data().root().join("catalogue");
    for (file, planted) in
        [("reviews.csv", catalogue::CANARY), ("answers.csv", IMPORTED), ("cart.csv", catalogue::SESSION)]
    {
        let bytes = fs::read(source.join(file)).unwrap();
        assert!(contains(&bytes, planted), "this test sees {planted} where it is");
    }
    assert!(seen.places.is_empty(), "{} places:\n{}", seen.places.len(), seen.places.join("\n"));
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}
