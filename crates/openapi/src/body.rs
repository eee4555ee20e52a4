//! The body of a request as a schema: what its parsing code tells about each field, tolerance included.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use contract::fields::{FieldShape, Kind};
use serde_json::{Value, json};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{ContentBuilder, RefOr, Required};

use crate::schema::named;

/// Any text that Postgres can hold.
const STORABLE: &str = r"^[^\u0000]*$";
/// What [`contract::text::is_web_url`] takes: no white space, no control characters, and a host.
const WEB_URL: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$";

/// The schema of a body with these fields; unknown ones are ignored. `about` says what single fields are for.
pub(crate) fn schema<const N: usize>(fields: &[FieldShape], about: [(&str, &str); N]) -> RefOr<Schema> {
    debug_assert!(about.iter().all(|(name, _)| fields.iter().any(|field| field.name == *name)), "{about:?}");
    let mut object = ObjectBuilder::new();
    for field in fields {
        let text = about.iter().find(|(name, _)| *name == field.name).map(|(_, text)| *text);
        object = object.property(&field.name, property(field, text));
        if field.required {
            object = object.required(&field.name);
        }
    }
    Schema::Object(object.build()).into()
}

/// The body of a write, by the name of its schema.
pub(crate) fn body(name: &str, example: Value) -> RequestBody {
    let content = ContentBuilder::new().schema(Some(named(name))).example(Some(sorted(example)));
    RequestBodyBuilder::new()
        .description(Some("JSON, whatever the `Content-Type` says"))
        .content("application/json", content.build())
        .required(Some(Required::True))
        .build()
}

/// The same with the fields in the order of their names, whatever order another crate makes serde_json keep.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            object.into_iter().collect::<BTreeMap<_, _>>().into_iter().map(|(k, v)| (k, sorted(v))).collect()
        }
        other => other,
    }
}

fn property(field: &FieldShape, about: Option<&str>) -> RefOr<Schema> {
    match &field.kind {
        Kind::Urls { most, longest } => urls(*most, *longest, field.required, about).into(),
        kind => {
            let (kinds, described) = of_kind(kind);
            let kinds = kinds.into_iter().chain((!field.required).then_some(Type::Null));
            described.schema_type(SchemaType::from_iter(kinds)).description(about).into()
        }
    }
}

/// The JSON types that a kind may come in, and what holds for each of them.
fn of_kind(kind: &Kind) -> (Vec<Type>, ObjectBuilder) {
    let object = ObjectBuilder::new();
    match kind {
        Kind::Integer(range) => (
            vec![Type::Integer, Type::String],
            object.minimum(Some(*range.start())).maximum(Some(*range.end())).pattern(Some(digits(range))),
        ),
        Kind::Boolean => (
            vec![Type::Boolean, Type::String],
            object.enum_values(Some([json!(true), json!(false), json!("true"), json!("false")])),
        ),
        Kind::Text(length) => {
            (vec![Type::String, Type::Number], of_length(object, length).pattern(Some(STORABLE)))
        }
        Kind::Email(length) => {
            (vec![Type::String], of_length(object, length).pattern(Some(r"^[^@\u0000]*@[^\u0000]*$")))
        }
        Kind::Ratings { most, values } => {
            let id = format!("^{}$", up_to((contract::fields::ID_LIMIT - 1).unsigned_abs()));
            let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(id)).build();
            let (kinds, value) = of_kind(&Kind::Integer(values.clone()));
            let value: Object = value.schema_type(SchemaType::from_iter(kinds)).build();
            let object = object
                .max_properties(Some(*most))
                .property_names(Some(name))
                .additional_properties(Some(AdditionalProperties::RefOr(Schema::Object(value).into())));
            (vec![Type::Object], object)
        }
        Kind::Urls { .. } => unreachable!("lists are no objects"),
    }
}

fn urls(most: usize, longest: usize, required: bool, about: Option<&str>) -> Array {
    let url = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(longest))
        .pattern(Some(WEB_URL))
        .build();
    let mut list = ArrayBuilder::new().items(url).max_items(Some(most)).description(about).build();
    if !required {
        list.schema_type = SchemaType::from_iter([Type::Array, Type::Null]);
    }
    list
}

fn of_length(object: ObjectBuilder, length: &RangeInclusive<usize>) -> ObjectBuilder {
    let object = object.max_length(Some(*length.end()));
    if *length.start() > 0 { object.min_length(Some(*length.start())) } else { object }
}

/// The digits of an integer within a range from 1, with any zeros before them.
fn digits(range: &RangeInclusive<i64>) -> String {
    debug_assert_eq!(*range.start(), 1, "the digits of other ranges are not described yet");
    format!("^0*{}$", up_to(range.end().unsigned_abs()))
}

/// A group that matches the digits of exactly the numbers from 1 to this one.
fn up_to(last: u64) -> String {
    let last = last.to_string();
    let mut ways = Vec::new();
    match last.len() {
        1 => {}
        2 => ways.push("[1-9]".to_owned()),
        length => ways.push(format!("[1-9][0-9]{{0,{}}}", length - 2)),
    }
    for (at, digit) in last.char_indices() {
        let lowest = if at == 0 { '1' } else { '0' };
        let Some(below) = char::from_digit(digit.to_digit(10).unwrap_or_default().wrapping_sub(1), 10) else {
            continue;
        };
        if below < lowest {
            continue;
        }
        let start = &last[..at];
        let class = if below == lowest { lowest.to_string() } else { format!("[{lowest}-{below}]") };
        ways.push(match last.len() - at - 1 {
            0 => format!("{start}{class}"),
            1 => format!("{start}{class}[0-9]"),
            rest => format!("{start}{class}[0-9]{{{rest}}}"),
        });
    }
    ways.push(last);
    format!("(?:{})", ways.join("|"))
}

#[cfg(test)]
mod tests;
