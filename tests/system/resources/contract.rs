//! The OpenAPI document against real answers: every route with every status that it names, provoked on real servers.

mod document;

use futures::future::join_all;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tests::{
    Answer, SKU, Shopper, answer, catalogue, eventually, interaction, question, review, shared,
    with_catalogue, within,
};

use document::Document;

/// The copy for those who read the repository.
const COPY: &str = include_str!("../../../docs/openapi.json");
/// An id of nothing, imported or written.
const NOBODY: i64 = 999_999_999;

/// A request that succeeds.
struct Right {
    target: String,
    body: Option<Value>,
}

impl Right {
    fn of(method: &str, path: &str, product: i64) -> Right {
        // Writes go to what is hidden already: other tests know how the rest looks.
        let (review_id, question_id, answer_id) =
            if method == "GET" { ("5", "37", "8") } else { ("9", "39", "57") };
        let target = path
            .replace("{product_id}", "1")
            .replace("{review_id}", review_id)
            .replace("{question_id}", question_id)
            .replace("{answer_id}", answer_id)
            .replace("{asset}", "swagger-ui.css")
            .replace("{problem}", "invalid-fields");
        let target = match (method, path) {
            ("GET", "/reviews" | "/reviews/meta" | "/qa/questions") => format!("{target}?product_id=2"),
            _ => target,
        };
        let body = match (method, path) {
            ("POST", "/reviews") => Some(review(product)),
            ("POST", "/qa/questions") => Some(question(product)),
            ("POST", "/qa/questions/{question_id}/answers") => Some(answer()),
            ("POST", "/cart") => Some(json!({"sku_id": SKU, "count": "2"})),
            ("POST", "/interactions") => Some(interaction()),
            _ => None,
        };
        Right { target, body }
    }

    async fn send(&self, shopper: &Shopper, method: &str) -> Answer {
        let request = shopper.request(method.parse().unwrap(), &self.target);
        shopper
            .send(match &self.body {
                Some(body) => request.json(body),
                None => request,
            })
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_that_is_served_is_the_copy_in_docs() {
    let shopper = shared().await.shopper();
    for path in ["/openapi.json", "/api/openapi.json", "/openapi.json/"] {
        let served = shopper.get(path).await.expect(200);
        assert!(served.body == COPY, "{path} is not docs/openapi.json; write that with cargo xtask openapi");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_at_docs_finds_all_that_it_is_made_of_here() {
    let shopper = shared().await.shopper();
    for base in ["", "/api"] {
        let page = shopper.get(&format!("{base}/docs")).await.expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        for (name, kind) in [
            ("swagger-ui.css", "text/css"),
            ("swagger-ui-bundle.js", "text/javascript"),
            ("favicon-32x32.png", "image/png"),
        ] {
            assert!(page.body.contains(name), "{name}");
            let request = shopper.request(Method::GET, &format!("{base}/docs/{name}"));
            let asset = shopper.send(request).await.expect(200);
            assert_eq!(asset.header("content-type"), Some(kind));
            let tag = asset.header("etag").expect("a tag").to_owned();
            let again =
                shopper.request(Method::GET, &format!("{base}/docs/{name}")).header("if-none-match", tag);
            assert_eq!(shopper.send(again).await.expect(304).body, "");
        }
    }
}

/// Statuses that no request can provoke in an orderly system: a defect of ours, and an event that was accepted and then
/// rejected on record although its references were checked.
fn cannot_be_provoked(_: &str, _: &str, status: u16) -> bool {
    matches!(status, 500 | 409)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_with_every_status_as_the_contract_says() {
    let product = catalogue::spare_product().id;
    let system = shared().await;
    let shopper = system.shopper();
    let mut document = Document::of(&shopper.get("/openapi.json").await.expect(200));
    let operations = document.operations();
    for (method, path, statuses) in &operations {
        for status in statuses.iter().copied().filter(|status| !matches!(status, 409 | 500 | 502..=504)) {
            let answer = provoke(&shopper, method, path, status, product).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            document.hold(method, path, &answer);
        }
        if method == "POST" {
            let right = Right::of(method, path, product);
            let request = shopper.request(Method::POST, &right.target).header("prefer", "respond-async");
            let answer = shopper.send(request.json(&right.body)).await.expect(201);
            assert_eq!(answer.header("preference-applied"), Some("respond-async"));
            document.hold(method, path, &answer);
        }
    }
    for answer in various(&shopper).await {
        let (method, path, answer) = answer;
        document.hold(method, path, &answer);
    }
    for (asked, answer) in [
        ("DELETE /products", shopper.send(shopper.request(Method::DELETE, "/products")).await),
        ("PATCH /reviews", shopper.send(shopper.request(Method::PATCH, "/reviews")).await),
        ("GET /interactions", shopper.get("/interactions").await),
        ("POST /docs", shopper.post("/docs", &json!({})).await),
    ] {
        document.hold_as("MethodNotAllowed", asked, &answer.expect(405));
    }
    document.hold_as("NoRoute", "GET /nothing", &shopper.get("/nothing").await.expect(404));

    broken(&mut document, &operations).await;
    let faults = document.faults(cannot_be_provoked);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Sends what an operation must answer with this status.
async fn provoke(shopper: &Shopper, method: &str, path: &str, status: u16, product: i64) -> Answer {
    let right = Right::of(method, path, product);
    let request = |target: &str| shopper.request(method.parse().unwrap(), target);
    match status {
        200 | 201 | 204 => right.send(shopper, method).await,
        304 => shopper.send(request(&right.target).header("if-none-match", "*")).await,
        400 => raw(shopper, &format!("{method} {}?<", right.target), "HTTP/1.1", "").await,
        404 if path.contains('{') => {
            let start = path.split('{').next().unwrap();
            let rest = path.split('}').nth(1).unwrap();
            shopper.send(request(&format!("{start}hello!{rest}"))).await
        }
        404 => {
            let mut body = right.body.expect("what refers to something has a body");
            for name in ["product_id", "sku_id"] {
                if body.get(name).is_some() {
                    body[name] = json!(NOBODY);
                }
            }
            shopper.send(request(&right.target).json(&body)).await
        }
        413 => shopper.send(request(&right.target).body(vec![b' '; 300 * 1024])).await,
        414 => shopper.send(request(&format!("{}?{}", right.target, "x".repeat(9_000)))).await,
        422 if method == "GET" && (path.contains('{') || path == "/cart") => {
            shopper.send(request(&right.target).header("atelier-min-position", "none")).await
        }
        422 if method == "GET" => {
            let target = right.target.split('?').next().unwrap();
            shopper.get(&format!("{target}?product_id=undefined&page=-1")).await
        }
        422 if method == "POST" => shopper.post(&right.target, &json!({"photos": 1})).await,
        422 => shopper.send(request(&right.target).header("idempotency-key", "a key")).await,
        431 => shopper.send(request(&right.target).header("x-long", "x".repeat(9_000))).await,
        501 => {
            let target = format!("{method} {}", right.target);
            raw(shopper, &target, "HTTP/1.1", "Transfer-Encoding: x-odd\r\n").await
        }
        505 => raw(shopper, &format!("{method} {}", right.target), "HTTP/3.0", "").await,
        _ => panic!("{method} {path}: nobody knows how to provoke {status}"),
    }
}

/// What no client library sends.
async fn raw(shopper: &Shopper, start: &str, version: &str, more: &str) -> Answer {
    let request = format!("{start} {version}\r\nHost: shop\r\nConnection: close\r\n{more}\r\n");
    let text = shopper.send_bytes(request.as_bytes()).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    let headers: HeaderMap = headers.collect();
    Answer { status: status.unwrap_or_else(|| panic!("no status: {text}")), headers, body: body.to_owned() }
}

/// Answers of many shapes: with rows and without, of whatever the catalogue holds.
async fn various(shopper: &Shopper) -> Vec<(&'static str, &'static str, Answer)> {
    let mut answers = Vec::new();
    let everything = shopper.products("count=10000").await.expect(200);
    for id in everything.ids().into_iter().take(12) {
        answers.push(("GET", "/products/{product_id}", shopper.product(id).await));
        answers.push(("GET", "/products/{product_id}/styles", shopper.styles(id).await));
        answers.push(("GET", "/products/{product_id}/related", shopper.related(id).await));
        for sort in ["newest", "helpful", "\"relevant\"", "undefined"] {
            let page = shopper.reviews(&format!("product_id={id}&count=10000&sort={sort}")).await;
            answers.push(("GET", "/reviews", page));
        }
        answers.push(("GET", "/reviews/meta", shopper.meta(id).await));
        let questions = shopper.questions(&format!("product_id={id}&count=10000")).await;
        for question in questions.ids() {
            let page = shopper.answers(question, "count=10000").await;
            answers.push(("GET", "/qa/questions/{question_id}/answers", page));
        }
        answers.push(("GET", "/qa/questions", questions));
    }
    answers.push(("GET", "/products", everything));
    for empty in ["page=1000", "count=0", "page=0", "page=18446744073709551616&count=20000"] {
        answers.push(("GET", "/products", shopper.products(empty).await));
        let page = shopper.reviews(&format!("product_id=2&{empty}")).await;
        answers.push(("GET", "/reviews", page));
        answers.push(("GET", "/qa/questions/{question_id}/answers", shopper.answers(37, empty).await));
    }
    answers.push(("GET", "/reviews", shopper.reviews(&format!("product_id={NOBODY}")).await));
    answers.push(("GET", "/reviews/meta", shopper.meta(NOBODY).await));
    answers.push(("GET", "/qa/questions", shopper.questions(&format!("product_id={NOBODY}")).await));
    answers.push(("GET", "/qa/questions/{question_id}/answers", shopper.answers(NOBODY, "").await));
    let line = json!({"sku_id": SKU, "count": 1_000});
    answers.push(("POST", "/cart", shopper.add_to_cart("a contract's session", &line).await));
    answers.push(("GET", "/cart", shopper.cart("a contract's session").await));
    for (_, _, answer) in &answers {
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }
    answers
}

/// 502, 503 and 504: without databases and stream, with services that hang, and without services.
async fn broken(document: &mut Document, operations: &[(String, String, Vec<u16>)]) {
    let system = with_catalogue("contract", |options| options).await;
    let shopper = &system.shopper();
    let product = catalogue::spare_product().id;
    let all = |status: u16| {
        let named = operations.iter().filter(move |(_, _, statuses)| statuses.contains(&status));
        join_all(named.map(async |(method, path, _)| {
            (method.as_str(), path.as_str(), Right::of(method, path, product).send(shopper, method).await)
        }))
    };
    for name in ["nats", "postgres-a", "postgres-b"] {
        system.process(name).stop().await;
    }
    let services = ["reader-a", "reader-b", "writer"].map(|name| system.process(name));
    for status in [503, 504, 502] {
        match status {
            504 => services.iter().for_each(|service| service.pause()),
            502 => {
                services.iter().for_each(|service| service.resume());
                join_all(services.iter().map(|service| service.stop())).await;
            }
            _ => {}
        }
        let answers = eventually("every route says so", within(60), async || {
            let answers = all(status).await;
            match answers.iter().find(|(_, _, answer)| answer.status != status) {
                None => Ok(answers),
                Some(other) => Err(format!("{status} was expected: {other:?}")),
            }
        })
        .await;
        for (method, path, answer) in answers {
            document.hold(method, path, &answer);
        }
    }
}
