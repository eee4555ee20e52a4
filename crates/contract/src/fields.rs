//! Reads the fields of a JSON body with the tolerance that existing front ends need (numbers and booleans as text,
//! unknown fields ignored), and collects every fault instead of stopping at the first.
//!
//! The same function that reads a body also describes it ([`Fields::describe`]), so what is published about a body
//! is what its code takes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::{is_storable, is_web_url};

/// Ids stay below 2^53, exact in JavaScript.
pub const ID_LIMIT: i64 = 1 << 53;
/// Characters of an e-mail address.
const EMAIL_LENGTH: RangeInclusive<usize> = 3..=254;
/// Ratings that there are.
const RATINGS: RangeInclusive<i64> = 1..=5;

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

/// What is known about one field of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShape {
    /// Its name.
    pub name: String,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be there. One that need not may also be null.
    pub required: bool,
}

/// What a field may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer within a range, or its digits as text.
    Integer(RangeInclusive<i64>),
    /// A boolean, or the text `true` or `false`.
    Boolean,
    /// A text of so many characters, or a number, which is taken as its text.
    Text(RangeInclusive<usize>),
    /// A text of so many characters with an `@`.
    Email(RangeInclusive<usize>),
    /// At most so many absolute http or https URLs of at most so many characters.
    Urls {
        /// Most URLs.
        most: usize,
        /// Most characters of each.
        longest: usize,
    },
    /// At most so many ids, each with its rating.
    Ratings {
        /// Most ids.
        most: usize,
        /// The ratings that there are.
        values: RangeInclusive<i64>,
    },
}

/// A body's fields, read one after another; faults are collected, and a wrong field reads as an empty value that
/// never leaves because [`Fields::read`] then refuses.
pub struct Fields<'a> {
    body: &'a Map<String, Value>,
    refusals: Vec<Refusal>,
    /// Present while a body is described.
    shapes: Option<Vec<FieldShape>>,
}

impl<'a> Fields<'a> {
    /// Reads a JSON object by a function that takes its fields one by one.
    ///
    /// # Errors
    /// When the body is no object; else everything that was refused on the way.
    pub fn read<T>(body: &'a Value, read: impl FnOnce(&mut Fields<'a>) -> T) -> Result<T, Refusals> {
        let Value::Object(body) = body else {
            let message = "the body must be a JSON object".into();
            return Err(Refusals(vec![Refusal { field: String::new(), message }]));
        };
        let mut fields = Fields { body, refusals: Vec::new(), shapes: None };
        let value = read(&mut fields);
        if fields.refusals.is_empty() { Ok(value) } else { Err(Refusals(fields.refusals)) }
    }

    /// The fields that a function takes, in its order. It is run on an empty body, so it must take the same fields
    /// whatever they hold.
    pub fn describe<T>(read: impl for<'b> FnOnce(&mut Fields<'b>) -> T) -> Vec<FieldShape> {
        let body = Map::new();
        let mut fields = Fields { body: &body, refusals: Vec::new(), shapes: Some(Vec::new()) };
        read(&mut fields);
        fields.shapes.unwrap_or_default()
    }

    /// An integer within a range, as a number or as its digits.
    pub fn integer(&mut self, field: &str, range: RangeInclusive<i64>) -> i64 {
        self.note(field, true, || Kind::Integer(range.clone()));
        match self.body.get(field).and_then(as_integer).filter(|n| range.contains(n)) {
            Some(number) => number,
            None => {
                self.refuse(field, format!("must be an integer from {} to {}", range.start(), range.end()));
                0
            }
        }
    }

    /// An integer that may be absent or null, then a default.
    pub fn optional_integer(&mut self, field: &str, range: RangeInclusive<i64>, default: i64) -> i64 {
        self.optional(field, default, |fields| fields.integer(field, range))
    }

    /// An id: an integer from 1 to below 2^53.
    pub fn id(&mut self, field: &str) -> i64 {
        self.integer(field, 1..=ID_LIMIT - 1)
    }

    /// A boolean, or the text `true` or `false`.
    pub fn boolean(&mut self, field: &str) -> bool {
        self.note(field, true, || Kind::Boolean);
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
        self.note(field, true, || Kind::Text(length.clone()));
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
        self.optional(field, String::new(), |fields| fields.text(field, 0..=longest))
    }

    /// An e-mail address: 3 to 254 characters with an `@`. The message never repeats it.
    pub fn email(&mut self, field: &str) -> String {
        self.note(field, true, || Kind::Email(EMAIL_LENGTH));
        match self.body.get(field) {
            Some(Value::String(text))
                if EMAIL_LENGTH.contains(&text.chars().count())
                    && text.contains('@')
                    && is_storable(text) =>
            {
                text.clone()
            }
            _ => {
                let (shortest, longest) = EMAIL_LENGTH.into_inner();
                self.refuse(
                    field,
                    format!("must be an e-mail address of {shortest} to {longest} characters"),
                );
                String::new()
            }
        }
    }

    /// A list of absolute http or https URLs, perhaps absent.
    pub fn urls(&mut self, field: &str, most: usize, longest: usize) -> Vec<String> {
        self.note(field, false, || Kind::Urls { most, longest });
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
        self.note(field, false, || Kind::Ratings { most, values: RATINGS });
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
            // One form for each id, so that none can come twice.
            let Some(id) = parse_id(key).filter(|_| !key.starts_with('0')) else {
                self.refuse(&name, "must be named by a characteristic's id".into());
                continue;
            };
            match as_integer(value).filter(|n| RATINGS.contains(n)) {
                Some(rating) => {
                    ratings.insert(id, rating as u8);
                }
                None => self.refuse(
                    &name,
                    format!("must be an integer from {} to {}", RATINGS.start(), RATINGS.end()),
                ),
            }
        }
        ratings.into_iter().collect()
    }

    fn optional<T>(&mut self, field: &str, default: T, read: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        if let Some(shapes) = &self.shapes {
            let index = shapes.len();
            read(self);
            if let Some(shape) = self.shapes.as_mut().and_then(|shapes| shapes.get_mut(index)) {
                shape.required = false;
            }
            return default;
        }
        match self.body.get(field) {
            None | Some(Value::Null) => default,
            Some(_) => read(self),
        }
    }

    fn note(&mut self, field: &str, required: bool, kind: impl FnOnce() -> Kind) {
        if let Some(shapes) = &mut self.shapes {
            shapes.push(FieldShape { name: field.to_owned(), kind: kind(), required });
        }
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
        Value::String(text) if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) => {
            text.parse().ok()
        }
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

    #[test]
    fn the_function_that_reads_a_body_describes_it() {
        let shapes = Fields::describe(|fields| {
            fields.id("sku_id");
            fields.optional_integer("count", 1..=9, 1);
            fields.optional_text("summary", 7);
            fields.text("body", 1..=8);
            fields.urls("photos", 5, 20);
        });
        let shape = |name: &str, kind, required| FieldShape { name: name.into(), kind, required };
        assert_eq!(
            shapes,
            [
                shape("sku_id", Kind::Integer(1..=ID_LIMIT - 1), true),
                shape("count", Kind::Integer(1..=9), false),
                shape("summary", Kind::Text(0..=7), false),
                shape("body", Kind::Text(1..=8), true),
                shape("photos", Kind::Urls { most: 5, longest: 20 }, false),
            ]
        );
    }

    #[test]
    fn an_integer_may_be_its_digits_and_nothing_else() {
        let read = |value: Value| {
            let body = serde_json::json!({"n": value});
            Fields::read(&body, |fields| fields.optional_integer("n", 1..=1_000, 1)).ok()
        };
        assert_eq!(read(Value::from("0042")), Some(42));
        assert_eq!(read(Value::from(42.0)), Some(42));
        assert_eq!(read(Value::Null), Some(1));
        for text in ["", " 42", "+42", "-1", "4.0", "1001", "٤"] {
            assert_eq!(read(Value::from(text)), None, "{text}");
        }
    }
}
