//! A shopper's front end: one method an action over HTTP, mostly through nginx.

use std::time::Duration;

use contract::Token;
use contract::headers::{APPLIED, MIN_POSITION, POSITION, SESSION, SESSION_COOKIE, STALE, STALENESS};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The names of ids on pages.
const IDS: [&str; 4] = ["id", "review_id", "question_id", "answer_id"];

/// Somebody who reads and writes.
#[derive(Clone)]
pub struct Shopper {
    base: String,
    client: Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Shopper {
    /// A shopper of the shop at this address: nginx's, or one service's own.
    ///
    /// # Panics
    /// When no client can be made.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Shopper {
        let client =
            Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client without TLS can be made");
        Shopper { base: url.into(), client }
    }

    /// `GET /products` with a query, as in `page=2&count=3`.
    pub async fn products(&self, query: &str) -> Answer {
        self.get(&with_query("/products", query)).await
    }

    /// `GET /products/:product_id`
    pub async fn product(&self, id: i64) -> Answer {
        self.get(&format!("/products/{id}")).await
    }

    /// `GET /products/:product_id/styles`
    pub async fn styles(&self, id: i64) -> Answer {
        self.get(&format!("/products/{id}/styles")).await
    }

    /// `GET /products/:product_id/related`
    pub async fn related(&self, id: i64) -> Answer {
        self.get(&format!("/products/{id}/related")).await
    }

    /// `GET /reviews` with a query.
    pub async fn reviews(&self, query: &str) -> Answer {
        self.get(&with_query("/reviews", query)).await
    }

    /// Ids of a product's reviews, all of them, in the order of `sort`.
    pub async fn review_ids(&self, product: i64, sort: &str) -> Vec<i64> {
        self.reviews(&format!("product_id={product}&count=10000&sort={sort}")).await.ids()
    }

    /// `GET /reviews/meta`
    pub async fn meta(&self, product: i64) -> Answer {
        self.get(&format!("/reviews/meta?product_id={product}")).await
    }

    /// `POST /reviews`
    pub async fn post_review(&self, review: &Value) -> Answer {
        self.post("/reviews", review).await
    }

    /// `POST /reviews` with something that may be no review.
    pub async fn post_raw(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.post_bytes("/reviews", body).await
    }

    /// `POST` with something that may be no JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", "application/json").body(body))
            .await
    }

    /// `PUT /reviews/:review_id/helpful`
    pub async fn vote(&self, review: i64) -> Answer {
        self.put(&format!("/reviews/{review}/helpful")).await
    }

    /// `PUT /reviews/:review_id/report`
    pub async fn report(&self, review: i64) -> Answer {
        self.put(&format!("/reviews/{review}/report")).await
    }

    /// `GET /qa/questions` with a query.
    pub async fn questions(&self, query: &str) -> Answer {
        self.get(&with_query("/qa/questions", query)).await
    }

    /// Ids of a product's questions, all of them, in order.
    pub async fn question_ids(&self, product: i64) -> Vec<i64> {
        self.questions(&format!("product_id={product}&count=10000")).await.ids()
    }

    /// `GET /qa/questions/:question_id/answers` with a query.
    pub async fn answers(&self, question: i64, query: &str) -> Answer {
        self.get(&with_query(&format!("/qa/questions/{question}/answers"), query)).await
    }

    /// Ids of a question's answers, all of them, in order.
    pub async fn answer_ids(&self, question: i64) -> Vec<i64> {
        self.answers(question, "count=10000").await.ids()
    }

    /// `POST /qa/questions`
    pub async fn post_question(&self, question: &Value) -> Answer {
        self.post("/qa/questions", question).await
    }

    /// `POST /qa/questions/:question_id/answers`
    pub async fn post_answer(&self, question: i64, answer: &Value) -> Answer {
        self.post(&format!("/qa/questions/{question}/answers"), answer).await
    }

    /// `GET /cart`, of the session that the header names.
    pub async fn cart(&self, session: &str) -> Answer {
        self.send(self.request(Method::GET, "/cart").header(SESSION, session)).await
    }

    /// `POST /cart`, into the cart that the header names.
    pub async fn add_to_cart(&self, session: &str, line: &Value) -> Answer {
        self.send(self.request(Method::POST, "/cart").header(SESSION, session).json(line)).await
    }

    /// `POST /interactions`
    pub async fn post_interaction(&self, interaction: &Value) -> Answer {
        self.post("/interactions", interaction).await
    }

    /// `POST` anything.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `PUT` without a body, as in `/qa/answers/8/helpful`.
    pub async fn put(&self, path: &str) -> Answer {
        self.send(self.request(Method::PUT, path)).await
    }

    /// `GET` anything.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `GET` that demands data at or past a position.
    pub async fn get_since(&self, path: &str, token: &Token) -> Answer {
        self.send(self.request(Method::GET, path).header(MIN_POSITION, token.to_string())).await
    }

    /// Sends these very bytes, as no client library would, and answers everything that came back.
    ///
    /// # Panics
    /// When there is nobody, or the connection does not end.
    pub async fn send_bytes(&self, bytes: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).await?;
            stream.write_all(bytes).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        answer.expect("the connection ends in time").unwrap_or_else(|error| panic!("{error}"))
    }

    /// A request to be made odder before it is sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When there is no HTTP answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// Sends a request to a service that may not be there.
    ///
    /// # Errors
    /// Why there is no HTTP answer.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let told = |error: reqwest::Error| format!("{error:?}");
        let response = request.send().await.map_err(told)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await.map_err(told)? })
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header's value, when it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer itself, when it has this status.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The answer itself, when it is a problem document of this status.
    ///
    /// # Panics
    /// When it is anything else.
    #[must_use]
    pub fn expect_problem(self, status: u16) -> Answer {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{answer:?}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {answer:?}");
        }
        answer
    }

    /// The fields that a 422 names.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap_or("?").to_owned()).collect()
    }

    /// `Atelier-Position`.
    ///
    /// # Panics
    /// When it is missing or unreadable.
    #[must_use]
    pub fn token(&self) -> Token {
        let token = self.header(POSITION).unwrap_or_else(|| panic!("no position: {self:?}"));
        token.parse().unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether every live replica had applied the write.
    #[must_use]
    pub fn applied(&self) -> bool {
        self.header(APPLIED) == Some("true")
    }

    /// The id of the review that a `POST /reviews` made.
    ///
    /// # Panics
    /// When it made none.
    #[must_use]
    pub fn review_id(&self) -> i64 {
        self.made("review_id")
    }

    /// The id of what a `POST` made, under its name, as in `question_id`.
    ///
    /// # Panics
    /// When it made none.
    #[must_use]
    pub fn made(&self, name: &str) -> i64 {
        self.json()[name].as_i64().unwrap_or_else(|| panic!("no {name} was made: {self:?}"))
    }

    /// `Set-Cookie` for the cookie of this name: its value and attributes.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        lines.filter_map(|line| line.strip_prefix(name)).find_map(|rest| rest.strip_prefix('='))
    }

    /// The session that the answer sets a cookie for.
    #[must_use]
    pub fn new_session(&self) -> Option<String> {
        Some(self.cookie(SESSION_COOKIE)?.split(';').next()?.to_owned())
    }

    /// `Atelier-Staleness-Ms`.
    ///
    /// # Panics
    /// When it is missing or no number.
    #[must_use]
    pub fn staleness(&self) -> Duration {
        let text = self.header(STALENESS).unwrap_or_else(|| panic!("no staleness: {self:?}"));
        Duration::from_millis(text.parse().unwrap_or_else(|error| panic!("{error}: {self:?}")))
    }

    /// Whether the answer says that it is older than was demanded.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.header(STALE) == Some("true")
    }

    /// The ids on a page of reviews, questions, answers or products, in order.
    ///
    /// # Panics
    /// When there is no such page.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        let body = self.json();
        let list = if body.is_array() { &body } else { &body["results"] };
        let list = list.as_array().unwrap_or_else(|| panic!("no page: {self:?}"));
        let id = |one: &Value| IDS.iter().find_map(|name| one[name].as_i64());
        list.iter().map(|one| id(one).unwrap_or_else(|| panic!("no id: {self:?}"))).collect()
    }
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
