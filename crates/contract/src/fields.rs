//! Reads the fields of a JSON body with the tolerance that existing front ends need (numbers and booleans as text,
//! unknown fields ignored), and collects every fault instead of stopping at the first.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::{is_storable, is_web_url};

/// Ids stay below 2^53, exact in JavaScript.
pub const ID_LIMIT: i64 = 1 << 53;

/// One field that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The field, as in `photos[0]`.
    pub field: String,
    /// What it must be.
    pub message: String,
}

/// All fields of a body that are missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusals(pub Vec<Refusal>);

/// A body's fields, read one after another; faults are collected, and a wrong field reads as an empty value that
/// never leaves because [`Fields::finish`] then refuses.
pub struct Fields<'a> {
    body: &'a Map<String, Value>,
    refusals: Vec<Refusal>,
}

impl<'a> Fields<'a> {
    /// The fields of a JSON object.
    ///
    /// # Errors
    /// When the body is anything else.
    pub fn of(body: &'a Value) -> Result<Fields<'a>, Refusals> {
        match body {
            Value::Object(body) => Ok(Fields { body, refusals: Vec::new() }),
            _ => Err(Refusals(vec![Refusal {
                field: String::new(),
                message: "the body must be a JSON object".into(),
            }])),
        }
    }

    /// The value read, when nothing was refused.
    ///
    /// # Errors
    /// Everything that was refused on the way.
    pub fn finish<T>(self, value: T) -> Result<T, Refusals> {
        if self.refusals.is_empty() { Ok(value) } else { Err(Refusals(self.refusals)) }
    }

    /// An integer within a range, as a number or as text.
    pub fn integer(&mut self, field: &str, range: RangeInclusive<i64>) -> i64 {
        match self.body.get(field).and_then(as_integer).filter(|n| range.contains(n)) {
            Some(number) => number,
            None => {
                self.refuse(field, format!("must be an integer from {} to {}", range.start(), range.end()));
                0
            }
        }
    }

    /// An id: an integer from 1 to below 2^53.
    pub fn id(&mut self, field: &str) -> i64 {
        self.integer(field, 1..=ID_LIMIT - 1)
    }

    /// A boolean, or the text `true` or `false`.
    pub fn boolean(&mut self, field: &str) -> bool {
        match self.body.get(field) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            _ => {
                self.refuse(field, "must be true or false".into());
                false
            }
        }
    }

    /// A text of so many characters.
    pub fn text(&mut self, field: &str, length: RangeInclusive<usize>) -> String {
        let text = match self.body.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                self.refuse(
                    field,
                    format!("must be a text of {} to {} characters", length.start(), length.end()),
                );
                return String::new();
            }
        };
        self.checked(field, text, length)
    }

    /// A text that may be absent or null, then empty.
    pub fn optional_text(&mut self, field: &str, longest: usize) -> String {
        match self.body.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(_) => self.text(field, 0..=longest),
        }
    }

    /// An e-mail address: 3 to 254 characters with an `@`. The message never repeats it.
    pub fn email(&mut self, field: &str) -> String {
        match self.body.get(field) {
            Some(Value::String(text))
                if (3..=254).contains(&text.chars().count()) && text.contains('@') && is_storable(text) =>
            {
                text.clone()
            }
            _ => {
                self.refuse(field, "must be an e-mail address of 3 to 254 characters".into());
                String::new()
            }
        }
    }

    /// A list of absolute http or https URLs, perhaps absent.
    pub fn urls(&mut self, field: &str, most: usize, longest: usize) -> Vec<String> {
        let list = match self.body.get(field) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) if list.len() <= most => list,
            Some(_) => {
                self.refuse(field, format!("must be a list of at most {most} URLs"));
                return Vec::new();
            }
        };
        let mut urls = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            match value.as_str() {
                Some(url) if url.chars().count() <= longest && is_storable(url) && is_web_url(url) => {
                    urls.push(url.to_owned())
                }
                _ => self.refuse(
                    &format!("{field}[{index}]"),
                    format!("must be an absolute http or https URL of at most {longest} characters"),
                ),
            }
        }
        urls
    }

    /// An object of ids to ratings from 1 to 5, perhaps absent; in the order of ids.
    pub fn ratings(&mut self, field: &str, most: usize) -> Vec<(i64, u8)> {
        let object = match self.body.get(field) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Object(object)) if object.len() <= most => object,
            Some(_) => {
                self.refuse(
                    field,
                    format!("must be an object of at most {most} characteristic ids with their ratings"),
                );
                return Vec::new();
            }
        };
        let mut ratings = BTreeMap::new();
        for (key, value) in object {
            let name = format!("{field}.{}", key.chars().take(40).collect::<String>());
            let Some(id) = parse_id(key) else {
                self.refuse(&name, "must be named by a characteristic's id".into());
                continue;
            };
            match as_integer(value).filter(|n| (1..=5).contains(n)) {
                Some(rating) => {
                    if ratings.insert(id, rating as u8).is_some() {
                        self.refuse(&name, "is named twice".into());
                    }
                }
                None => self.refuse(&name, "must be an integer from 1 to 5".into()),
            }
        }
        ratings.into_iter().collect()
    }

    fn checked(&mut self, field: &str, text: String, length: RangeInclusive<usize>) -> String {
        if !length.contains(&text.chars().count()) {
            self.refuse(
                field,
                format!("must be a text of {} to {} characters", length.start(), length.end()),
            );
        } else if !is_storable(&text) {
            self.refuse(field, "must not hold the character NUL".into());
        }
        text
    }

    fn refuse(&mut self, field: &str, message: String) {
        self.refusals.push(Refusal { field: field.to_owned(), message });
    }
}

/// An id as text in a path or query: digits alone, 1 to below 2^53.
pub fn parse_id(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|id| (1..ID_LIMIT).contains(id))
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < ID_LIMIT as f64).map(|f| f as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_digits_from_1_to_below_2_to_the_53() {
        assert_eq!(parse_id("42"), Some(42));
        assert_eq!(parse_id("9007199254740991"), Some(ID_LIMIT - 1));
        for text in
            ["", "0", "-1", "+1", "1.0", "undefined", "9007199254740992", "99999999999999999999", " 1", "١"]
        {
            assert_eq!(parse_id(text), None, "{text}");
        }
    }
}
