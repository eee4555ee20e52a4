use contract::fields::Fields;
use contract::resources::answers::NewAnswer;
use contract::resources::cart::NewCartLine;
use contract::resources::interactions::NewInteraction;
use contract::resources::questions::NewQuestion;
use contract::resources::reviews::NewReview;
use jsonschema::Validator;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn validator(fields: &[FieldShape]) -> Validator {
    let schema = serde_json::to_value(schema(fields, [])).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Numbers around every limit, and texts of them.
fn number() -> impl Strategy<Value = Value> {
    let limits = [0_i64, 1, 5, 1_000, (1 << 53) - 1, 9_000_000_000_000_000];
    let near = (prop::sample::select(limits.to_vec()), -2..=2_i64).prop_map(|(limit, by)| limit + by);
    prop_oneof![
        near.clone().prop_map(Value::from),
        near.clone().prop_map(|number| Value::from(number.to_string())),
        (near.clone(), "0{0,3}").prop_map(|(number, zeros)| Value::from(format!("{zeros}{number}"))),
        near.prop_map(|number| json!(number as f64)),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[ +-]?[0-9]{0,17}\n?".prop_map(Value::from),
    ]
}

fn word() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,4}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        ".{0,2}@.{0,2}".prop_map(Value::from),
        "(https?|HTTPS|ftp)://[a-z/?#\u{85}\u{a0}\u{2028}\u{3000}\u{feff} ü.]{0,4}".prop_map(Value::from),
        // Around the limits of length.
        (prop::sample::select(vec![3_usize, 100, 254, 1_000, 2_000, 10_000]), 0..=2_usize, "[a@ü\u{0}]")
            .prop_map(|(limit, by, letter)| Value::from(letter.repeat(limit + by - 1))),
        prop::sample::select(vec!["true", "false", "True", "https://a/b", "a@b"]).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        3 => number(),
        3 => word(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null)
    ];
    let single = single.boxed();
    let name = prop_oneof!["0{0,2}[0-9]{1,17}", "\\PC{0,3}"];
    prop_oneof![
        6 => single.clone(),
        2 => vec(single.clone(), 0..8).prop_map(Value::from),
        2 => btree_map(name, single, 0..19).prop_map(|map| map.into_iter().collect::<Value>()),
    ]
}

/// Bodies that are right but for some fields.
fn body(right: Value) -> impl Strategy<Value = Value> {
    let names: Vec<String> = right.as_object().unwrap().keys().cloned().collect();
    let change = (prop::sample::select(names), prop::option::of(value()));
    vec(change, 0..3).prop_map(move |changes| {
        let mut body = right.as_object().unwrap().clone();
        for (name, value) in changes {
            match value {
                Some(value) => body.insert(name, value),
                None => body.remove(&name),
            };
        }
        Value::Object(body)
    })
}

macro_rules! described_as_parsed {
    ($name:ident, $body:ty, $right:tt) => {
        #[test]
        fn $name() {
            let validator = validator(&Fields::describe(<$body>::read));
            assert!(<$body>::parse(&json!($right)).is_ok());
            let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
            proptest!(config, |(body in body(json!($right)))| {
                prop_assert_eq!(validator.is_valid(&body), <$body>::parse(&body).is_ok(), "{}", body);
            });
        }
    };
}

described_as_parsed!(what_a_new_review_may_be_is_what_is_described, NewReview, {
    "product_id": 2, "rating": 5, "summary": "s", "body": "b", "recommend": true, "name": "n", "email": "a@b",
    "photos": ["https://a/b"], "characteristics": {"16": 4}, "unknown": []
});
described_as_parsed!(what_a_new_question_may_be_is_what_is_described, NewQuestion, {
    "product_id": 2, "body": "b", "name": "n", "email": "a@b"
});
described_as_parsed!(what_a_new_answer_may_be_is_what_is_described, NewAnswer, {
    "body": "b", "name": "n", "email": "a@b", "photos": ["https://a/b"]
});
described_as_parsed!(what_a_new_cart_line_may_be_is_what_is_described, NewCartLine, {"sku_id": 7, "count": 2});
described_as_parsed!(what_a_new_interaction_may_be_is_what_is_described, NewInteraction, {
    "element": "e", "widget": "w", "time": 1
});
