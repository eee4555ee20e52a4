//! A question is asked once; votes count up, a report hides it for good.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, Refusals};
use crate::resources::reviews::BODY_LIMIT;

/// `question.created`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionCreated {
    /// The product asked about.
    pub product_id: i64,
    /// 1 to 10,000 characters.
    pub body: String,
    /// 1 to 100 characters.
    pub asker_name: String,
    /// Sealed, bound to this event's type and message id.
    pub asker_email: String,
}

/// `question.helpful`, version 1: a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionHelpful {
    /// The question voted for, hidden or not.
    pub question_id: i64,
}

/// `question.reported`, version 1: the question is hidden from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionReported {
    /// The question to hide.
    pub question_id: i64,
}

/// What a shopper sent, checked; the address is still open, the product is not looked up yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewQuestion {
    /// The product asked about.
    pub product_id: i64,
    /// What is asked.
    pub body: String,
    /// The asker's public name.
    pub name: String,
    /// The address as sent. Private: never logged, never stored open.
    pub email: String,
}

impl NewQuestion {
    /// Parses the body of `POST /qa/questions`.
    ///
    /// # Errors
    /// All fields that are missing or wrong, at once.
    pub fn parse(body: &serde_json::Value) -> Result<NewQuestion, Refusals> {
        Fields::read(body, NewQuestion::read)
    }

    /// Reads the fields: the one place that says which there are.
    pub fn read(fields: &mut Fields<'_>) -> NewQuestion {
        NewQuestion {
            product_id: fields.id("product_id"),
            body: fields.text("body", 1..=BODY_LIMIT),
            name: fields.text("name", 1..=100),
            email: fields.email("email"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_faults_are_named_at_once() {
        let body = json!({"product_id": "5.5", "body": "", "name": null});
        let refused = NewQuestion::parse(&body).err().expect("everything is wrong");
        let fields: Vec<&str> = refused.0.iter().map(|r| r.field.as_str()).collect();
        assert_eq!(fields, ["product_id", "body", "name", "email"]);
    }
}
