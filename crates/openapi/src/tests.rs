use std::collections::BTreeSet;

use serde_json::Value;
use service::routes::ROUTES;

use super::*;

fn json() -> Value {
    serde_json::from_str(text()).unwrap()
}

#[test]
fn every_route_has_an_operation_and_every_operation_a_route() {
    let routes: BTreeSet<(&str, &str)> =
        ROUTES.iter().flat_map(|route| route.methods.iter().map(|method| (*method, route.path))).collect();
    let resources = resources::all();
    let operations = resources.iter().flat_map(|resource| &resource.operations);
    let operations: BTreeSet<(&str, &str)> = operations.map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(operations, routes);
    // And each is in the document: none has a method that it does not know.
    let document = json();
    for (method, path) in routes {
        assert!(document["paths"][path][method.to_lowercase()]["operationId"].is_string(), "{method} {path}");
    }
}

#[test]
fn names_of_operations_are_unique_and_parameters_of_paths_are_described() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        let taken: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for operation in [&item.get, &item.post, &item.put].into_iter().flatten() {
            assert!(names.insert(operation.operation_id.clone()), "{:?}", operation.operation_id);
            let described = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
                utoipa::openapi::RefOr::T(parameter) => Some(parameter),
                utoipa::openapi::RefOr::Ref(_) => None,
            });
            let in_path =
                described.filter(|one| one.parameter_in == utoipa::openapi::path::ParameterIn::Path);
            let in_path: Vec<&str> = in_path.map(|parameter| parameter.name.as_str()).collect();
            assert_eq!(in_path, taken, "{path}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = json();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').expect("references stay in the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        // Security is asked for by name; a problem that belongs to a path, not to a method, has no operation.
        let elsewhere = ["MethodNotAllowed", "NoRoute", "Allow"];
        for name in components.as_object().unwrap().keys().filter(|name| !elsewhere.contains(&name.as_str()))
        {
            let reference = format!("#/components/{kind}/{name}");
            assert!(kind == "securitySchemes" || used.contains(&reference), "{reference} is not used");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.insert(reference.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_schema_is_one() {
    let document = json();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn the_copy_in_docs_is_that_of_the_code() {
    let copy = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json"));
    let same = copy.is_ok_and(|copy| copy == text());
    assert!(same, "docs/openapi.json is not what the code says: run cargo xtask openapi");
}
