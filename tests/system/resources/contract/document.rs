//! The contract as a judge: whether it allows an answer, and which answers it was shown.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde_json::Value;
use tests::Answer;

/// A method, a path as in the document, a status.
pub(super) type Seen = (String, String, u16);

/// The document that a system serves.
pub(super) struct Document {
    json: Value,
    validators: BTreeMap<String, Validator>,
    seen: BTreeSet<Seen>,
    faults: Vec<String>,
}

impl Document {
    pub(super) fn of(served: &Answer) -> Document {
        Document {
            json: served.json(),
            validators: BTreeMap::new(),
            seen: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    /// Every method of every path, with the statuses that it may answer with.
    pub(super) fn operations(&self) -> Vec<(String, String, Vec<u16>)> {
        let mut operations = Vec::new();
        for (path, item) in self.json["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("methods") {
                let responses = operation["responses"].as_object().expect("responses");
                let statuses = responses.keys().map(|status| status.parse().expect("a status")).collect();
                operations.push((method.to_uppercase(), path.clone(), statuses));
            }
        }
        operations
    }

    /// Holds the answer of an operation against what it may be.
    pub(super) fn hold(&mut self, method: &str, path: &str, answer: &Answer) {
        self.seen.insert((method.to_owned(), path.to_owned(), answer.status));
        let place = format!("/paths/{}/{}/responses/{}", escaped(path), method.to_lowercase(), answer.status);
        self.hold_at(&place, &format!("{method} {path}"), answer);
    }

    /// Holds an answer that belongs to no operation against a named one.
    pub(super) fn hold_as(&mut self, name: &str, asked: &str, answer: &Answer) {
        self.hold_at(&format!("/components/responses/{name}"), asked, answer);
    }

    /// What the answers were that the contract does not allow, and which it names and were never seen.
    pub(super) fn faults(self, never: impl Fn(&str, &str, u16) -> bool) -> Vec<String> {
        let mut faults = self.faults.clone();
        for (method, path, statuses) in self.operations() {
            for status in statuses {
                let seen = self.seen.contains(&(method.clone(), path.clone(), status));
                if seen == never(&method, &path, status) {
                    let what = if seen { "came, which was thought impossible" } else { "was never answered" };
                    faults.push(format!("{method} {path}: {status} {what}"));
                }
            }
        }
        faults
    }

    fn hold_at(&mut self, place: &str, asked: &str, answer: &Answer) {
        let asked = format!("{asked} answers {}", answer.status);
        let Some((place, response)) = self.resolved(place) else {
            self.faults.push(format!("{asked}, which is not in the contract: {answer:?}"));
            return;
        };
        let response = response.clone();
        self.hold_body(&place, &asked, &response, answer);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let at = format!("{place}/headers/{}", escaped(name));
            let (at, header) =
                self.resolved(&at).map_or((at, header.clone()), |(at, found)| (at, found.clone()));
            match answer.header(name) {
                Some(value) => {
                    let value = match header["schema"]["type"].as_str() {
                        Some("integer") => value.parse::<i64>().map_or(Value::from(value), Value::from),
                        _ => Value::from(value),
                    };
                    self.hold_value(&format!("{at}/schema"), &format!("{asked}, header {name}"), &value);
                }
                None if header["required"] == true => {
                    self.faults.push(format!("{asked} without the header {name}: {answer:?}"));
                }
                None => {}
            }
        }
    }

    fn hold_body(&mut self, place: &str, asked: &str, response: &Value, answer: &Answer) {
        let kinds: Vec<&String> =
            response["content"].as_object().into_iter().flat_map(|kinds| kinds.keys()).collect();
        let found = answer.header("content-type");
        let kind = match (kinds.as_slice(), found) {
            ([], None) if answer.body.is_empty() => return,
            ([kind], Some(found)) if *kind == found || *kind == "*/*" => (*kind).clone(),
            _ => {
                self.faults.push(format!("{asked} with {found:?}, expected {kinds:?}: {answer:?}"));
                return;
            }
        };
        if kind.ends_with("json") {
            let at = format!("{place}/content/{}/schema", escaped(&kind));
            self.hold_value(&at, asked, &answer.json());
        }
    }

    fn hold_value(&mut self, at: &str, asked: &str, value: &Value) {
        let validator = self.validators.entry(at.to_owned()).or_insert_with(|| {
            let mut root = self.json.clone();
            // References lead into the whole document, so the schema is a reference too.
            root["$ref"] = Value::from(format!("#{}", at.replace('{', "%7B").replace('}', "%7D")));
            jsonschema::draft202012::new(&root).unwrap_or_else(|error| panic!("{at}: {error}"))
        });
        for error in validator.iter_errors(value) {
            self.faults.push(format!("{asked}: {error} at {:?} of {value}", error.instance_path().as_str()));
        }
    }

    /// What stands at a place, or what the reference there leads to.
    fn resolved(&self, place: &str) -> Option<(String, &Value)> {
        let found = self.json.pointer(place)?;
        match found["$ref"].as_str() {
            Some(reference) => self.resolved(reference.strip_prefix('#')?),
            None => Some((place.to_owned(), found)),
        }
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

mod judge {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, kind: Option<&str>, position: Option<&str>, body: &str) -> Answer {
        let headers = [("content-type", kind), ("atelier-position", position)];
        let headers = headers.into_iter().filter_map(|(name, value)| {
            Some((name.parse().expect("a name"), value?.parse().expect("a value")))
        });
        Answer { status, headers: headers.collect(), body: body.to_owned() }
    }

    #[test]
    fn the_judge_lets_nothing_pass() {
        let page = json!({"type": "object", "required": ["id"], "additionalProperties": false,
            "properties": {"id": {"type": "integer"}}});
        let found = json!({
            "headers": {"Atelier-Position": {"$ref": "#/components/headers/P"}},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}
        });
        let document = json!({
            "paths": {"/a/{id}": {"get": {"responses": {"200": {"$ref": "#/components/responses/Found"}, "304": {}}}}},
            "components": {
                "responses": {"Found": found},
                "schemas": {"Page": page},
                "headers": {"P": {"required": true, "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
            }
        });
        let served = answer(200, None, None, &document.to_string());
        let (json, right) = (Some("application/json"), r#"{"id":1}"#);
        let faults = |answers: &[Answer]| {
            let mut document = Document::of(&served);
            answers.iter().for_each(|answer| document.hold("GET", "/a/{id}", answer));
            document.faults(|_, _, _| false)
        };
        let unchanged = answer(304, None, None, "");
        let good = answer(200, json, Some("7"), right);
        assert_eq!(faults(&[good.clone(), unchanged.clone()]), Vec::<String>::new());
        assert_eq!(faults(std::slice::from_ref(&good)).len(), 1, "304 was never answered");
        for wrong in [
            answer(200, json, Some("7"), r#"{"id":"1"}"#),
            answer(200, json, Some("7"), r#"{"id":1,"more":1}"#),
            answer(200, json, Some("7"), "{}"),
            answer(200, json, Some("seven"), right),
            answer(200, json, None, right),
            answer(200, Some("text/plain"), Some("7"), right),
            answer(200, None, Some("7"), right),
            answer(304, json, None, right),
            answer(404, json, Some("7"), right),
        ] {
            assert_eq!(faults(&[good.clone(), unchanged.clone(), wrong.clone()]).len(), 1, "{wrong:?}");
        }
    }
}
