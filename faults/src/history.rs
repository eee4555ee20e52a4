//! What shoppers did and what they were told: the evidence that the checkers judge.

use std::fmt::Write;
use std::time::{Duration, Instant};

use contract::keyed_hash::HashingKey;
use contract::{Event, Token};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{SKU, answer, interaction, question, review};

use crate::log::Logged;

/// One thing that a shopper does. Each is told from all others by what it names: a mark in its text, a session, or a
/// target that nobody else votes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Review { product: i64, characteristic: i64, rating: i64, mark: String },
    ReviewVote { review: i64 },
    ReviewReport { review: i64 },
    Question { product: i64, mark: String },
    QuestionVote { question: i64 },
    Answer { question: i64, mark: String },
    AnswerVote { answer: i64 },
    Cart { session: String },
    Interaction { mark: String },
}

impl Operation {
    pub(crate) fn method(&self) -> Method {
        match self {
            Operation::ReviewVote { .. }
            | Operation::ReviewReport { .. }
            | Operation::QuestionVote { .. }
            | Operation::AnswerVote { .. } => Method::PUT,
            _ => Method::POST,
        }
    }

    pub(crate) fn path(&self) -> String {
        match self {
            Operation::Review { .. } => "/reviews".to_owned(),
            Operation::ReviewVote { review } => format!("/reviews/{review}/helpful"),
            Operation::ReviewReport { review } => format!("/reviews/{review}/report"),
            Operation::Question { .. } => "/qa/questions".to_owned(),
            Operation::QuestionVote { question } => format!("/qa/questions/{question}/helpful"),
            Operation::Answer { question, .. } => format!("/qa/questions/{question}/answers"),
            Operation::AnswerVote { answer } => format!("/qa/answers/{answer}/helpful"),
            Operation::Cart { .. } => "/cart".to_owned(),
            Operation::Interaction { .. } => "/interactions".to_owned(),
        }
    }

    pub(crate) fn body(&self) -> Option<Value> {
        let marked = |mut body: Value, field: &str, mark: &str| {
            body[field] = json!(mark);
            Some(body)
        };
        match self {
            Operation::Review { product, characteristic, rating, mark } => {
                let mut body = review(*product);
                body["rating"] = json!(rating);
                body["recommend"] = json!(rating % 2 == 0);
                body["characteristics"] = json!({ characteristic.to_string(): rating });
                body["photos"] = json!(["https://img.example/a.jpg", "https://img.example/b.jpg"]);
                marked(body, "summary", mark)
            }
            Operation::Question { product, mark } => marked(question(*product), "body", mark),
            Operation::Answer { mark, .. } => marked(answer(), "body", mark),
            Operation::Cart { .. } => Some(json!({ "sku_id": SKU })),
            Operation::Interaction { mark } => marked(interaction(), "time", mark),
            _ => None,
        }
    }

    /// The session that the request carries.
    pub(crate) fn session(&self) -> Option<&str> {
        match self {
            Operation::Cart { session } => Some(session),
            _ => None,
        }
    }

    /// Under which name the answer tells the id of what was made.
    pub(crate) fn made(&self) -> Option<&'static str> {
        match self {
            Operation::Review { .. } => Some("review_id"),
            Operation::Question { .. } => Some("question_id"),
            Operation::Answer { .. } => Some("answer_id"),
            _ => None,
        }
    }

    /// Whether an event is what became of this.
    pub(crate) fn is(&self, event: &Event, hashing: &HashingKey) -> bool {
        match (self, event) {
            (Operation::Review { mark, product, .. }, Event::ReviewCreated(review)) => {
                review.summary == *mark && review.product_id == *product
            }
            (Operation::ReviewVote { review }, Event::ReviewHelpful(vote)) => vote.review_id == *review,
            (Operation::ReviewReport { review }, Event::ReviewReported(report)) => {
                report.review_id == *review
            }
            (Operation::Question { mark, product }, Event::QuestionCreated(question)) => {
                question.body == *mark && question.product_id == *product
            }
            (Operation::QuestionVote { question }, Event::QuestionHelpful(vote)) => {
                vote.question_id == *question
            }
            (Operation::Answer { mark, question }, Event::AnswerCreated(answer)) => {
                answer.body == *mark && answer.question_id == *question
            }
            (Operation::AnswerVote { answer }, Event::AnswerHelpful(vote)) => vote.answer_id == *answer,
            (Operation::Cart { session }, Event::CartAdded(line)) => line.session == hashing.session(session),
            (Operation::Interaction { mark }, Event::InteractionRecorded(seen)) => seen.time == *mark,
            _ => false,
        }
    }

    /// A name by which equal operations and their events find each other without comparing each with each.
    pub(crate) fn name(&self, hashing: &HashingKey) -> String {
        match self {
            Operation::ReviewVote { review } => format!("review.helpful {review}"),
            Operation::ReviewReport { review } => format!("review.reported {review}"),
            Operation::QuestionVote { question } => format!("question.helpful {question}"),
            Operation::AnswerVote { answer } => format!("answer.helpful {answer}"),
            Operation::Cart { session } => format!("cart.added {}", hashing.session(session)),
            Operation::Review { mark, .. } => format!("review.created {mark}"),
            Operation::Question { mark, .. } => format!("question.created {mark}"),
            Operation::Answer { mark, .. } => format!("answer.created {mark}"),
            Operation::Interaction { mark } => format!("interaction.recorded {mark}"),
        }
    }
}

/// The same name, of an event; nothing for events that no shopper of the suite causes.
pub(crate) fn name_of(logged: &Logged) -> Option<String> {
    Some(match &logged.event {
        Event::ReviewCreated(review) => format!("review.created {}", review.summary),
        Event::ReviewHelpful(vote) => format!("review.helpful {}", vote.review_id),
        Event::ReviewReported(report) => format!("review.reported {}", report.review_id),
        Event::QuestionCreated(question) => format!("question.created {}", question.body),
        Event::QuestionHelpful(vote) => format!("question.helpful {}", vote.question_id),
        Event::AnswerCreated(answer) => format!("answer.created {}", answer.body),
        Event::AnswerHelpful(vote) => format!("answer.helpful {}", vote.answer_id),
        Event::CartAdded(line) => format!("cart.added {}", line.session),
        Event::InteractionRecorded(seen) => format!("interaction.recorded {}", seen.time),
        _ => return None,
    })
}

/// What a shopper knows about a write in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged, at this position; with the id that the answer told.
    Stored { token: Token, id: Option<i64> },
    /// Refused on record: stored, and without effect.
    Rejected(String),
    /// Told that nothing was stored.
    Failed(String),
    /// Told that it may land, or told nothing.
    Unknown(String),
}

/// A write with all its tries.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) operation: Operation,
    /// The `Idempotency-Key`; a write without one is sent once.
    pub(crate) key: Option<String>,
    pub(crate) started: Instant,
    /// When the last try began, and when it was answered.
    pub(crate) last_try: Instant,
    pub(crate) ended: Instant,
    pub(crate) tries: u32,
    /// How long the slowest try took.
    pub(crate) slowest: Duration,
    pub(crate) outcome: Outcome,
}

impl Record {
    /// The hash by which its event carries its `Idempotency-Key`.
    pub(crate) fn key_hash(&self, hashing: &HashingKey) -> Option<String> {
        let key = self.key.as_ref()?;
        let (method, path) = (self.operation.method(), self.operation.path());
        let session = self.operation.session().unwrap_or_default();
        let parts = [method.as_str(), &path, session, key].map(str::as_bytes);
        Some(hashing.hash("idempotency key", &parts))
    }
}

/// A read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) started: Instant,
    pub(crate) took: Duration,
    /// 0 when there was no HTTP answer.
    pub(crate) status: u16,
    pub(crate) demanded: Option<Token>,
    pub(crate) served: Option<Token>,
    /// The answer says that it is older than demanded.
    pub(crate) stale: bool,
}

/// Everything that was done and told.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) writes: Vec<Record>,
    pub(crate) reads: Vec<Read>,
}

impl History {
    /// The highest position that anybody was told.
    pub(crate) fn highest(&self) -> i64 {
        let told = self.writes.iter().filter_map(|record| match &record.outcome {
            Outcome::Stored { token, .. } => Some(token.position.as_i64()),
            _ => None,
        });
        told.max().unwrap_or_default()
    }

    /// A line for each write and each read.
    pub(crate) fn dump(&self, since: Instant) -> String {
        let mut text = String::new();
        let at = |instant: Instant| instant.saturating_duration_since(since).as_secs_f64();
        for record in &self.writes {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{:.3}..{:.3} tries={} key={} {:?} -> {:?}",
                at(record.started),
                at(record.ended),
                record.tries,
                record.key.as_deref().unwrap_or("-"),
                record.operation,
                record.outcome
            );
        }
        for read in &self.reads {
            let _ = writeln!(
                text,
                "{:.3} +{:.3} read {} demanded={:?} served={:?} stale={}",
                at(read.started),
                read.took.as_secs_f64(),
                read.status,
                read.demanded.as_ref().map(ToString::to_string),
                read.served.as_ref().map(ToString::to_string),
                read.stale
            );
        }
        text
    }
}
