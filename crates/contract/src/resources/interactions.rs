//! An interaction is what a shopper did on a page; it is recorded and read by nobody here.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, Refusals};

/// Longest description of an element, in characters: some front ends send its whole markup.
pub const ELEMENT_LIMIT: usize = 10_000;
/// Longest name of a widget, in characters.
pub const WIDGET_LIMIT: usize = 1_000;
/// Longest time as the front end words it, in characters.
pub const TIME_LIMIT: usize = 100;

/// `interaction.recorded`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionRecorded {
    /// What was touched.
    pub element: String,
    /// The part of the page that it belongs to.
    pub widget: String,
    /// When, in the front end's own words.
    pub time: String,
}

/// What a front end sent, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInteraction {
    /// What was touched.
    pub element: String,
    /// The part of the page that it belongs to.
    pub widget: String,
    /// When, in the front end's own words.
    pub time: String,
}

impl NewInteraction {
    /// Parses the body of `POST /interactions`.
    ///
    /// # Errors
    /// All fields that are missing or wrong, at once.
    pub fn parse(body: &serde_json::Value) -> Result<NewInteraction, Refusals> {
        Fields::read(body, NewInteraction::read)
    }

    /// Reads the fields: the one place that says which there are.
    pub fn read(fields: &mut Fields<'_>) -> NewInteraction {
        NewInteraction {
            element: fields.text("element", 1..=ELEMENT_LIMIT),
            widget: fields.text("widget", 1..=WIDGET_LIMIT),
            time: fields.text("time", 1..=TIME_LIMIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_three_are_required() {
        let refused = NewInteraction::parse(&json!({"time": 1})).err().expect("two are missing");
        let fields: Vec<&str> = refused.0.iter().map(|r| r.field.as_str()).collect();
        assert_eq!(fields, ["element", "widget"]);
    }
}
