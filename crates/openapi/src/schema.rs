//! The words that answers are described in. Answers are strict: every field is there, and no other.

use contract::fields::ID_LIMIT;
use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

/// A schema, or a reference to one.
pub(crate) type Described = RefOr<Schema>;

/// A schema of the components.
pub(crate) fn named(name: &str) -> Described {
    Ref::from_schema_name(name).into()
}

/// An object with exactly these fields.
pub(crate) fn object<const N: usize>(fields: [(&str, Described); N]) -> Object {
    let closed = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let object = fields
        .into_iter()
        .fold(closed, |object, (name, schema)| object.property(name, schema).required(name));
    object.build()
}

/// An object of any number of fields with any names.
pub(crate) fn map(of: impl Into<Described>) -> Object {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::RefOr(of.into()))).build()
}

/// An object of any number of fields, whose names have this form.
pub(crate) fn map_by(names: &str, of: impl Into<Described>) -> Object {
    let mut map = map(of);
    map.property_names = Some(Box::new(form(names).into()));
    map
}

/// A list.
pub(crate) fn list(of: impl Into<Described>) -> Array {
    ArrayBuilder::new().items(of.into()).build()
}

/// An id: what a double holds exactly.
pub(crate) fn id() -> Object {
    integer(1, Some(ID_LIMIT - 1))
}

/// An integer from 0.
pub(crate) fn natural() -> Object {
    integer(0, None)
}

/// An integer within a range.
pub(crate) fn integer(from: i64, to: Option<i64>) -> Object {
    let integer = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(from));
    match to {
        Some(to) => integer.maximum(Some(to)).build(),
        None => integer.build(),
    }
}

/// A boolean.
pub(crate) fn boolean() -> Object {
    Object::with_type(Type::Boolean)
}

/// Any text.
pub(crate) fn text() -> Object {
    Object::with_type(Type::String)
}

/// A text of this form.
pub(crate) fn form(pattern: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()
}

/// The name of an id, as a text.
pub(crate) const ID_TEXT: &str = "^[1-9][0-9]{0,15}$";
/// A count, as a text.
pub(crate) const COUNT_TEXT: &str = "^(?:0|[1-9][0-9]*)$";

/// A price with two decimals, as a text.
pub(crate) fn price() -> Object {
    let price = form(r"^(?:0|[1-9][0-9]*)\.[0-9]{2}$");
    with_example(price, "140.00")
}

/// A time in UTC with milliseconds.
pub(crate) fn date() -> Object {
    let mut date = form(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$");
    date.format = Some(SchemaFormat::KnownFormat(KnownFormat::DateTime));
    with_example(date, "2019-04-14T00:00:00.000Z")
}

/// The same, or null.
pub(crate) fn or_null(mut schema: Object) -> Object {
    schema.schema_type = match schema.schema_type {
        SchemaType::Type(one) => SchemaType::from_iter([one, Type::Null]),
        others => others,
    };
    schema
}

/// The same, with what it is for.
pub(crate) fn about(mut schema: Object, description: &str) -> Object {
    schema.description = Some(description.to_owned());
    schema
}

/// The same, with an example.
pub(crate) fn with_example(mut schema: Object, example: impl Into<Value>) -> Object {
    schema.examples = vec![example.into()];
    schema
}
