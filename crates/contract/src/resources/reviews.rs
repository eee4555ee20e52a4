//! A review is written once; votes count up, a report hides it for good.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, Refusals};

/// Longest summary, in characters.
pub const SUMMARY_LIMIT: usize = 1_000;
/// Longest body, in characters.
pub const BODY_LIMIT: usize = 10_000;
/// Most photos of a review.
pub const PHOTOS_LIMIT: usize = 5;
/// Longest address of a photo, in characters.
pub const PHOTO_URL_LIMIT: usize = 2_000;
/// Most characteristics rated in one review; below 16 parts of a position.
pub const CHARACTERISTICS_LIMIT: usize = 16;

/// `review.created`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCreated {
    /// The product reviewed.
    pub product_id: i64,
    /// 1 to 5.
    pub rating: u8,
    /// Up to 1,000 characters, perhaps none.
    pub summary: String,
    /// 1 to 10,000 characters.
    pub body: String,
    /// Whether the reviewer recommends the product.
    pub recommend: bool,
    /// 1 to 100 characters.
    pub reviewer_name: String,
    /// Sealed, bound to this event's type and message id.
    pub reviewer_email: String,
    /// Up to five absolute http or https URLs.
    pub photos: Vec<String>,
    /// In the order of their ids.
    pub characteristics: Vec<CharacteristicRating>,
}

/// One characteristic's rating within a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CharacteristicRating {
    /// A characteristic of the review's product.
    pub id: i64,
    /// 1 to 5.
    pub value: u8,
}

/// `review.helpful`, version 1: a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewHelpful {
    /// The review voted for, hidden or not.
    pub review_id: i64,
}

/// `review.reported`, version 1: the review is hidden from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReported {
    /// The review to hide.
    pub review_id: i64,
}

/// What a shopper sent, checked; the address is still open, the references are not looked up yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewReview {
    /// The product reviewed.
    pub product_id: i64,
    /// 1 to 5.
    pub rating: u8,
    /// Perhaps empty.
    pub summary: String,
    /// What the reviewer wrote.
    pub body: String,
    /// Whether the reviewer recommends the product.
    pub recommend: bool,
    /// The reviewer's public name.
    pub name: String,
    /// The address as sent. Private: never logged, never stored open.
    pub email: String,
    /// Addresses of photos.
    pub photos: Vec<String>,
    /// In the order of their ids.
    pub characteristics: Vec<CharacteristicRating>,
}

impl NewReview {
    /// Parses the body of `POST /reviews`.
    ///
    /// # Errors
    /// All fields that are missing or wrong, at once.
    pub fn parse(body: &serde_json::Value) -> Result<NewReview, Refusals> {
        Fields::read(body, NewReview::read)
    }

    /// Reads the fields: the one place that says which there are.
    pub fn read(fields: &mut Fields<'_>) -> NewReview {
        let product_id = fields.id("product_id");
        let rating = fields.integer("rating", 1..=5);
        let summary = fields.optional_text("summary", SUMMARY_LIMIT);
        let text = fields.text("body", 1..=BODY_LIMIT);
        let recommend = fields.boolean("recommend");
        let name = fields.text("name", 1..=100);
        let email = fields.email("email");
        let photos = fields.urls("photos", PHOTOS_LIMIT, PHOTO_URL_LIMIT);
        let characteristics = fields.ratings("characteristics", CHARACTERISTICS_LIMIT);
        NewReview {
            product_id,
            rating: u8::try_from(rating).unwrap_or_default(),
            summary,
            body: text,
            recommend,
            name,
            email,
            photos,
            characteristics: characteristics
                .into_iter()
                .map(|(id, value)| CharacteristicRating { id, value })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn valid() -> serde_json::Value {
        json!({"product_id": 2, "rating": 5, "summary": "s", "body": "b", "recommend": true, "name": "n",
               "email": "a@example.com", "photos": ["https://a/b"], "characteristics": {"16": 4, "14": 5}})
    }

    #[test]
    fn numbers_and_booleans_may_be_text_and_unknown_fields_are_ignored() {
        let mut body = valid();
        body["product_id"] = json!("2");
        body["rating"] = json!("5");
        body["recommend"] = json!("true");
        body["characteristics"] = json!({"14": "5", "16": "4"});
        body["extra"] = json!({"a": []});
        let review = NewReview::parse(&body).unwrap_or_else(|e| panic!("{e:?}"));
        assert!(review == NewReview::parse(&valid()).unwrap_or_else(|e| panic!("{e:?}")));
        assert_eq!(review.characteristics[0], CharacteristicRating { id: 14, value: 5 });
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let body = json!({"product_id": 0, "rating": 6, "body": "", "recommend": "perhaps", "name": "a\0b",
                          "email": "nobody", "photos": ["ftp://x"], "characteristics": {"x": 1}});
        let refused = NewReview::parse(&body).err().expect("everything is wrong");
        let fields: Vec<&str> = refused.0.iter().map(|r| r.field.as_str()).collect();
        assert_eq!(
            fields,
            ["product_id", "rating", "body", "recommend", "name", "email", "photos[0]", "characteristics.x"]
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        assert!(NewReview::parse(&json!([])).is_err());
    }
}
