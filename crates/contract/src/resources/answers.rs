//! An answer belongs to a question, hidden or not; votes count up, a report hides it for good.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, Refusals};
use crate::resources::reviews::{BODY_LIMIT, PHOTO_URL_LIMIT, PHOTOS_LIMIT};

/// `answer.created`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerCreated {
    /// The question answered.
    pub question_id: i64,
    /// 1 to 10,000 characters.
    pub body: String,
    /// 1 to 100 characters.
    pub answerer_name: String,
    /// Sealed, bound to this event's type and message id.
    pub answerer_email: String,
    /// Up to five absolute http or https URLs.
    pub photos: Vec<String>,
}

/// `answer.helpful`, version 1: a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHelpful {
    /// The answer voted for, hidden or not.
    pub answer_id: i64,
}

/// `answer.reported`, version 1: the answer is hidden from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerReported {
    /// The answer to hide.
    pub answer_id: i64,
}

/// What a shopper sent, checked; the address is still open, the question is not looked up yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// What is answered.
    pub body: String,
    /// The answerer's public name.
    pub name: String,
    /// The address as sent. Private: never logged, never stored open.
    pub email: String,
    /// Addresses of photos.
    pub photos: Vec<String>,
}

impl NewAnswer {
    /// Parses the body of `POST /qa/questions/{question_id}/answers`.
    ///
    /// # Errors
    /// All fields that are missing or wrong, at once.
    pub fn parse(body: &serde_json::Value) -> Result<NewAnswer, Refusals> {
        Fields::read(body, NewAnswer::read)
    }

    /// Reads the fields: the one place that says which there are.
    pub fn read(fields: &mut Fields<'_>) -> NewAnswer {
        NewAnswer {
            body: fields.text("body", 1..=BODY_LIMIT),
            name: fields.text("name", 1..=100),
            email: fields.email("email"),
            photos: fields.urls("photos", PHOTOS_LIMIT, PHOTO_URL_LIMIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn photos_may_be_absent_and_all_faults_are_named_at_once() {
        let body = json!({"body": "Yes.", "name": "jo", "email": "jo@example.com"});
        assert!(NewAnswer::parse(&body).is_ok_and(|answer| answer.photos.is_empty()));
        let refused = NewAnswer::parse(&json!({"photos": ["x"]})).err().expect("everything is wrong");
        let fields: Vec<&str> = refused.0.iter().map(|r| r.field.as_str()).collect();
        assert_eq!(fields, ["body", "name", "email", "photos[0]"]);
    }
}
